"""Measuring the steps of a network: the ordinary program and the timed one in turn, each in a process of its own."""

import json
import os
import subprocess
import sys
from statistics import median
from typing import Any

from fastmlp.kernels.program.phases import EPOCH, OUTSIDE

from .. import peaks
from ..rivals import ROOT
from ..workloads import Workload

ROUNDS = 7


class StepError(RuntimeError):
    """Why the steps of a network could not be measured."""


class _Process:
    """A worker, in which the program is timed or not."""

    def __init__(self, workload: Workload, threads: int, *, timed: bool):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.step.worker", json.dumps(workload._asdict()), str(threads)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
            env=os.environ | {"FASTMLP_TIMED": "1" if timed else ""},
        )  # fmt: skip

    def read(self) -> dict[str, Any]:
        """The next answer."""
        line = self._process.stdout.readline()
        if not line:
            words = self._process.communicate()[1].strip().splitlines()
            raise StepError(
                words[-1] if words else f"the process ended with status {self._process.returncode}"
            )
        return json.loads(line)

    def ask(self, word: str) -> dict[str, Any]:
        """What it answers to a word."""
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()
        return self.read()

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()


def measure(workload: Workload, threads: int, rounds: int = ROUNDS) -> dict[str, Any]:
    """Where the time of a step goes.

    Parameters
    ----------
    workload : Workload
        A network, its batch and optimizer; an epoch of its samples is a round.
    threads : int
        0: as many as `fit` would begin with.
    rounds : int
        The fastest one counts, as for the peaks: noise only makes a run slower.

    Returns
    -------
    dict
        `title`, `batch`, `threads`, `peaks` (as `peaks.measure`); `rows`, one for each phase of each operation that
        takes time: its `operation` and `phase` (numbers), `name`, `layer`, `shape`, `seconds` of a step for each rank,
        `flops`, `traffic` and `least` seconds; `slowdown`: how many times as long a step takes because it is measured.

    Raises
    ------
    StepError
        If a process fails, or if the timed program does not train the same bits.
    """
    # One after the other: two that compile at the same time would take as long.
    processes = []
    try:
        for timed in (False, True):
            processes.append(_Process(workload, threads, timed=timed))
            description = processes[-1].read()
        plain, timed_program = processes
        runs = [(plain.ask("run"), timed_program.ask("run")) for _ in range(rounds // 2)]
        machine = timed_program.ask("peaks")
        runs += [(plain.ask("run"), timed_program.ask("run")) for _ in range(rounds - rounds // 2)]
        machine = peaks.larger(machine, timed_program.ask("peaks"))
    finally:
        for process in processes:
            process.close()
    if any(ordinary["parameters"] != timed["parameters"] for ordinary, timed in runs):
        raise StepError("the timed program does not train the same bits as the ordinary one")
    return _result(workload, description, runs, machine)


def _result(
    workload: Workload, description: dict, runs: list[tuple[dict, dict]], machine: dict
) -> dict[str, Any]:
    seconds = [timed["seconds"] for _, timed in runs]
    best = runs[seconds.index(min(seconds))][1]
    return {
        "title": workload.title,
        "batch": workload.batch_size,
        "threads": description["threads"],
        "peaks": machine,
        "slowdown": median(timed["seconds"] / ordinary["seconds"] for ordinary, timed in runs),
        "run": {"seconds": best["seconds"], "median": median(seconds), "steps": best["steps"]},
        "rows": _rows(description, best, machine),
    }


def _rows(description: dict, run: dict, machine: dict) -> list[dict[str, Any]]:
    """A row for each phase of each operation that takes time, in the order of a step."""
    amounts = {(place, phase): amount for place, phase, *amount in description["work"]}
    unit = 1 / run["cycles_per_second"] / run["steps"]
    rows = []
    for place, op in enumerate(description["operations"]):
        for phase in range(len(run["cells"][0][place])):
            seconds = [rank[place][phase] * unit for rank in run["cells"]]
            if phase == OUTSIDE or not any(seconds):
                continue
            flops, traffic, footprint = (
                (0.0, 0.0, 0.0) if phase == EPOCH else amounts.get((place, phase), (0.0,) * 3)
            )
            rows.append(
                {"operation": place, "phase": phase, "name": op["name"], "layer": op["layer"],
                 "shape": [op["fan_in"], op["fan_out"]], "seconds": seconds, "flops": flops, "traffic": traffic,
                 "least": peaks.least_seconds(machine, flops, traffic, footprint)}
            )  # fmt: skip
    return rows
