"""The twin of the matrix product."""

import numpy as np

from .arenas import matrix


def gemm(C, c0, ldc, A, a0, a_m, a_k, B, b0, ldb, rows, columns, depth):
    """C = A B."""
    left, right = matrix(A, a0, a_m, rows, depth, a_k), matrix(B, b0, ldb, depth, columns)
    np.matmul(left, right, out=matrix(C, c0, ldc, rows, columns))
