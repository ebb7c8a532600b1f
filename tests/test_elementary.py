"""Our own elementary functions in float64, against mpmath, within the errors that they state."""

import mpmath
import numpy as np
import pytest

from fastmlp import portable_math
from fastmlp.portable_math import MAX_ULP, integer_power, power

RANDOM = np.random.default_rng(0)
WIDE, HALVES = RANDOM.uniform(-700, 700, 2000), RANDOM.uniform(0, 1, 2000)
ARGUMENTS = {
    "exp": np.concatenate([WIDE, WIDE / 1000, [0.0, 1.0, -1.0]]),
    "log": np.concatenate([np.exp(WIDE), 1 + (HALVES - 0.5) / 2, 1 + WIDE * 1e-10, [1.0, 2.0, 5e-324]]),
    "cos_pi": np.concatenate([HALVES, 0.5 + WIDE * 1e-10, [0.0, 0.25, 0.75, 1.0]]),
    "normal_quantile": np.concatenate(
        [HALVES, np.exp(-np.abs(WIDE) / 20), 1 - np.exp(-np.abs(WIDE[:500]) / 40)]
    ),
}
EXACT = {
    "exp": mpmath.exp,
    "log": mpmath.log,
    "cos_pi": lambda x: mpmath.cos(mpmath.pi * x),
    "normal_quantile": lambda p: mpmath.sqrt(2) * mpmath.erfinv(2 * p - 1),
}


@pytest.mark.parametrize("name", MAX_ULP)
def test_errors(name):
    arguments = ARGUMENTS[name]
    arguments = arguments[(arguments > 0) & (arguments < 1)] if name == "normal_quantile" else arguments
    with mpmath.workdps(60):
        for actual, argument in zip(
            getattr(portable_math, name)(arguments).tolist(), arguments.tolist(), strict=True
        ):
            exact = EXACT[name](mpmath.mpf(argument))
            error = abs(mpmath.mpf(actual) - exact) / float(np.spacing(abs(float(exact)) or 1.0))
            assert error <= MAX_ULP[name], (argument, actual)


def test_cosine_is_exact_at_the_ends():
    assert portable_math.cos_pi(np.array([0.0, 0.5, 1.0])).tolist() == [1.0, 0.0, -1.0]


def test_powers():
    exponents = np.array([0, 1, 2, 7, 300])
    np.testing.assert_allclose(integer_power(0.97, exponents), 0.97**exponents, rtol=1e-14)
    np.testing.assert_allclose(power(0.97, exponents / 7), 0.97 ** (exponents / 7), rtol=1e-14)
    assert exponents.tolist() == [0, 1, 2, 7, 300]
