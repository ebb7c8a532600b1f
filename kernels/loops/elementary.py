"""exp, log, tanh, the logistic function, the normal distribution, with the same bits on every machine.

Each is a polynomial on a reduced range in fused operations, for float32 and for float64; the coefficients are
near-minimax fits printed by `docs/coefficients.py`. MAX_ULP states the largest error of the float32 functions over
every float32 (measured exhaustively by `tests/kernels/test_elementary.py`, in units of the last place of the exact
result); the float64 ones are within MAX_ULP_DOUBLE on dense samples. NaN gives NaN, overflow gives infinity, results
below the smallest normal number are denormal numbers.
"""

import math
from typing import NamedTuple

from ..simd import Vec, absolute, fma, polynomial, select, with_sign_of

MAX_ULP = {
    "exp": 1.1, "expm1": 1.65, "log": 0.85, "log1p": 1.25, "tanh": 2.5, "sigmoid": 2.45, "normal_cdf": 6.85,
}  # fmt: skip
COS_ERROR = 1.5  # of `cos_turns`, in units of eps
MAX_ULP_DOUBLE = {
    "exp": 1.05, "expm1": 1.8, "log": 0.8, "log1p": 1.05, "tanh": 2.45, "sigmoid": 2.1, "normal_cdf": 5.7,
}  # fmt: skip


class _Format(NamedTuple):
    """What depends on the floating-point format."""

    mantissa: int  # stored bits
    bias: int  # of the exponent
    low: float  # exp(low) rounds to 0
    high: float  # exp(high) is infinite
    ln2: tuple[float, float]  # two parts; n times the first is exact
    exp_tail: tuple[float, ...]  # (exp(r) - 1 - r) / r^2 for |r| <= ln(2) / 2
    log_tail: tuple[float, ...]  # (log((1 + s) / (1 - s)) - 2 s) / s^3 as a polynomial in s^2
    normal_end: float  # P(X < -normal_end) rounds to 0
    normal_tail: tuple[float, ...]  # (q + 4) e^(q^2 / 2) P(X > q) as a polynomial in (q - 4) / (q + 4)


_SINGLE = _Format(
    23, 127, -105.0, 90.0, (0.693145751953125, 1.4286067653302057e-06),
    (0.5, 0.16666576266288757, 0.04166655242443085, 0.00836323294788599, 0.0013926250394433737),
    (0.6666666865348816, 0.4000012278556824, 0.2855082154273987, 0.2333046793937683),
    15.0,
    (0.7552851438522339, -0.6078965663909912, 0.38713669776916504, -0.18652330338954926, 0.06040618568658829,
     -0.007525402586907148, -0.0035209727939218283, 0.0015668816631659865, 0.00018899652059189975,
     -0.0001255583920283243),
)  # fmt: skip
_DOUBLE = _Format(
    52, 1023, -746.0, 710.0, (0.6931471803691238, 1.9082149292705877e-10),
    (0.5, 0.1666666666666667, 0.04166666666666667, 0.008333333333326084, 0.0013888888888883711,
     0.0001984126987500228, 2.480158732567746e-05, 2.755725517000089e-06, 2.755727347871858e-07,
     2.5105312729622103e-08, 2.09147553258932e-09),
    (0.6666666666666666, 0.4000000000000088, 0.28571428570803614, 0.22222222391713917, 0.18181795640132906,
     0.15386239702814658, 0.13268773138656886, 0.13086626147840102),
    40.0,
    (0.7552851304157515, -0.6078966419718917, 0.38713740074221936, -0.1865218579596934, 0.06039657489067665,
     -0.007540188965625017, -0.0034796923618040597, 0.0016308184424805887, 0.00013334424978358428,
     -0.00023109482414997105, -1.9078434059248706e-06, 3.51442149682578e-05, 7.149308325478401e-07,
     -5.919013186154044e-06, -6.249906995369785e-07, 1.0200713392568465e-06, 2.6354310560684456e-07,
     -1.546196819122192e-07, -7.634712843441086e-08, 1.4842390072751344e-08, 1.3976528155950821e-08,
     -1.015295717649618e-11, -9.990624160023276e-10),
)  # fmt: skip

# sin(2 pi q) = q (s0 + s1 q^2 + ...), its series, which for |q| <= 1/4 is exact to the last bits of float64.
_SINE = tuple((-1) ** k * (2 * math.pi) ** (2 * k + 1) / math.factorial(2 * k + 1) for k in range(12))

_ROOT_TWO_PI = 2.5066282746310002
_LOG2_E = 1.4426950408889634
_SQRT_HALF = 0.7071067811865476


def _format(x: Vec) -> _Format:
    return _DOUBLE if x.is_double else _SINGLE


def _power_of_two(n: Vec, form: _Format) -> Vec:
    """2^n for an integer vector n within the exponents of normal numbers."""
    return ((n + form.bias) << form.mantissa).as_float()


def _reduce(x: Vec) -> tuple[Vec, Vec]:
    """x = n ln 2 + r with |r| <= ln(2) / 2: the integers n, and exp(r) - 1."""
    form = _format(x)
    magic = 1.5 * 2.0**form.mantissa  # adding it rounds to an integer, which is then in the last bits
    shifted = fma(x, _LOG2_E, magic)
    n = shifted - magic
    r = fma(n, -form.ln2[1], fma(n, -form.ln2[0], x))
    power = fma(r * r, polynomial(r, form.exp_tail), r)
    return shifted.as_bits() - shifted.like(magic).as_bits(), power


def exp(x: Vec) -> Vec:
    """e^x."""
    form = _format(x)
    n, power = _reduce(_clamp(x, form.low, form.high))
    half = n.shift_signed(1)  # 2^n in two steps, as n may be outside the exponents of normal numbers
    return (power + 1.0) * _power_of_two(half, form) * _power_of_two(n - half, form)


def _clamp(x: Vec, low: float, high: float) -> Vec:
    """x within [low, high]; NaN stays NaN."""
    return select(x < low, low, select(x > high, high, x))


def expm1(x: Vec) -> Vec:
    """e^x - 1, accurate near 0."""
    form = _format(x)
    n, power = _reduce(_clamp(x, -form.mantissa - 3.0, form.high))
    half = n.shift_signed(1)
    first, second = _power_of_two(half, form), _power_of_two(n - half - 1, form)
    # 2^n (power + 1) - 1, computed as half of it so that 2^n itself does not overflow.
    return fma(first * power, second, fma(first, second, -0.5)) * 2.0


def log(x: Vec) -> Vec:
    """Natural logarithm: -inf at 0, NaN below."""
    form = _format(x)
    smallest = 2.0 ** (1 - form.bias)
    tiny = x < smallest  # a denormal number is scaled up first
    scaled = select(tiny, x * 2.0 ** (form.mantissa + 2), x)
    bits = scaled.as_bits()
    # Take the exponent out, so that the rest is in [sqrt(1/2), sqrt(2)).
    offset = bits - scaled.like(_SQRT_HALF).as_bits()
    n = offset.shift_signed(form.mantissa)
    f = (bits - (n << form.mantissa)).as_float() - 1.0
    exponent = n.to_float(x) - select(tiny, form.mantissa + 2.0, x.like(0.0))
    s = f / (f + 2.0)
    z = s * s
    half_square = f * f * 0.5
    tail = s * fma(z, polynomial(z, form.log_tail), half_square)
    small = fma(exponent, form.ln2[1], tail) - half_square
    result = fma(exponent, form.ln2[0], f + small)
    result = select(x < 0.0, float("nan"), select(x.equals(0.0), float("-inf"), result))
    return select(x.equals(float("inf")), x, select(x.equals(x), result, x))


def log1p(x: Vec) -> Vec:
    """log(1 + x) for x >= 0, accurate near 0."""
    u = x + 1.0
    lost = x - (u - 1.0)  # what the rounding of 1 + x lost
    return select(u.equals(float("inf")), u, log(u) + lost / u)


def tanh(x: Vec) -> Vec:
    """Hyperbolic tangent: t / (t + 2) with t = expm1(2 |x|)."""
    t = expm1(_clamp(absolute(x), 0.0, 20.0) * 2.0)
    return with_sign_of(t / (t + 2.0), x)


def sigmoid(x: Vec) -> Vec:
    """1 / (1 + e^-x), without overflow: e^-|x| is at most 1."""
    t = exp(-absolute(x))
    return select(x < 0.0, t, x.like(1.0)) / (t + 1.0)


def sigmoid_and_slope(x: Vec) -> tuple[Vec, Vec]:
    """The logistic function and its derivative."""
    t = exp(-absolute(x))
    inverse = 1.0 / (t + 1.0)
    return select(x < 0.0, t, t.like(1.0)) * inverse, t * inverse * inverse


def cos_turns(t: Vec) -> Vec:
    """cos(2 pi t) for 0 <= t <= 1, within COS_ERROR of it."""
    q = 0.25 - absolute(t - 0.5)
    return -(q * polynomial(q * q, _SINE))


def normal_tail(x: Vec) -> tuple[Vec, Vec]:
    """P(X > |x|) of the standard normal distribution, and its density at x.

    The tail is e^(-x^2 / 2), corrected for the rounding of the square, times a polynomial of (|x| - 4) / (|x| + 4).
    """
    form = _format(x)
    q = _clamp(absolute(x), 0.0, form.normal_end)
    square = q * q
    rounded, lost = exp(square * -0.5), fma(q, q, -square)
    bell = fma(rounded, lost * -0.5, rounded)
    inverse = 1.0 / (q + 4.0)
    return bell * (polynomial(fma(inverse, -8.0, 1.0), form.normal_tail) * inverse), bell * (
        1.0 / _ROOT_TWO_PI
    )


def normal_cdf(x: Vec) -> Vec:
    """P(X < x) of the standard normal distribution: (1 + erf(x / sqrt 2)) / 2, accurate on both sides of 0."""
    tail, _ = normal_tail(x)
    return select(x < 0.0, tail, 1.0 - tail)
