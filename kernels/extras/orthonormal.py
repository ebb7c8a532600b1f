"""Orthonormal columns, by sums in one order: for initial weights."""

import math

from ..compiler.jit import entry


@entry
def orthonormalise(A, products):
    """Make the columns of A (rows, columns), at most as many as rows and independent, orthonormal, from the left on.

    Modified Gram-Schmidt: each column is scaled to length 1, then what the later ones have in its direction is taken
    off. All sums over rows k = 0, 1, 2, ...; `products` has room for a number a column. What a round leaves of the
    others' directions is as large as the rounding of ill-conditioned columns, so call it twice.
    """
    rows, columns = A.shape
    for i in range(columns):
        squares = 0.0
        for k in range(rows):
            squares += A[k, i] * A[k, i]
        length = math.sqrt(squares)
        products[i:] = 0.0
        for k in range(rows):
            A[k, i] /= length
            for j in range(i + 1, columns):
                products[j] += A[k, i] * A[k, j]
        for k in range(rows):
            for j in range(i + 1, columns):
                A[k, j] -= A[k, i] * products[j]
