"""The one tolerance: how far two roundings of the same mathematics may lie apart."""

import numpy as np


def assert_close(actual, expected, *, terms, scale=None):
    """Fail unless `actual` and `expected` can be two roundings of the same sums.

    A sum of n terms, computed in any order with a relative error of u = eps / 2 an operation, is off by at
    most gamma_n S with gamma_n = n u / (1 - n u), S the sum of the absolute values of the terms (Higham,
    Accuracy and Stability of Numerical Algorithms, 2002, section 4.2). Two such sums lie at most twice that
    apart.

    Parameters
    ----------
    actual, expected : array_like
        Of the same floating-point type, which gives eps.
    terms : int
        Roundings on the longest path from the inputs to a number: the terms of its sum, and those of the sums
        that its terms come from. A function that is right to k units of the last place counts 2 k.
    scale : array_like, optional
        S; by default |expected|, which is right where nothing cancels.
    """
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape, f"shapes {actual.shape} and {expected.shape}"
    assert actual.dtype == expected.dtype, f"types {actual.dtype} and {expected.dtype}"
    limits = np.finfo(actual.dtype)
    roundoff = terms * float(limits.eps) / 2
    assert roundoff < 0.5, f"{terms} terms: no bound for {actual.dtype}"
    scale = np.abs(expected) if scale is None else np.asarray(scale)
    bound = 2 * roundoff / (1 - roundoff) * scale.astype(np.float64) + float(limits.tiny)
    difference = np.abs(actual.astype(np.float64) - expected.astype(np.float64))
    same = (actual == expected) | (np.isnan(actual) & np.isnan(expected))
    # Written so that a NaN on one side only fails.
    wrong = ~(same | (difference <= bound))
    if wrong.any():
        excess = np.where(wrong, difference / bound, 0)
        worst = np.unravel_index(np.argmax(excess), excess.shape)
        raise AssertionError(
            f"{wrong.sum()} of {wrong.size} numbers differ by more than {terms} terms allow: at {worst}: "
            f"{actual[worst]!r} and {expected[worst]!r}, {excess[worst]:.3g} times the bound"
        )
