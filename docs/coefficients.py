"""Print the polynomial coefficients of kernels/loops/elementary.py: near-minimax fits by mpmath (pip install mpmath)."""

import math

import mpmath as mp
import numpy as np

mp.mp.dps = 60


def show(name, dtype, coefficients):
    rounded = [float(dtype(float(c))) if dtype is np.float32 else float(c) for c in coefficients]
    print(name, dtype.__name__, "(" + ", ".join(repr(c) for c in rounded) + ")")


def exp_tail(r):
    """(exp(r) - 1 - r) / r^2, by its series near 0."""
    if abs(r) < mp.mpf("1e-3"):
        return mp.nsum(lambda k: r**k / mp.factorial(k + 2), [0, 12])
    return (mp.exp(r) - 1 - r) / r**2


def log_tail(z):
    """(log((1+s)/(1-s)) - 2s) / s as a function of z = s^2, divided by z."""
    if z < mp.mpf("1e-8"):
        return mp.mpf(2) / 3 + 2 * z / 5 + 2 * z**2 / 7
    s = mp.sqrt(z)
    return (mp.log((1 + s) / (1 - s)) - 2 * s) / (s * z)


for dtype, exp_terms, log_terms in ((np.float32, 5, 4), (np.float64, 11, 8)):
    half = mp.log(2) / 2 * mp.mpf("1.001")
    show("EXP_TAIL", dtype, reversed(mp.chebyfit(exp_tail, [-half, half], exp_terms)))
    edge = ((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) ** 2
    show("LOG_TAIL", dtype, reversed(mp.chebyfit(log_tail, [0, edge], log_terms)))
    # ln 2 in two parts: the first with enough trailing zeros that n times it is exact.
    bits = 15 if dtype is np.float32 else 32
    high = math.floor(mp.log(2) * 2**bits) / 2**bits
    show("LN2", dtype, [high, mp.log(2) - mp.mpf(high)])


def normal_tail(u):
    """(q + 4) e^(q^2 / 2) Q(q) for the tail Q of the normal distribution, as a function of u = (q - 4) / (q + 4)."""
    q = 4 * (1 + u) / (1 - u)
    return (q + 4) * mp.exp(q * q / 2) * mp.erfc(q / mp.sqrt(2)) / 2


for dtype, terms, last in ((np.float32, 10, 15), (np.float64, 23, 40)):
    top = mp.mpf(last - 4) / (last + 4)
    show("NORMAL_TAIL", dtype, reversed(mp.chebyfit(normal_tail, [-1, top], terms)))
