"""NPZ, the archive of arrays that `numpy.savez` writes: a ZIP file with an entry NAME.npy for each array.

`numpy.load` trusts the shape in an entry. Here it is compared with the size of the entry, and that with the size of
the file, before memory is allocated; and whatever is wrong with a file is one kind of error.
"""

from __future__ import annotations

import io
import math
import os
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from ..errors import FileFormatError
from .labels import match_classes, name_classes
from .opening import MOST_EXPANSION, fill, open_file
from .table import Table

# What the uncompressed size of an entry can be at most, in multiples of the file.
_MOST_EXPANSIONS = {zipfile.ZIP_STORED: 1, zipfile.ZIP_DEFLATED: MOST_EXPANSION}
_LONGEST_HEADER = 2**16
_HEADER_READERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
_KINDS = "biufcSUmM"  # of dtype; the others are objects and structures


def load_npz(
    path: str | os.PathLike[str],
    X: str = "X",
    y: str | None = "y",
    *,
    class_names: Sequence[str] | None = None,
) -> Table:
    """Read samples from an NPZ file. No code in it is ever run.

    Parameters
    ----------
    path : path
        The file, compressed or not.
    X : str
        Name of the array of samples.
    y : str or None
        Name of the array of classes (text, whole numbers or booleans) or of values (floats); None if there is none.
    class_names : sequence of str, optional
        The names of the classes in the order of their numbers, as in `load_csv`.

    Returns
    -------
    Table
        Named after the file.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    FileFormatError
        The file is damaged or not an NPZ file, holds Python objects, lacks an array, or has a class that is not among
        `class_names`.

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
        try:
            labels, names = _as_classes(labels.reshape(-1), class_names)
        except ValueError as error:
            raise FileFormatError(f"{path}: {y}: {error}") from None
    elif labels.dtype.kind not in "buif":
        raise FileFormatError(
            f"{path}: {y}: expected classes or values, got {labels.dtype} of {labels.shape}"
        )
    return Table(samples, labels, path.name, class_names=names)


def read_npz(path: str | os.PathLike[str], names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Read some arrays of an NPZ file.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    FileFormatError
        The file is damaged or not an NPZ file, or an array is missing or holds Python objects.
    """
    path = Path(path)
    with _opened(path) as archive:
        there = _entries(archive)
        missing = [name for name in names if name not in there]
        if missing:
            raise FileFormatError(
                f"{path}: has no array {', '.join(map(repr, missing))}; "
                f"it has {', '.join(sorted(there)) or 'none'}; say which to read"
            )
        return {name: _read_array(archive, there[name], path) for name in names}


def npz_names(path: str | os.PathLike[str]) -> set[str]:
    """The names of the arrays of an NPZ file.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    FileFormatError
        The file is damaged or not an NPZ file.
    """
    with _opened(Path(path)) as archive:
        return set(_entries(archive))


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    with open_file(path, "an NPZ file") as file:
        with _damage_refused(path):
            archive = zipfile.ZipFile(file)
        with archive:
            yield archive


def _entries(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The entries by the name of their array."""
    return {info.filename.removesuffix(".npy"): info for info in archive.infolist()}


@contextmanager
def _damage_refused(path: Path) -> Iterator[None]:
    """Turn the many types of error that `zipfile` and NumPy raise for a damaged file into one."""
    try:
        yield
    except FileFormatError:
        raise
    except Exception as error:
        raise FileFormatError(
            f"{path}: not an NPZ file of numbers and texts, or damaged: {error or type(error).__name__}; write it with "
            "numpy.savez"
        ) from error


def _read_array(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> NDArray[Any]:
    place = f"{path}: {info.filename}"
    _check_size(info, path)
    with _damage_refused(path), archive.open(info) as stream:
        start = stream.read(_LONGEST_HEADER)
        shape, fortran_order, dtype, header_bytes = _parse_header(start)
        size = math.prod(shape) * dtype.itemsize  # Python integers: no product overflows
        if min(shape, default=0) < 0 or header_bytes + size != info.file_size:
            raise FileFormatError(
                f"{place}: damaged: the header declares the shape {shape} of {dtype}, {size} bytes, but "
                f"{info.file_size - header_bytes} follow it"
            )
    values = np.empty(size, np.uint8)  # not inside the block: too little memory is no fault of the file
    with _damage_refused(path), archive.open(info) as stream:
        stream.seek(header_bytes)
        if fill(stream, values.data) < size:
            raise FileFormatError(f"{place}: truncated: expected {size} bytes of values")
        array = values.view(dtype)
        return array.reshape(shape[::-1]).T if fortran_order else array.reshape(shape)


def _check_size(info: zipfile.ZipInfo, path: Path) -> None:
    """Raise if the directory of the archive declares more bytes than the file can hold."""
    place = f"{path}: {info.filename}"
    most = _MOST_EXPANSIONS.get(info.compress_type)
    if most is None:
        raise FileFormatError(
            f"{place}: compressed by method {info.compress_type}; expected stored or deflated data, as numpy.savez and "
            "numpy.savez_compressed write them"
        )
    if info.file_size > path.stat().st_size * most:
        raise FileFormatError(
            f"{place}: damaged: it declares {info.file_size} bytes, more than the file can hold"
        )


def _parse_header(start: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Shape, order, type and length of the header at the start of an entry."""
    header = io.BytesIO(start)
    version = npy.read_magic(header)
    if version not in _HEADER_READERS:
        raise ValueError(f"version {version[0]}.{version[1]} of the NPY format; expected 1.0 or 2.0")
    shape, fortran_order, dtype = _HEADER_READERS[version](header)
    if dtype.kind not in _KINDS:
        raise ValueError(f"an array of {dtype}, which can hold Python objects; expected numbers or texts")
    return shape, fortran_order, dtype, header.tell()


def _as_classes(
    labels: NDArray[Any], class_names: Sequence[str] | None
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """The class of each label, and the names of the classes.

    Raises
    ------
    ValueError
        If the labels are not valid text, not classes, or not among the names.
    """
    if labels.dtype.kind == "S":
        labels = np.char.decode(labels, "utf-8")
    if labels.dtype.kind == "U":
        _check_text(labels)
    if labels.dtype.kind == "b":
        labels = labels.astype(np.int64)
    different, places = np.unique(labels, return_inverse=True)
    texts = [str(label) for label in different]
    if class_names is None:
        names, codes = name_classes(texts)
    else:
        names = tuple(class_names)
        codes = match_classes(texts, names)
        if (codes < 0).any():
            raise ValueError(
                f"expected the classes {', '.join(names)}, got {texts[int((codes < 0).argmax())]!r}"
            )
    return codes[places], names


def _check_text(texts: NDArray[np.str_]) -> None:
    """Raise unless all characters are Unicode: `str` fails on others, or passes them on to where they fail."""
    characters = np.ascontiguousarray(texts).view(np.dtype(np.uint32).newbyteorder(texts.dtype.byteorder))
    if ((characters > 0x10FFFF) | ((characters >= 0xD800) & (characters < 0xE000))).any():
        raise ValueError("expected text, got characters that are not Unicode")
