"""Shared by the suites: the peaks of this machine, and a table of the shares that kernels reach."""

import pytest

from fastmlp.engine import team

from . import peaks, shares

_PEAKS: dict[int, dict] = {}


@pytest.fixture(scope="session")
def machine():
    """Measure the peaks of one thread and of all, before and after the tests; the larger ones count."""
    counts = {1, min(team.thread_limits().values())}
    _PEAKS.update({threads: peaks.measure(threads) for threads in counts})
    yield
    _PEAKS.update({threads: peaks.larger(_PEAKS[threads], peaks.measure(threads)) for threads in counts})


def pytest_benchmark_update_json(config, benchmarks, output_json):
    output_json["peaks"] = list(_PEAKS.values())


def pytest_terminal_summary(terminalreporter, config):
    session = getattr(config, "_benchmarksession", None)
    if _PEAKS and session is not None:
        figures = [benchmark.extra_info for benchmark in session.benchmarks if benchmark.extra_info]
        terminalreporter.section("shares of the peaks of this machine")
        for line in [*map(peaks.describe, _PEAKS.values()), *shares.lines(figures, list(_PEAKS.values()))]:
            terminalreporter.write_line(line)
