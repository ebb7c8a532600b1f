"""Whether numbers are finite, and the penalties of weights: what is asked of all parameters after an epoch."""

from ..simd import Int, Rows, Vec, absolute, fma, primitive
from .elementwise import sum_row


@primitive
def zero_if_finite(result: Rows, x: Rows, columns: Int) -> None:
    """The first number of `result` = 0 if all numbers of the first row of x are finite, else NaN."""
    result.start.store_one(sum_row(columns, [x.start], lambda at, value: value * 0.0))


@primitive
def penalty_of_row(result: Rows, w: Rows, columns: Int, l1: Vec, l2: Vec) -> None:
    """The first number of `result` = the sum of l1 |w| + l2 w^2 / 2 along the first row of w."""
    half = l2 * 0.5

    def formula(at, weight):
        return fma(weight * weight, half, absolute(weight) * l1)

    result.start.store_one(sum_row(columns, [w.start], formula))
