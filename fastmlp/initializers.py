"""Initial weights by name, from the counter-based generator: the same for any machine and any number of threads."""

from collections.abc import Callable

import numpy as np

from .kernels import rng
from .names import look_up

Initializer = Callable[[int, int, np.ndarray], np.ndarray]


def _limit(scale: float) -> float:
    """Half the width of the uniform distribution with this variance: sqrt(3 variance)."""
    return float(np.sqrt(3.0 * scale))


def _glorot_uniform(fan_in: int, fan_out: int, random: np.ndarray) -> np.ndarray:
    return _limit(2.0 / (fan_in + fan_out)) * (2.0 * random - 1.0)


def _he_uniform(fan_in: int, fan_out: int, random: np.ndarray) -> np.ndarray:
    return _limit(2.0 / fan_in) * (2.0 * random - 1.0)


def _lecun_uniform(fan_in: int, fan_out: int, random: np.ndarray) -> np.ndarray:
    return _limit(1.0 / fan_in) * (2.0 * random - 1.0)


def _zeros(fan_in: int, fan_out: int, random: np.ndarray) -> np.ndarray:
    return np.zeros_like(random)


INITIALIZERS: dict[str, Initializer] = {
    "glorot_uniform": _glorot_uniform,
    "he_uniform": _he_uniform,
    "lecun_uniform": _lecun_uniform,
    "zeros": _zeros,
}


def initial_weights(name: str, fan_in: int, fan_out: int, seed: int, layer: int) -> np.ndarray:
    """Draw the weights of a dense layer.

    Parameters
    ----------
    name : str
        `glorot_uniform`: variance 2 / (fan_in + fan_out) (Glorot and Bengio, 2010). `he_uniform`: variance
        2 / fan_in (He et al., 2015), for ReLU. `lecun_uniform`: variance 1 / fan_in (LeCun et al., 1998). `zeros`.
    fan_in, fan_out : int
        Numbers of inputs and of units.
    seed, layer : int
        Key of the random numbers.

    Returns
    -------
    ndarray, float64, shape (fan_in, fan_out)

    Raises
    ------
    ValueError
        If the name is not known.
    """
    initializer = look_up("initializer", name, INITIALIZERS)
    bits = np.empty(fan_in * fan_out, np.uint64)
    rng.fill(bits, seed, rng.WEIGHTS, layer)
    random = (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53  # [0, 1), all 53 bits
    return initializer(fan_in, fan_out, random.reshape(fan_in, fan_out))
