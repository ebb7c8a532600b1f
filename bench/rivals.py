"""Rivals: processes of their own that run a workload on demand, so that each can be asked in turn.

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
    """The process of a peer, which is started when it is needed.

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
        """Make the workload ready and run it once: compiles, warms up, checks what it puts out."""
        if not self.peer.installed:
            raise RivalError(f"{self.peer.package} is not installed")
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bench.worker", self.peer.module, self.peer.mode, str(self.cores)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT,
                start_new_session=True,  # Ctrl-C is for this process; and `close` ends what it has started itself
            )  # fmt: skip
        self._ask({"workload": workload._asdict()})

    def run(self, calls: int, seconds: float) -> dict[str, float]:
        """Run it so many times, or until the seconds are over: `seconds` and `cpu_seconds` of a call."""
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
        """End the process and all that it has started."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.communicate()
            self._process = None


class Race:
    """Rivals that take turns.

    Attributes
    ----------
    times : dict
        Of each rival by name, its answers so far for the workload, a round each.
    failures : dict
        Why a rival is not, or no longer, in the race for the workload.
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
        """Make all ready, or those of these names."""
        self.times = {name: [] for name in names or self._rivals}
        self.failures = {}
        for name in self.times:
            self._try(name, lambda rival: rival.prepare(workload))

    def round(self, calls: int = 1, seconds: float = inf) -> None:
        """One run of each; the next round begins with the next one, as the first finds the machine at rest."""
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
        """`seconds` or `cpu_seconds` of each rival that has finished a round, round by round."""
        return {name: [answer[what] for answer in answers] for name, answers in self.times.items() if answers}


def in_turn(
    peer: Peer, workloads: Sequence[Workload], rounds: int, seconds: float
) -> Iterator[dict[str, list[dict[str, float]]]]:
    """One process that runs several workloads in turn; the answers so far by the name of the workload."""
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
    """How many times faster ours is: the median over the rounds that both have run."""
    return median(b / a for a, b in zip(ours, theirs, strict=False))
