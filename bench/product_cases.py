"""Matrix products on the shapes of the workloads: forward, backward and weight gradient; and those that skip zeros."""

from collections.abc import Iterator
from functools import partial
from itertools import pairwise

import numpy as np
from numba import njit

from fastmlp.engine import team
from fastmlp.kernels import reference
from fastmlp.kernels.loops.gemm import ANEW, TILE_ROWS, gemm
from fastmlp.kernels.loops.sparse import sparse_forward, sparse_gradient
from fastmlp.kernels.program.threads import barrier, share
from fastmlp.kernels.schema import stride

from .problems import ITEM, SINGLE, Case, Output, Problem, blank, numbers, repeated
from .workloads import WORKLOADS, Workload, images

NETWORKS = ("small", "medium", "large")

# The threads of a team share the rows and meet at a barrier after each product, as in training.
_GRAIN = np.int64(TILE_ROWS)


@njit(nogil=True)
def _shared_products(times, C, ldc, A, a_m, a_k, B, ldb, rows, columns, depth, control, rank, size):
    begin, end = share(rows, _GRAIN, rank, size)
    for _ in range(times):
        gemm(C, begin * ldc, ldc, A, begin * a_m, a_m, a_k, B, 0, ldb, end - begin, columns, depth, ANEW)
        barrier(control, size)


def _product(rows: int, depth: int, columns: int, transposed: bool, threads: int) -> Problem:
    """C = A B; of the weight gradient, A is a transposed matrix."""
    A, lda = numbers(depth, rows) if transposed else numbers(rows, depth)
    B, ldb = numbers(depth, columns, seed=1)
    C, ldc = blank(rows, columns), stride(columns, SINGLE)
    a_m, a_k = (1, lda) if transposed else (lda, 1)

    def run(times, arguments):
        C, _, ldc, A, _, a_m, a_k, B, _, ldb, *sizes, _ = arguments
        team.run(
            lambda control, rank, size: _shared_products(
                times, C, ldc, A, a_m, a_k, B, ldb, *sizes, control, rank, size
            ),
            threads, team.new_control(), amount=0,
        )  # fmt: skip

    size = ITEM * (rows * depth + depth * columns + rows * columns)
    largest = depth * float(np.abs(A).max() * np.abs(B).max())
    return Problem(
        run, reference.gemm.gemm, (C, 0, ldc, A, 0, a_m, a_k, B, 0, ldb, rows, columns, depth, 0),
        [Output(0, rows, columns, ldc, largest)],
        terms=depth, flops=2 * rows * depth * columns, traffic=size, footprint=size,
    )  # fmt: skip


def products() -> Iterator[Case]:
    cores = min(team.thread_limits().values())
    for workload in (WORKLOADS[name] for name in NETWORKS):
        batch = workload.batch_size
        for layer, (inputs, units) in enumerate(pairwise(workload.layers)):
            shapes = {
                "product forward": (batch, inputs + 1, units, False),
                "product backward": (batch, units, inputs, False),
                "product gradient": (inputs + 1, batch, units, True),
            }
            if layer == 0:
                del shapes["product backward"]
            for name, shape in shapes.items():
                for threads in sorted({1, cores}):
                    row = " x ".join(map(str, shape[:3]))
                    yield Case(name, row, partial(_product, *shape, threads), threads)


def _batch_of_images(workload: Workload) -> tuple[np.ndarray, int, int]:
    """A batch with its column of ones, its stride, and its non-zeros."""
    columns = workload.layers[0] + 1
    x, ldx = numbers(workload.batch_size, columns)
    view = reference.arenas.matrix(x, 0, ldx, workload.batch_size, columns)
    view[:, :-1] = images()[0][: workload.batch_size] / np.float32(255)
    view[:, -1] = 1
    return x, ldx, int(np.count_nonzero(view))


def _dense_forward(y, y0, ldy, x, x0, ldx, w, w0, ldw, rows, columns, depth):
    reference.gemm.gemm(y, y0, ldy, x, x0, ldx, 1, w, w0, ldw, rows, columns, depth, 0)


def _dense_gradient(g, g0, ldg, x, x0, ldx, d, d0, ldd, columns, units, rows, before):
    reference.gemm.gemm(g, g0, ldg, x, x0, 1, ldx, d, d0, ldd, columns, units, rows, before)


def _sparse(workload: Workload, gradient: bool) -> Problem:
    rows, inputs, units = workload.batch_size, workload.layers[0] + 1, workload.layers[1]
    x, ldx, filled = _batch_of_images(workload)
    height = rows if gradient else inputs
    other, ld = numbers(height, units, seed=1)
    out = blank(inputs if gradient else rows, units)
    kernel, twin = (sparse_gradient, _dense_gradient) if gradient else (sparse_forward, _dense_forward)
    sizes = (inputs, units, rows, 0) if gradient else (rows, units, inputs)
    size = ITEM * (rows * inputs + inputs * units + rows * units)
    largest = height * float(np.abs(other).max())
    return Problem(
        lambda times, arguments: repeated(kernel, kernel.__name__)(times, arguments), twin,
        (out, 0, ld, x, 0, ldx, other, 0, ld, *sizes), [Output(0, sizes[0], units, ld, largest)],
        terms=height, flops=2 * filled * units, traffic=size, footprint=size,
    )  # fmt: skip


def sparse_products() -> Iterator[Case]:
    for workload in (WORKLOADS[name] for name in NETWORKS):
        shape = f"{workload.batch_size} images, {workload.layers[1]} units"
        yield Case("sparse forward", shape, partial(_sparse, workload, False))
        yield Case("sparse gradient", shape, partial(_sparse, workload, True))
