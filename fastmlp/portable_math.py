"""exp, log, cosine and the quantiles of the normal distribution in float64 NumPy, with the same bits on every machine.

Those of NumPy and of C libraries differ in their last bits from one processor to the next. Here are additions,
multiplications, divisions and square roots only, which IEEE 754 defines to the bit. The largest errors, in units of
the last place, are tested against mpmath.
"""

from functools import lru_cache

import numpy as np

MAX_ULP = {"exp": 1.5, "log": 1.0, "cos_pi": 1.5, "normal_quantile": 6.0}

_LN2 = (0.6931471803691238, 1.9082149292705877e-10)  # two parts; a whole number times the first is exact
# Taylor series of exp(x), |x| <= ln(2) / 2.
_EXP = tuple(1.0 / float(np.prod(np.arange(1.0, n + 1))) for n in range(15))
# Taylor series of log((1 + s) / (1 - s)) / s - 2 in s^2, |s| <= 0.172.
_LOG = tuple(2.0 / (2 * n + 1) for n in range(1, 12))

# Taylor series of cos(pi x) and sin(pi x) / x in x^2, |x| <= 1/4.
_PI_POWERS = np.cumprod([1.0] + [np.pi] * 17)
_COS = tuple((-1.0) ** n * _PI_POWERS[2 * n] / float(np.prod(np.arange(1.0, 2 * n + 1))) for n in range(9))
_SIN = tuple(
    (-1.0) ** n * _PI_POWERS[2 * n + 1] / float(np.prod(np.arange(1.0, 2 * n + 2))) for n in range(9)
)


def _polynomial(x: np.ndarray, coefficients: tuple[float, ...]) -> np.ndarray:
    """c0 + x (c1 + x (c2 + ...))."""
    total = np.full(x.shape, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        total = total * x + coefficient
    return total


_TABLE = 1024  # powers that are computed and kept together


def integer_power(base: float, exponents: np.ndarray) -> np.ndarray:
    """base ** exponents for ascending exponents, by repeated squaring.

    Examples
    --------
    >>> integer_power(0.5, np.array([0, 1, 10])).tolist()
    [1.0, 0.5, 0.0009765625]
    """
    if not exponents.size:
        return np.ones(0)
    first, last = int(exponents[0]) // _TABLE, int(exponents[-1]) // _TABLE
    if first == last:  # the same few powers are asked for again and again: for each epoch and each model
        return _table(base, first)[exponents - first * _TABLE]
    return _by_squaring(base, exponents)


@lru_cache(maxsize=256)
def _table(base: float, number: int) -> np.ndarray:
    """The powers of which the exponents are `_TABLE` numbers in a row."""
    return _by_squaring(base, np.arange(number * _TABLE, (number + 1) * _TABLE))


def _by_squaring(base: float, exponents: np.ndarray) -> np.ndarray:
    power, factors = np.ones(exponents.shape), np.array([1.0, base])
    for bit in range(int(exponents.max(initial=0)).bit_length()):
        power *= factors[exponents >> bit & 1]
        factors[1] *= factors[1]
    return power


def exp(x: np.ndarray) -> np.ndarray:
    """e^x for numbers from -700 to 700.

    Examples
    --------
    >>> exp(np.array([0.0, 1.0])).round(12).tolist()
    [1.0, 2.718281828459]
    """
    n = np.rint(x / (_LN2[0] + _LN2[1]))
    return np.ldexp(_polynomial((x - n * _LN2[0]) - n * _LN2[1], _EXP), n.astype(np.int64))


def log(x: np.ndarray) -> np.ndarray:
    """Natural logarithm of numbers above 0.

    Examples
    --------
    >>> log(np.array([1.0, 2.0])).round(12).tolist()
    [0.0, 0.69314718056]
    """
    mantissa, exponent = np.frexp(x)
    below = mantissa < np.sqrt(0.5)
    mantissa, n = np.where(below, 2 * mantissa, mantissa), exponent - below
    f = mantissa - 1.0
    s = f / (mantissa + 1.0)
    z = s * s
    # log(mantissa) = 2 s + s z (...), and 2 s = f - s f.
    tail = s * (z * _polynomial(z, _LOG) - f)
    return n * _LN2[0] + (f + (tail + n * _LN2[1]))


def power(base: float | np.ndarray, exponents: float | np.ndarray) -> np.ndarray:
    """base ** exponents for bases above 0."""
    return exp(exponents * log(np.asarray(base, np.float64)))


def cos_pi(x: np.ndarray) -> np.ndarray:
    """cos(pi x) for numbers from 0 to 1.

    Examples
    --------
    >>> cos_pi(np.array([0.0, 0.5, 1.0])).tolist()
    [1.0, 0.0, -1.0]
    """
    away = np.where(x > 0.5, 1.0 - x, x)  # from 0 to 1/2; the sign comes back at the end
    from_half = 0.5 - away
    near, far = _polynomial(away * away, _COS), from_half * _polynomial(from_half * from_half, _SIN)
    return np.where(x > 0.5, -1.0, 1.0) * np.where(away < 0.25, near, far)


# Rational approximations of the quantile function (Wichura, 1988, algorithm AS 241, PPND16): around the middle, in
# the tails, and far out.
_MIDDLE = (
    (3.3871328727963666080, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125,
     45921.953931549871457, 67265.770927008700853, 33430.575583588128105, 2509.0809287301226727),
    (1.0, 42.313330701600911252, 687.18700749205790830, 5394.1960214247511077,
     21213.794301586595867, 39307.895800092710610, 28729.085735721942674, 5226.4952788528545610),
)  # fmt: skip
_TAIL = (
    (1.42343711074968357734, 4.63033784615654529590, 5.76949722146069140550, 3.64784832476320460504,
     1.27045825245236838258, 0.241780725177450611770, 0.0227238449892691845833, 7.74545014278341407640e-4),
    (1.0, 2.05319162663775882187, 1.67638483018380384940, 0.689767334985100004550,
     0.148103976427480074590, 0.0151986665636164571966, 5.47593808499534494600e-4, 1.05075007164441684324e-9),
)  # fmt: skip
_FAR = (
    (6.65790464350110377720, 5.46378491116411436990, 1.78482653991729133580, 0.296560571828504891230,
     0.0265321895265761230930, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7),
    (1.0, 0.599832206555887937690, 0.136929880922735805310, 0.0148753612908506148525,
     7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15),
)  # fmt: skip


def _ratio(x: np.ndarray, coefficients: tuple[tuple[float, ...], tuple[float, ...]]) -> np.ndarray:
    above, below = coefficients
    return _polynomial(x, above) / _polynomial(x, below)


def normal_quantile(p: np.ndarray) -> np.ndarray:
    """The number below which a standard normal variable lies with probability p, 0 < p < 1.

    Examples
    --------
    >>> normal_quantile(np.array([0.5, 0.975])).round(6).tolist()
    [0.0, 1.959964]
    """
    q = p - 0.5
    middle = q * _ratio(0.180625 - q * q, _MIDDLE)
    r = np.sqrt(-log(np.where(q < 0, p, 1.0 - p)))
    outer = np.where(r <= 5.0, _ratio(r - 1.6, _TAIL), _ratio(r - 5.0, _FAR))
    return np.where(np.abs(q) <= 0.425, middle, np.where(q < 0, -outer, outer))
