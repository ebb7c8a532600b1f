"""The twin of the matrix product."""

import numpy as np

from .arenas import matrix


def gemm(C, c0, ldc, A, a0, a_m, a_k, B, b0, ldb, rows, columns, depth, before):
    """C = A B; where C holds terms `before` these, C += A B."""
    left, right = matrix(A, a0, a_m, rows, depth, a_k), matrix(B, b0, ldb, depth, columns)
    product = matrix(C, c0, ldc, rows, columns)
    if before:
        product += left @ right
    else:
        np.matmul(left, right, out=product)
