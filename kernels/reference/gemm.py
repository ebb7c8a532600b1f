"""The NumPy reference of the matrix product."""

import numpy as np

from .arenas import matrix, view


def gemm(C, A, B, rows, columns, depth, accumulate):
    """C = A B, or C += A B if `accumulate`."""
    left = matrix(A.arena, A.start, A.row_step, rows, depth, A.column_step)
    right, product = view(B, depth, columns), view(C, rows, columns)
    if accumulate:
        product += left @ right
    else:
        np.matmul(left, right, out=product)
