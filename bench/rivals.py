"""Rivals: processes of their own that run one workload on demand, so that each can be asked in turn.

A noisy machine is then fair to all: they run one after the other, round after round, and only the ratios of a round
count. Between two runs there is a pause, as the idle threads of a BLAS go on spinning for a while and would take a
core from the next one.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

SETTLE_SECONDS = 0.3


class Rival:
    """A process that runs `function(*arguments)` of this package: each of its values is one measured run."""

    def __init__(self, name: str, target: str, *arguments: str, environment: dict[str, str] | None = None):
        self.name = name
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.worker", target, *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})},
        )  # fmt: skip
        self.run()  # compiles, warms up

    def run(self) -> float:
        """One run; its seconds."""
        time.sleep(SETTLE_SECONDS)
        self._process.stdin.write("run\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name}: the process ended with status {self._process.wait()}")
        return float(line)

    def close(self):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def race(rivals: dict[str, Rival], rounds: int) -> dict[str, list[float]]:
    """Run all in turn, round after round; the seconds of each."""
    times: dict[str, list[float]] = {name: [] for name in rivals}
    try:
        for _ in range(rounds):
            for name, rival in rivals.items():
                times[name].append(rival.run())
    finally:
        for rival in rivals.values():
            rival.close()
    return times


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """How many times faster ours is: the median over the rounds."""
    return statistics.median(b / a for a, b in zip(ours, theirs, strict=True))


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
