"""The matrix product alone: our tile against the BLAS of NumPy, on the shapes of the training workloads."""

import statistics
import time
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from .rivals import Rival, race, ratio, table
from .workloads import WORKLOADS


def shapes() -> list[tuple[str, int, int, int]]:
    """Name, rows, depth and columns of every product of a step with more than ten columns.

    Forward X W of a batch; weight gradient X' D.
    """
    found = []
    for name in ("small", "medium", "large"):
        workload = WORKLOADS[name]
        for inputs, units in pairwise(workload.layers[:-1]):
            found.append((f"{name} forward", workload.batch_size, inputs, units))
            found.append((f"{name} gradient", inputs, workload.batch_size, units))
    return found


FLOPS_PER_RUN = 6e9


def _repetitions(rows: int, depth: int, columns: int) -> int:
    return max(1, int(FLOPS_PER_RUN / (2 * rows * depth * columns)))


def ours(rows: str, depth: str, columns: str, transposed: str, threads: str) -> Iterator[float]:
    """Seconds a product, by the kernels; the threads share the rows and meet at a barrier after each product."""
    from numba import njit

    from fastmlp import team
    from fastmlp.arenas import aligned_zeros
    from fastmlp.kernels.gemm import TILE_ROWS, gemm
    from fastmlp.kernels.schema import stride
    from fastmlp.kernels.threads import barrier, share

    grain = np.int64(TILE_ROWS)

    @njit(nogil=True)
    def run(C, ldc, A, a_m, a_k, B, ldb, rows, columns, depth, times, control, rank, size):
        begin, end = share(rows, grain, rank, size)
        for _ in range(times):
            gemm(C, begin * ldc, ldc, A, begin * a_m, a_m, a_k, B, 0, ldb, end - begin, columns, depth)
            barrier(control, size)

    m, k, n, crosswise, size = int(rows), int(depth), int(columns), int(transposed), int(threads)
    single, random = np.dtype(np.float32), np.random.default_rng(0)
    ldc, ldb = stride(n, single), stride(n, single)
    lda = stride(m if crosswise else k, single)
    A, B, C = (aligned_zeros(length, single) for length in (lda * (k if crosswise else m), ldb * k, ldc * m))
    A[:] = random.standard_normal(A.size)
    B.reshape(k, ldb)[:, :n] = random.standard_normal((k, n))
    a_m, a_k = (1, lda) if crosswise else (lda, 1)
    times = _repetitions(m, k, n)
    while True:
        start = time.perf_counter()
        team.run(
            lambda control, rank, size: run(
                C, ldc, A, a_m, a_k, B, ldb, m, n, k, times, control, rank, size
            ),
            size, team.new_control(), amount=int(FLOPS_PER_RUN),
        )  # fmt: skip
        yield (time.perf_counter() - start) / times


def blas(rows: str, depth: str, columns: str, transposed: str, threads: str) -> Iterator[float]:
    """Seconds a product, by NumPy."""
    m, k, n = int(rows), int(depth), int(columns)
    random = np.random.default_rng(0)
    A = random.standard_normal((k, m) if int(transposed) else (m, k)).astype(np.float32)
    A = A.T if int(transposed) else A
    B, C = random.standard_normal((k, n)).astype(np.float32), np.empty((m, n), np.float32)
    times = _repetitions(m, k, n)
    while True:
        start = time.perf_counter()
        for _ in range(times):
            np.matmul(A, B, out=C)
        yield (time.perf_counter() - start) / times


def compare(rounds: int) -> str:
    """The table of all shapes, on one and on two threads."""
    lines = []
    for name, rows, depth, columns in shapes():
        line = [name, f"{rows} x {depth} x {columns}"]
        for threads in ("1", "2"):
            arguments = [str(n) for n in (rows, depth, columns, int("gradient" in name))] + [threads]
            limits = dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"), threads)
            times = race(
                {
                    "ours": Rival("fastmlp", "products:ours", *arguments),
                    "BLAS": Rival("BLAS", "products:blas", *arguments, environment=limits),
                },
                rounds,
            )
            speed = 2e-9 * rows * depth * columns / statistics.median(times["ours"])
            line += [f"{ratio(times['ours'], times['BLAS']):.2f}", f"{speed:.0f}"]
        lines.append(line)
        print("; ".join(line), flush=True)
    return table(
        ["product", "shape", "times BLAS, 1 thread", "GFLOP/s here", "2 threads", "GFLOP/s here"], lines
    )
