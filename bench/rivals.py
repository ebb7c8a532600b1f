"""Rivals: each peer runs in a process of its own, which runs a workload on demand, so that runs can be interleaved.

A noisy machine is then fair to all: they run one after the other, round after round, and only the ratios of a round
count. Before each run there is a pause, as the idle threads of a BLAS go on spinning for a while and would take a
core from the next one.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from math import inf
from pathlib import Path
from statistics import median

from .peers import Peer
from .workloads import Workload

SETTLE_SECONDS = 0.3
ROOT = Path(__file__).parent.parent


class RivalError(RuntimeError):
    """Why a rival cannot take part."""


class Rival:
    """The process of a peer, started when it is first needed.

    Parameters
    ----------
    peer : Peer
        What runs there.
    cores : int
        How many cores it may use; 0: all.
    """

    def __init__(self, peer: Peer, cores: int = 0):
        self.peer, self.cores = peer, cores
        self._process: subprocess.Popen[str] | None = None

    def prepare(self, workload: Workload) -> None:
        """Prepare the workload and run it once: compile, warm up, check the outputs."""
        if not self.peer.installed:
            raise RivalError(f"{self.peer.package} is not installed")
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bench.worker", self.peer.module, self.peer.mode, str(self.cores)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT,
                start_new_session=True,  # Ctrl-C goes to our process only; `close` ends the whole group
            )  # fmt: skip
        self._ask({"workload": workload._asdict()})

    def run(self, calls: int, seconds: float) -> dict[str, float]:
        """Run it `calls` times or for this many seconds; returns `seconds` and `cpu_seconds` per call."""
        return self._ask({"calls": calls, "seconds": seconds})

    def _ask(self, request: dict) -> dict:
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            status = self._process.wait()
            self.close()
            raise RivalError(f"its process ended with status {status}")
        answer = json.loads(line)
        if "failure" in answer:
            raise RivalError(answer["failure"])
        return answer

    def close(self) -> None:
        """End the process and its children."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.communicate()
            self._process = None


class Race:
    """Rivals that run one after the other.

    Attributes
    ----------
    times : dict
        The answers of each rival for the workload, one per round.
    failures : dict
        Why a rival does not take part in the race for the workload.
    """

    def __init__(self, peers: Iterable[Peer], cores: int = 0, settle: float = SETTLE_SECONDS):
        self._rivals = {peer.name: Rival(peer, cores) for peer in peers}
        self._settle = settle
        self._rounds = 0
        self.times: dict[str, list[dict[str, float]]] = {}
        self.failures: dict[str, str] = {}

    def __enter__(self) -> "Race":
        return self

    def __exit__(self, *_) -> None:
        for rival in self._rivals.values():
            rival.close()

    def prepare(self, workload: Workload, names: Iterable[str] | None = None) -> None:
        """Prepare all rivals, or those with these names."""
        self.times = {name: [] for name in names or self._rivals}
        self.failures = {}
        for name in self.times:
            self._try(name, lambda rival: rival.prepare(workload))

    def round(self, calls: int = 1, seconds: float = inf) -> None:
        """One run of each. Each round starts with another rival, as the first one runs on an idle machine."""
        names = list(self.times)
        first = self._rounds % len(names)
        self._rounds += 1
        for name in names[first:] + names[:first]:
            if name not in self.failures:
                time.sleep(self._settle)
                self._try(
                    name, lambda rival, answers=self.times[name]: answers.append(rival.run(calls, seconds))
                )

    def _try(self, name: str, action) -> None:
        try:
            action(self._rivals[name])
        except RivalError as failure:
            self.failures[name] = str(failure)

    def series(self, what: str) -> dict[str, list[float]]:
        """`seconds` or `cpu_seconds` of each rival, one per finished round."""
        return {name: [answer[what] for answer in answers] for name, answers in self.times.items() if answers}


def in_turn(
    peer: Peer, workloads: Sequence[Workload], rounds: int, seconds: float
) -> Iterator[dict[str, list[dict[str, float]]]]:
    """One process that alternates between several workloads; the answers so far by workload."""
    rival = Rival(peer)
    answers: dict[str, list[dict[str, float]]] = {workload.name: [] for workload in workloads}
    try:
        for _ in range(rounds):
            for workload in workloads:
                rival.prepare(workload)
                answers[workload.name].append(rival.run(calls=10**6, seconds=seconds))
            yield answers
    finally:
        rival.close()


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Our speed divided by theirs: the median over the rounds that both finished."""
    return median(b / a for a, b in zip(ours, theirs, strict=False))
