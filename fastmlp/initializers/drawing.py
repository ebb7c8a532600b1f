"""The initial numbers of a layer, from the counter-based random generator."""

from __future__ import annotations

import numpy as np

from ..kernels import schema
from .table import Given, get_initializer


def initial_weights(given: Given, fan_in: int, fan_out: int, seed: int, layer: int) -> np.ndarray:
    """Draw the weights of a dense layer.

    Parameters
    ----------
    given : str or Initializer
        See `get_initializer`.
    fan_in, fan_out : int
        Numbers of inputs and of units.
    seed, layer : int
        Key of the random numbers.

    Returns
    -------
    ndarray, float64, shape (fan_in, fan_out)
    """
    random = _random((fan_in, fan_out), seed, schema.WEIGHTS_PURPOSE, layer)
    return get_initializer(given)(fan_in, fan_out, random)


def initial_biases(given: Given, fan_in: int, fan_out: int, seed: int, layer: int) -> np.ndarray:
    """Draw the biases of a dense layer, shape (fan_out,); arguments as those of `initial_weights`."""
    random = _random((1, fan_out), seed, schema.BIASES_PURPOSE, layer)
    return get_initializer(given)(fan_in, fan_out, random)[0]


def _random(shape: tuple[int, int], seed: int, purpose: int, layer: int) -> np.ndarray:
    """Uniform random numbers in [0, 1) with all 53 bits."""
    from ..kernels.loops import rng  # needs Numba, which a description does not wait for

    bits = np.empty(shape[0] * shape[1], np.uint64)
    rng.fill(bits, np.uint64(seed), purpose, layer)
    return ((bits >> np.uint64(11)).astype(np.float64) * 2.0**-53).reshape(shape)
