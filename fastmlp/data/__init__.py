"""Data sets and files: images in IDX, tables in CSV and NPZ, MNIST, and digits drawn by our own kernels.

- `load_csv`, `load_npz`: a table from one file: a `Table`.
- `load_mnist`: the MNIST handwritten digits, downloaded once.
- `load_idx_folder`: the four files of MNIST, or of a set in its format, from a folder.
- `load_synthetic`, `synthetic_digits`: handwritten-looking digits, any number of them, from nothing.
- `read_idx`, `write_idx`: one IDX file.
- `train_test_split`: some samples for training, the others for testing.
- `DataSet`: training and test samples, what `Table.split` and the loaders of images return.
"""

from ..inputs.splits import train_test_split
from .csv_file import load_csv
from .dataset import DataSet
from .digits import load_synthetic, synthetic_digits
from .folder import load_idx_folder
from .idx import read_idx, write_idx
from .mnist import load_mnist
from .npz import load_npz
from .table import Table

__all__ = [
    "DataSet",
    "Table",
    "load_csv",
    "load_idx_folder",
    "load_mnist",
    "load_npz",
    "load_synthetic",
    "read_idx",
    "synthetic_digits",
    "train_test_split",
    "write_idx",
]
