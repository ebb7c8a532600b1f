"""fastmlp: train and run multilayer perceptrons on a CPU, fast, with the same bits on any number of threads.

What is listed here is imported when it is first used, so that what needs no kernels does not wait for Numba.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .callbacks import Callback, EarlyStopping, ModelCheckpoint
    from .data import (
        DataSet,
        Table,
        load_csv,
        load_idx_folder,
        load_mnist,
        load_npz,
        load_synthetic,
        synthetic_digits,
        train_test_split,
    )
    from .errors import FileFormatError, TrainingDiverged
    from .history import History
    from .layers import Activation, Dense, Dropout, Flatten, GaussianNoise
    from .model import Sequential, load
    from .normalization import BatchNorm, LayerNorm
    from .optimizers import SGD, Adam, RMSprop
    from .plot import plot_history
    from .scalers import MaxAbsScaler, MinMaxScaler, StandardScaler

__version__ = "0.1.0"

__all__ = [
    "SGD",
    "Activation",
    "Adam",
    "BatchNorm",
    "Callback",
    "DataSet",
    "Dense",
    "Dropout",
    "EarlyStopping",
    "FileFormatError",
    "Flatten",
    "GaussianNoise",
    "History",
    "LayerNorm",
    "MaxAbsScaler",
    "MinMaxScaler",
    "ModelCheckpoint",
    "RMSprop",
    "Sequential",
    "StandardScaler",
    "Table",
    "TrainingDiverged",
    "load",
    "load_csv",
    "load_idx_folder",
    "load_mnist",
    "load_npz",
    "load_synthetic",
    "plot_history",
    "synthetic_digits",
    "train_test_split",
]

_MODULES = {
    "callbacks": ("Callback", "EarlyStopping", "ModelCheckpoint"),
    "data": (
        "DataSet",
        "Table",
        "load_csv",
        "load_idx_folder",
        "load_mnist",
        "load_npz",
        "load_synthetic",
        "synthetic_digits",
        "train_test_split",
    ),
    "errors": ("FileFormatError", "TrainingDiverged"),
    "history": ("History",),
    "layers": ("Activation", "Dense", "Dropout", "Flatten", "GaussianNoise"),
    "model": ("Sequential", "load"),
    "normalization": ("BatchNorm", "LayerNorm"),
    "optimizers": ("SGD", "Adam", "RMSprop"),
    "plot": ("plot_history",),
    "scalers": ("MaxAbsScaler", "MinMaxScaler", "StandardScaler"),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f".{_MODULE_OF[name]}", __name__), name)
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
