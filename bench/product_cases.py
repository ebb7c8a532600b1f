"""Matrix products on the shapes of the workloads: forward, backward and weight gradient; and those that skip zeros."""

from collections.abc import Iterator
from functools import partial
from itertools import pairwise

import numpy as np

from fastmlp.engine import team
from fastmlp.engine.buffers import aligned_zeros
from fastmlp.engine.processor import gradient_prefetch, weights_prefetch
from fastmlp.kernels import reference, schema, simd
from fastmlp.kernels.compiler.jit import uncached
from fastmlp.kernels.loops.gemm import OVERWRITE, TILE_ROWS, gemm
from fastmlp.kernels.loops.pair_product import pair_product
from fastmlp.kernels.loops.sparse import sparse_forward, sparse_gradient
from fastmlp.kernels.loops.tile_product import tile_product
from fastmlp.kernels.program.threads import Member, barrier, share
from fastmlp.kernels.schema import Matrix, Strided

from .problems import ITEM, SINGLE, Case, Output, Problem, blank, numbers, repeated
from .workloads import WORKLOADS, Workload, as_floats, images

NETWORKS = ("small", "medium", "large")

# The ranks of a team share the rows and wait at a barrier after each product, as in training.
_GRAIN = np.int64(TILE_ROWS)


@uncached
def _shared_products(times, C, A, B, rows, columns, depth, prefetch, control, rank, size):
    begin, end = share(rows, _GRAIN, rank, size)
    target = Matrix(C.arena, begin * C.stride, C.stride)
    left = Strided(A.arena, begin * A.row_step, A.row_step, A.column_step)
    for _ in range(times):
        gemm(target, left, B, end - begin, columns, depth, OVERWRITE, prefetch)
        barrier(Member(control, rank, size))


def _product(rows: int, depth: int, columns: int, transposed: bool, threads: int) -> Problem:
    """C = A B; of the weight gradient, A is a transposed matrix."""
    matrix = numbers(depth, rows) if transposed else numbers(rows, depth)
    steps = (1, matrix.stride) if transposed else (matrix.stride, 1)
    A, B, C = Strided(matrix.arena, 0, *steps), numbers(depth, columns, seed=1), blank(rows, columns)

    prefetch = (
        gradient_prefetch(ITEM * depth * B.stride)
        if transposed
        else weights_prefetch(ITEM * depth * B.stride)
    )

    def run(times, arguments):
        *matrices_and_sizes, _ = arguments
        team.run(
            lambda control, rank, size: _shared_products(times, *matrices_and_sizes, prefetch, control, rank, size),
            threads, team.new_control(), amount=0,
        )  # fmt: skip

    size = ITEM * (rows * depth + depth * columns + rows * columns)
    largest = depth * float(np.abs(A.arena).max() * np.abs(B.arena).max())
    return Problem(
        run, reference.gemm.gemm, (C, A, B, rows, columns, depth, False),
        [Output(0, rows, columns, largest)],
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


def _pair_product(rows: int, depth: int, columns: int) -> Problem:
    """The product of mixed precision, on the matrix unit if it is used; its twin is NumPy's product in float32."""
    groups, step = _groups_of(depth), _groups_of(depth) * schema.GROUP // 2 * schema.PANEL_COLUMNS
    x, w = numbers(rows, depth), numbers(depth, columns, seed=1)
    A = blank(rows, groups * schema.GROUP // 2)
    B = schema.Panels(aligned_zeros(-(-columns // schema.PANEL_COLUMNS) * step, SINGLE), 0, step)
    reference.pairs.column_pairs(A, x, rows, depth)
    reference.pairs.row_pairs_in_panels(B, w, depth, columns, groups * schema.GROUP)
    bias = numbers(1, columns, seed=2)._replace(stride=0)
    rounded = [reference.pairs.float32(reference.pairs.bfloat16(reference.arenas.view(each, *shape)))
               for each, shape in ((x, (rows, depth)), (w, (depth, columns)))]  # fmt: skip

    def twin(C, first, *_):
        np.matmul(*rounded, out=reference.arenas.view(C, rows, columns))
        reference.arenas.view(C, rows, columns)[:] += reference.arenas.view(first, rows, columns)

    kernel = tile_product if simd.matrix_unit().used else pair_product
    size = ITEM * (rows * depth // 2 + depth * columns // 2 + rows * columns)
    largest = depth * float(np.abs(rounded[0]).max() * np.abs(rounded[1]).max())
    return Problem(
        repeated(kernel, "pair_product"), twin, (blank(rows, columns), bias, A, B, rows, columns, groups),
        [Output(0, rows, columns, largest)],
        terms=depth, flops=2 * rows * depth * columns, traffic=size, footprint=size,
    )  # fmt: skip


def _groups_of(terms: int) -> int:
    """Groups of terms that hold these."""
    return -(-terms // int(schema.GROUP))


def pair_products() -> Iterator[Case]:
    for workload in (WORKLOADS[name] for name in NETWORKS):
        for inputs, units in pairwise(workload.layers):
            shape = workload.batch_size, inputs, units
            yield Case("product of pairs", " x ".join(map(str, shape)), partial(_pair_product, *shape))


def _batch_of_images(workload: Workload) -> tuple[Matrix, int]:
    """A batch with its column of ones, and the number of its non-zeros."""
    columns = workload.layers[0] + 1
    x = numbers(workload.batch_size, columns)
    view = reference.arenas.view(x, workload.batch_size, columns)
    view[:, :-1] = as_floats(images()[0][: workload.batch_size])
    view[:, -1] = 1
    return x, int(np.count_nonzero(view))


def _dense_forward(y, x, w, rows, columns, depth):
    reference.gemm.gemm(y, Strided(x.arena, x.start, x.stride, 1), w, rows, columns, depth, False)


def _dense_gradient(g, x, d, columns, units, rows, accumulate):
    reference.gemm.gemm(g, Strided(x.arena, x.start, 1, x.stride), d, columns, units, rows, accumulate)


def _sparse(workload: Workload, gradient: bool) -> Problem:
    rows, inputs, units = workload.batch_size, workload.layers[0] + 1, workload.layers[1]
    x, filled = _batch_of_images(workload)
    height = rows if gradient else inputs
    other = numbers(height, units, seed=1)
    out = blank(inputs if gradient else rows, units)
    kernel, twin = (sparse_gradient, _dense_gradient) if gradient else (sparse_forward, _dense_forward)
    sizes = (inputs, units, rows, False) if gradient else (rows, units, inputs)
    size = ITEM * (rows * inputs + inputs * units + rows * units)
    largest = height * float(np.abs(other.arena).max())
    return Problem(
        lambda times, arguments: repeated(kernel, kernel.__name__)(times, arguments), twin,
        (out, x, other, *sizes), [Output(0, sizes[0], units, largest)],
        terms=height, flops=2 * filled * units, traffic=size, footprint=size,
    )  # fmt: skip


def sparse_products() -> Iterator[Case]:
    for workload in (WORKLOADS[name] for name in NETWORKS):
        shape = f"{workload.batch_size} images, {workload.layers[1]} units"
        yield Case("sparse forward", shape, partial(_sparse, workload, False))
        yield Case("sparse gradient", shape, partial(_sparse, workload, True))
