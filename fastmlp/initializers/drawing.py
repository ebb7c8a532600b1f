"""The initial numbers of a layer, from the counter-based random generator."""

from __future__ import annotations

import numpy as np

from ..kernels import schema
from .initializer import Initializer
from .table import Given, get_initializer

_LOWEST = np.uint64(11)  # bits beyond the 53 of a float64


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
    initializer = get_initializer(given)
    return initializer(
        fan_in, fan_out, _room(initializer, (fan_in, fan_out), seed, schema.WEIGHTS_PURPOSE, layer)
    )


def initial_biases(given: Given, fan_in: int, fan_out: int, seed: int, layer: int) -> np.ndarray:
    """Draw the biases of a dense layer, shape (fan_out,); arguments as those of `initial_weights`."""
    initializer = get_initializer(given)
    return initializer(fan_in, fan_out, _room(initializer, (1, fan_out), seed, schema.BIASES_PURPOSE, layer))[
        0
    ]


def _room(
    initializer: Initializer, shape: tuple[int, int], seed: int, purpose: int, layer: int
) -> np.ndarray:
    """Random numbers for an initializer, or any numbers if it reads none."""
    return _random(shape, seed, purpose, layer) if initializer.is_random else np.empty(shape)


def _random(shape: tuple[int, int], seed: int, purpose: int, layer: int) -> np.ndarray:
    """Uniform random numbers in [0, 1) with all 53 bits."""
    from ..kernels.loops import rng  # needs Numba, which a description does not wait for

    bits = np.empty(shape[0] * shape[1], np.uint64)
    rng.fill(bits, np.uint64(seed), purpose, layer)
    bits >>= _LOWEST
    return (bits * 2.0**-53).reshape(shape)
