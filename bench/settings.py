"""How much of the benchmarks is run; and the figures that they fill."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from .peers import PEERS, Peer
from .workloads import WORKLOADS, Workload

# What was measured, part by part, as it goes into a JSON file. `failures` lists what could not be: where, who, why.
Figures = dict[str, Any]


class Settings(NamedTuple):
    """What the command line asks for."""

    rounds: int = 5
    quick: bool = False
    workloads: Sequence[str] = tuple(WORKLOADS)
    peers: Sequence[str] = tuple(peer.name for peer in PEERS)

    def rivals(self, task: str) -> list[Peer]:
        """The peers that take part in a task."""
        return [peer for peer in PEERS if peer.name in self.peers and task in peer.tasks]

    def shrunk(self, workload: Workload) -> Workload:
        """The workload, with fewer samples where a quick run is asked for."""
        fewer = self.quick and workload.task == "train"
        return workload._replace(samples=workload.samples // 10) if fewer else workload

    def some(self, points: Sequence) -> Sequence:
        """All points of a sweep; every third, and the last, in a quick run."""
        return [*points[:-1:3], points[-1]] if self.quick else points


def note_failures(figures: Figures, where: str, failures: dict[str, str]) -> None:
    """Keep why some could not take part, for the report."""
    figures["failures"] += [[where, who, why] for who, why in failures.items()]
