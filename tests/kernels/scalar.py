"""Scalar loops in the documented order: the kernels are bit-equal to them."""

from numba import njit
from numba.extending import intrinsic


@intrinsic
def fma(typing_context, a, b, c):
    """a b + c, rounded once."""

    def codegen(context, builder, signature, numbers):
        return builder.fma(*numbers)

    return a(a, a, a), codegen


@njit
def product(C, A, B):
    """C = A B, each number from +0 over k = 0, 1, 2, ..., one fused multiply-add a term."""
    for m in range(C.shape[0]):
        for n in range(C.shape[1]):
            total = C.dtype.type(0)
            for k in range(B.shape[0]):
                total = fma(A[m, k], B[k, n], total)
            C[m, n] = total


def fold(numbers, combine, start, line):
    """The fold of a row: lane j of a line takes the columns j, j + line, ...; then half folds onto half."""
    partial = [start] * line
    for column, number in enumerate(numbers):
        partial[column % line] = combine(partial[column % line], number)
    while len(partial) > 1:
        middle = len(partial) // 2
        partial = [combine(low, high) for low, high in zip(partial[:middle], partial[middle:], strict=True)]
    return partial[0]
