"""fastmlp: train and run multilayer perceptrons on a CPU, fast, with the same bits on any number of threads."""

from .data import DataSet, load_idx_folder, load_mnist, load_synthetic, synthetic_digits
from .errors import FileFormatError, TrainingDiverged
from .history import History
from .layers import Activation, Dense, Dropout, Flatten
from .model import Sequential, load
from .optimizers import SGD, Adam, RMSprop

__version__ = "0.1.0"

__all__ = [
    "SGD",
    "Activation",
    "Adam",
    "DataSet",
    "Dense",
    "Dropout",
    "FileFormatError",
    "Flatten",
    "History",
    "RMSprop",
    "Sequential",
    "TrainingDiverged",
    "load",
    "load_idx_folder",
    "load_mnist",
    "load_synthetic",
    "synthetic_digits",
]
