"""Layers: descriptions of what a network does, and handles on its parameters once it is built."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..checks import kind_and_options
from ..initializers import initializer_from_config
from ..regularizers import regularizer_from_config
from .activation import Activation
from .dense import Dense
from .flatten import Flatten
from .layer import Layer
from .noise import Dropout, GaussianNoise
from .normalization import BatchNorm, LayerNorm
from .scalers import SCALERS, MaxAbsScaler, MinMaxScaler, StandardScaler

__all__ = [
    "LAYERS", "Activation", "BatchNorm", "Dense", "Dropout", "Flatten", "GaussianNoise", "LayerNorm", "MaxAbsScaler",
    "MinMaxScaler", "StandardScaler", "layer_from_config",
]  # fmt: skip

_KINDS: tuple[type[Layer], ...] = (
    Dense, Activation, Dropout, GaussianNoise, LayerNorm, BatchNorm, Flatten, *SCALERS,
)  # fmt: skip
# What each kind in a model file stands for.
LAYERS = {layer.kind: layer for layer in _KINDS}
_FROM_CONFIG: dict[str, Callable[[Any], Any]] = {
    "initializer": initializer_from_config,
    "bias_initializer": initializer_from_config,
    "regularizer": regularizer_from_config,
}


def layer_from_config(config: dict[str, Any]) -> Layer:
    """The layer that `Layer.config` described.

    Raises
    ------
    ValueError
        If a kind or an option is not known.
    """
    kind, options = kind_and_options("layer", config, LAYERS)
    for name in options.keys() & _FROM_CONFIG.keys():
        options[name] = _FROM_CONFIG[name](options[name])
    return kind(**options)
