"""Small functions that all kernels share: parts of a matrix, counts."""

from .. import simd
from ..compiler.jit import inlined
from ..schema import Matrix


@inlined
def submatrix(matrix, row, column):
    """The matrix from this row and this column on."""
    return Matrix(matrix.arena, matrix.start + row * matrix.stride + column, matrix.stride)


@inlined
def ceil_div(count, size):
    """How many parts of this size hold `count` things: the quotient, rounded up."""
    return (count + size - 1) // size


@inlined
def lanes_of_array(array):
    """Lanes of a vector of the array's numbers."""
    return simd.FLOAT32_LANES * 4 // array.itemsize
