"""Kernels and primitives run inside compiled functions only: this makes a compiled function of one."""

from functools import cache

from numba import njit


@cache
def from_python(kernel):
    """A kernel or a primitive that Python can call."""

    @njit
    def call(*arguments):
        return kernel(*arguments)

    return call
