"""A folder with the four files of MNIST, or of a data set in the same format (Fashion-MNIST, EMNIST, ...)."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import FileFormatError
from .dataset import DataSet
from .idx import read_idx

# In the order of the fields of DataSet.
FILE_NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


def load_idx_folder(folder: str | os.PathLike[str]) -> DataSet:
    """Read training and test images from the four IDX files of a folder.

    Parameters
    ----------
    folder : path
        Has the files ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte``, ``t10k-images-idx3-ubyte``
        and ``t10k-labels-idx1-ubyte``, each plain or with the suffix ``.gz``; a dot before ``idx`` is
        accepted too. Of several the plain one is read.

    Returns
    -------
    DataSet
        Named after the folder.

    Raises
    ------
    FileNotFoundError
        Files are missing; the message lists them.
    FileFormatError
        A file is damaged, or the four do not belong together.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from fastmlp.data.idx import write_idx
    >>> images, labels = synthetic_digits(50)
    >>> with TemporaryDirectory() as folder:
    ...     for name, array in zip(FILE_NAMES, (images, labels, images[:10], labels[:10]), strict=True):
    ...         write_idx(Path(folder, name), array)
    ...     data = load_idx_folder(folder)
    >>> data.x_train.shape, data.x_test.shape
    ((50, 28, 28), (10, 28, 28))
    """
    folder = Path(folder)
    paths = find_idx_files(folder)
    arrays = [read_idx(path) for path in paths]
    _check_split(paths[0], arrays[0], paths[1], arrays[1])
    _check_split(paths[2], arrays[2], paths[3], arrays[3])
    x_train, y_train, x_test, y_test = arrays
    if x_train.shape[1:] != x_test.shape[1:]:
        raise FileFormatError(
            f"{paths[2]}: images of {x_test.shape[1:]} pixels, but {paths[0].name} has {x_train.shape[1:]}"
        )
    if y_test.max() > y_train.max():
        raise FileFormatError(
            f"{paths[3]}: has a label {y_test.max()}, but {paths[1].name} ends with the class {y_train.max()}"
        )
    return DataSet(x_train, y_train, x_test, y_test, name=folder.resolve().name)


def find_idx_files(folder: Path) -> list[Path]:
    """Find the four files of a folder, in the order of `FILE_NAMES`."""
    found = {name: first_existing(folder, name) for name in FILE_NAMES}
    missing = [name for name, path in found.items() if path is None]
    if missing:
        raise FileNotFoundError(
            f"{folder}: {', '.join(missing)} not found; expected the four IDX files "
            f"{', '.join(FILE_NAMES)}, each plain or with the suffix .gz (a dot before idx is accepted too)"
        )
    return [path for path in found.values() if path is not None]


def first_existing(folder: Path, name: str) -> Path | None:
    """Find a file of the folder by any of its accepted names; the canonical name comes first."""
    dotted = name.replace("-idx", ".idx")
    candidates = (folder / variant for variant in (name, name + ".gz", dotted, dotted + ".gz"))
    return next((path for path in candidates if path.is_file()), None)


def _check_split(image_path: Path, images: NDArray[Any], label_path: Path, labels: NDArray[Any]) -> None:
    """Raise unless these are images with one label each."""
    if images.dtype != np.uint8 or images.ndim != 3:
        raise FileFormatError(
            f"{image_path}: expected images, 3 dimensions of uint8; got {images.ndim} of {images.dtype}"
        )
    if labels.dtype != np.uint8 or labels.ndim != 1:
        raise FileFormatError(
            f"{label_path}: expected labels, 1 dimension of uint8; got {labels.ndim} of {labels.dtype}"
        )
    if len(images) != len(labels):
        raise FileFormatError(
            f"{label_path}: {len(labels)} labels, but {image_path.name} has {len(images)} images"
        )
