"""Kernels run inside of compiled functions only: here is one that does nothing else."""

from functools import cache

from numba import njit


@cache
def from_python(kernel):
    """A kernel that Python can call."""

    @njit
    def call(*arguments):
        return kernel(*arguments)

    return call
