"""Each kernel against its NumPy reference: `pytest bench/bench_kernels.py`.

Both are checked against each other first. In a round both run equally often, so their times can be compared. A second
table shows speeds, and shares of this machine's peak.
"""

import time
from functools import lru_cache
from statistics import median

import pytest

from .kernel_cases import CASES
from .problems import Case, Problem
from .rivals import SETTLE_SECONDS

threadpoolctl = pytest.importorskip("threadpoolctl", reason="pip install '.[bench]'")

ROUND_SECONDS, ROUNDS = 0.01, 7
SIDES = ("kernel", "NumPy")


@lru_cache(maxsize=1)
def prepared(case: Case) -> tuple[Problem, int]:
    """The problem, verified, and how often the slower side runs in a round."""
    problem = case.build()
    problem.verify()
    times = 1
    while (seconds := _seconds(problem.twin, times)) < ROUND_SECONDS:
        times = max(times * 2, int(times * ROUND_SECONDS / seconds))
    return problem, times


def _seconds(run, times: int) -> float:
    start = time.perf_counter()
    run(times)
    return time.perf_counter() - start


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_kernel(case, side, benchmark):
    with threadpoolctl.threadpool_limits(case.threads):
        problem, times = prepared(case)
        time.sleep(SETTLE_SECONDS if case.threads > 1 else 0)
        benchmark.group = str(case)
        run = problem.kernel if side == "kernel" else problem.twin
        benchmark.pedantic(run, (times,), rounds=ROUNDS, warmup_rounds=1)
    seconds = median(benchmark.stats.stats.data) / times
    benchmark.extra_info |= {
        "kernel": case.kernel, "row": case.row, "threads": case.threads, "side": side, "seconds": seconds,
        "flops": problem.flops, "traffic": problem.traffic, "footprint": problem.footprint,
    }  # fmt: skip
