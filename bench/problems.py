"""One kernel and its NumPy reference on the same numbers, made by `kernel_cases.py`, timed by `bench_kernels.py`."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from fastmlp.engine.buffers import aligned_zeros
from fastmlp.kernels import reference
from fastmlp.kernels.schema import Matrix, stride
from tests.tolerance import assert_close

SINGLE = np.dtype(np.float32)
ITEM = SINGLE.itemsize


class Output(NamedTuple):
    """A matrix that the kernel writes: which argument, its shape, and the size of its terms."""

    argument: int
    rows: int
    columns: int
    scale: float | None = None  # of `assert_close`


@lru_cache
def repeated(kernel: Callable, name: str) -> Callable:
    """The kernel many times in one call from Python."""

    def loop(times, arguments):
        for _ in range(times):
            kernel(*arguments)

    loop.__qualname__ = f"repeated.{name}"
    return njit(nogil=True)(loop)


class Problem:
    """A kernel and its reference, each with its own arguments.

    Parameters
    ----------
    run : callable
        `run(times, arguments)` runs the kernel.
    twin : callable
        `twin(*arguments)` does the same once, in NumPy.
    arguments : sequence
        Of the kernel; the reference gets copies of the arrays.
    outputs : sequence of Output
        What is compared.
    terms : int
        Of `assert_close`.
    traffic, footprint : float
        Bytes that are read and written, and bytes of the memory that holds them.
    flops : float
        Operations, two per multiply-add; 0 for kernels that are bound by memory.
    """

    def __init__(
        self, run: Callable, twin: Callable, arguments: Sequence, outputs: Sequence[Output], *,
        terms: int, traffic: float, footprint: float, flops: float = 0.0,
    ):  # fmt: skip
        self._run, self._twin, self._outputs, self._terms = run, twin, outputs, terms
        self._arguments, self._copies = tuple(arguments), _copied(tuple(arguments), {})
        self.traffic, self.footprint, self.flops = traffic, footprint, flops

    def kernel(self, times: int) -> None:
        """Run the kernel."""
        self._run(times, self._arguments)

    def twin(self, times: int) -> None:
        """Run the reference."""
        for _ in range(times):
            self._twin(*self._copies)

    def verify(self) -> None:
        """Run both once; an AssertionError if they do not give the same within rounding."""
        self.kernel(1)
        self.twin(1)
        for output in self._outputs:
            actual, expected = (
                reference.arenas.view(given[output.argument], output.rows, output.columns)
                for given in (self._arguments, self._copies)
            )
            scale = None if output.scale is None else np.full(expected.shape, output.scale)
            assert_close(actual, expected, terms=self._terms, scale=scale)


def _copied(value: Any, copies: dict[int, np.ndarray]) -> Any:
    """The arguments with new, aligned arrays; an array that occurs twice is copied once."""
    if isinstance(value, tuple):
        parts = [_copied(part, copies) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    if not isinstance(value, np.ndarray):
        return value
    if id(value) not in copies:
        copies[id(value)] = aligned_zeros(value.size, value.dtype)
        copies[id(value)][...] = value
    return copies[id(value)]


def numbers(rows: int, columns: int, seed: int = 0) -> Matrix:
    """A matrix of random numbers in an arena of its own, zero in its padding."""
    matrix, random = blank(rows, columns), np.random.default_rng(seed)
    reference.arenas.view(matrix, rows, columns)[...] = random.standard_normal((rows, columns), np.float32)
    return matrix


def blank(rows: int, columns: int) -> Matrix:
    """A matrix of zeros in an arena of its own."""
    ld = stride(columns, SINGLE)
    return Matrix(aligned_zeros(rows * ld, SINGLE), 0, ld)


class Case(NamedTuple):
    """A kernel on one shape, or in one row of its table."""

    kernel: str
    row: str
    build: Callable[[], Problem]
    threads: int = 1

    def __str__(self) -> str:
        return f"{self.kernel}, {self.row}" + (f", {self.threads} threads" if self.threads > 1 else "")
