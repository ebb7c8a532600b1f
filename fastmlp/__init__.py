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
    from .ensemble import Ensemble
    from .errors import FileFormatError, TrainingDiverged
    from .layers import (
        Activation,
        BatchNorm,
        Dense,
        Dropout,
        Flatten,
        GaussianNoise,
        LayerNorm,
        MaxAbsScaler,
        MinMaxScaler,
        StandardScaler,
    )
    from .many import fit_many
    from .model import Sequential, load
    from .optimizers import SGD, Adadelta, Adagrad, Adam, AdamW, AMSGrad, Lion, Nadam, RMSprop
    from .plot import (
        plot_confusion_matrix,
        plot_decision_regions,
        plot_history,
        plot_label_distribution,
        plot_learning_rates,
        plot_mistakes,
        plot_samples,
        plot_weights,
    )
    from .rate_finder import LearningRates, find_learning_rate
    from .regularizers import L1, L1L2, L2
    from .training.history import History

__version__ = "0.1.0"

__all__ = [
    "L1",
    "L1L2",
    "L2",
    "SGD",
    "AMSGrad",
    "Activation",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "BatchNorm",
    "Callback",
    "DataSet",
    "Dense",
    "Dropout",
    "EarlyStopping",
    "Ensemble",
    "FileFormatError",
    "Flatten",
    "GaussianNoise",
    "History",
    "LayerNorm",
    "LearningRates",
    "Lion",
    "MaxAbsScaler",
    "MinMaxScaler",
    "ModelCheckpoint",
    "Nadam",
    "RMSprop",
    "Sequential",
    "StandardScaler",
    "Table",
    "TrainingDiverged",
    "find_learning_rate",
    "fit_many",
    "load",
    "load_csv",
    "load_idx_folder",
    "load_mnist",
    "load_npz",
    "load_synthetic",
    "plot_confusion_matrix",
    "plot_decision_regions",
    "plot_history",
    "plot_label_distribution",
    "plot_learning_rates",
    "plot_mistakes",
    "plot_samples",
    "plot_weights",
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
    "ensemble": ("Ensemble",),
    "errors": ("FileFormatError", "TrainingDiverged"),
    "training.history": ("History",),
    "layers": (
        "Activation",
        "BatchNorm",
        "Dense",
        "Dropout",
        "Flatten",
        "GaussianNoise",
        "LayerNorm",
        "MaxAbsScaler",
        "MinMaxScaler",
        "StandardScaler",
    ),
    "many": ("fit_many",),
    "model": ("Sequential", "load"),
    "optimizers": (
        "SGD",
        "AMSGrad",
        "Adadelta",
        "Adagrad",
        "Adam",
        "AdamW",
        "Lion",
        "Nadam",
        "RMSprop",
    ),
    "plot": (
        "plot_confusion_matrix",
        "plot_decision_regions",
        "plot_history",
        "plot_label_distribution",
        "plot_learning_rates",
        "plot_mistakes",
        "plot_samples",
        "plot_weights",
    ),
    "rate_finder": ("LearningRates", "find_learning_rate"),
    "regularizers": ("L1", "L1L2", "L2"),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f".{_MODULE_OF[name]}", __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
