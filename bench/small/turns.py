"""Functions timed in turn, so that a machine that gets slower slows all of them."""

import time
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any


def in_turn(rivals: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each function in each round, after a round to warm up that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in rivals}
    for number in range(rounds + 1):
        for name, call in rivals.items():
            start = time.perf_counter()
            call()
            if number:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def times_faster(ours: list[float], theirs: list[float]) -> float:
    """The median of the ratios of the rounds."""
    return median(b / a for a, b in zip(ours, theirs, strict=True))


def check(part: dict[str, Any], name: str, goal: str, reached: str, met: bool) -> None:
    """Add a line with a goal to the report."""
    part["checks"].append({"name": name, "goal": goal, "reached": reached, "met": met})


def table(part: dict[str, Any], title: str, head: list[str], rows: list[list[str]]) -> None:
    """Add a table to the report; the first column holds words, the others numbers."""
    part["tables"].append({"title": title, "head": head, "rows": rows})
