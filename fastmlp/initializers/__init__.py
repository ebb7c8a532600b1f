"""Initial weights and biases, from the counter-based generator: the same bits on any machine and number of threads."""

from .distributions import Normal, TruncatedNormal, Uniform, VarianceScaling
from .drawing import initial_biases, initial_weights
from .given import Constant, FromArray
from .initializer import Initializer
from .orthogonal import Orthogonal
from .table import INITIALIZERS, get_initializer, initializer_from_config

__all__ = [
    "INITIALIZERS", "Constant", "FromArray", "Initializer", "Normal", "Orthogonal", "TruncatedNormal", "Uniform",
    "VarianceScaling", "get_initializer", "initial_biases", "initial_weights", "initializer_from_config",
]  # fmt: skip
