"""NPZ, the archive of arrays that `numpy.savez` writes."""

from __future__ import annotations

import os
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import FileFormatError
from .classes import number_classes
from .table import Table


def load_npz(path: str | os.PathLike[str], X: str = "X", y: str | None = "y") -> Table:
    """Read samples from an NPZ file; nothing in it is ever run.

    Parameters
    ----------
    path : path
        The file, compressed or not.
    X : str
        Name of the array of samples.
    y : str or None
        Name of the array of classes (text, whole numbers or booleans, as `load_csv` numbers them) or of values
        (floats); None if there is none.

    Returns
    -------
    Table
        Named after the file.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    FileFormatError
        The file is damaged or no NPZ file, holds Python objects, or lacks an array.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(f"{folder}/some.npz", x_train=np.eye(2), y_train=["no", "yes"])
    ...     load_npz(f"{folder}/some.npz", X="x_train", y="y_train").y
    array([0, 1])
    """
    path = Path(path)
    arrays = read_npz(path, [name for name in (X, y) if name is not None])
    samples = arrays[X]
    if samples.ndim < 2 or samples.dtype.kind not in "buif":
        raise FileFormatError(
            f"{path}: {X}: expected samples as rows of numbers, got shape {samples.shape} of {samples.dtype}"
        )
    if y is None:
        return Table(samples, None, path.name)
    labels = arrays[y]
    if labels.shape[:1] != samples.shape[:1]:
        raise FileFormatError(
            f"{path}: {y}: expected one for each of the {len(samples)} samples of {X}, got shape {labels.shape}"
        )
    names: tuple[str, ...] = ()
    if labels.dtype.kind in "buiSU" and labels.size == len(labels):
        labels, names = _as_classes(labels.reshape(-1), path, y)
    elif labels.dtype.kind not in "buif":
        raise FileFormatError(
            f"{path}: {y}: expected classes or values, got {labels.dtype} of {labels.shape}"
        )
    return Table(samples, labels, path.name, class_names=names)


def read_npz(path: str | os.PathLike[str], names: list[str]) -> dict[str, NDArray[Any]]:
    """Read some arrays of an NPZ file.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    FileFormatError
        The file is damaged or no NPZ file, or an array is not there or holds Python objects.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: there is no such file; expected an NPZ file")
    try:
        # By default NumPy refuses arrays of Python objects, which could run code.
        with path.open("rb") as file, np.load(file) as archive:
            missing = [name for name in names if name not in archive]
            if missing:
                raise FileFormatError(
                    f"{path}: has no array {', '.join(map(repr, missing))}; "
                    f"it has {', '.join(sorted(archive)) or 'none'}; say which to read"
                )
            return {name: archive[name] for name in names}
    except FileFormatError:
        raise
    except (
        ValueError,
        TypeError,
        AttributeError,
        EOFError,
        OSError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise FileFormatError(
            f"{path}: not an NPZ file of numbers and texts, or damaged: {error}; write it with numpy.savez"
        ) from error


def npz_names(path: str | os.PathLike[str]) -> set[str]:
    """The names of the arrays of an NPZ file."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {name.removesuffix(".npy") for name in archive.namelist()}
    except zipfile.BadZipFile as error:
        raise FileFormatError(f"{path}: not an NPZ file, or damaged: {error}") from error


def _as_classes(labels: NDArray[Any], path: Path, name: str) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    if labels.dtype.kind == "S":
        labels = np.char.decode(labels, "utf-8")
    if labels.dtype.kind == "b":
        labels = labels.astype(np.int64)
    found, places = np.unique(labels, return_inverse=True)
    try:
        names, codes = number_classes([str(label) for label in found])
    except ValueError as error:
        raise FileFormatError(f"{path}: {name}: {error}") from None
    return codes[places], names
