"""Data sets: MNIST, folders of IDX files, and digits drawn by our own kernels.

- `load_mnist`: the MNIST handwritten digits, downloaded once.
- `load_idx_folder`: the four files of MNIST, or of a set in its format, from a folder.
- `load_synthetic`, `synthetic_digits`: handwritten-looking digits, any number of them, from nothing.
- `read_idx`, `write_idx`: one IDX file.
- `DataSet`: what the loaders return.
"""

from .dataset import DataSet
from .digits import load_synthetic, synthetic_digits
from .folder import load_idx_folder
from .idx import read_idx, write_idx
from .mnist import load_mnist

__all__ = [
    "DataSet",
    "load_idx_folder",
    "load_mnist",
    "load_synthetic",
    "read_idx",
    "synthetic_digits",
    "write_idx",
]
