"""Kernels against their twins, and against the peaks of the machine."""

import numpy as np
import pytest

from bench import kernel_cases, peaks, shares
from bench.problems import Output, Problem, blank, numbers
from fastmlp.kernels.tables import ACTIVATIONS, LOSSES, OPTIMIZERS

from .figures import kernel_figures, machine


def test_every_row_of_the_kernels_tables_is_timed():
    timed = {(case.kernel, case.row.split()[0]) for case in kernel_cases.CASES}
    for table, kernels in (
        (ACTIVATIONS, ("activation forward", "activation backward")), (LOSSES, ("loss",)), (OPTIMIZERS, ("optimizer",)),
    ):  # fmt: skip
        assert {(kernel, row.name) for kernel in kernels for row in table} <= timed
    names = [str(case) for case in kernel_cases.CASES]
    assert len(set(names)) == len(names)


def doubling(factor):
    """A problem whose kernel multiplies by `factor`, and whose twin doubles."""
    x, y = numbers(3, 5), blank(3, 5)

    def kernel(times, arguments):
        arguments[0].arena[:] = factor * arguments[1].arena

    def twin(y, x):
        np.multiply(x.arena, 2, out=y.arena)

    return Problem(kernel, twin, (y, x), [Output(0, 3, 5)], terms=1, traffic=1, footprint=1)


def test_a_kernel_that_is_wrong_is_not_timed():
    doubling(2).verify()
    with pytest.raises(AssertionError, match="differ by more"):
        doubling(np.float32(2.0001)).verify()


@pytest.mark.parametrize("case", kernel_cases.CASES, ids=str)
def test_every_case_of_a_kernel_is_right(case):
    case.build().verify()


def test_kernel_and_twin_share_no_memory():
    problem = doubling(2)
    for one, other in zip(problem._arguments, problem._copies, strict=True):
        assert not np.shares_memory(one.arena, other.arena)


@pytest.mark.parametrize(
    ("flops", "traffic", "footprint", "seconds"),
    [
        (1000, 0, 0, 10e-9),  # arithmetic
        (1, 2000, 1000, 10e-9),  # through the registers
        (0, 1000, 6000, 50e-9),  # what is beyond the first level
        (0, 1000, 1_100_000, 100e-6),  # from DRAM
    ],
)
def test_the_least_time_is_that_of_the_narrowest_way(flops, traffic, footprint, seconds):
    assert peaks.least_seconds(machine(), flops, traffic, footprint) == pytest.approx(seconds)


def test_the_larger_peak_counts():
    one, other = machine(arithmetic=1e9), machine(arithmetic=2e9)
    one["memory"]["L2"]["read"] = 300e9
    larger = peaks.larger(one, other)
    assert larger["arithmetic"] == 2e9
    assert larger["memory"]["L2"] == one["memory"]["L2"]


def test_a_share_belongs_to_a_kernel_and_its_twin():
    (found,) = shares.shares(kernel_figures(), [machine()])
    assert found.unit == "GFLOP/s"
    assert found.speed == pytest.approx(50)
    assert found.peak == pytest.approx(0.5)
    assert found.ratio == pytest.approx(3)
