"""How much of the benchmarks runs, and where the figures go."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from .peers import PEERS, Peer
from .workloads import WORKLOADS, Workload

# The results, part by part, as in the JSON file. `failures` lists what failed: where, who, why.
Figures = dict[str, Any]


class Settings(NamedTuple):
    """The options of the command line."""

    rounds: int = 5
    quick: bool = False
    workloads: Sequence[str] = tuple(WORKLOADS)
    peers: Sequence[str] = tuple(peer.name for peer in PEERS)
    against: str | None = None  # the Python of another installation of fastmlp
    networks: Sequence[Workload] = ()  # whose steps are measured; none: those that the part chooses
    threads: int = 0  # of these steps; 0: as many as `fit` would begin with

    def rivals(self, workload: Workload) -> list[Peer]:
        """The peers that take part in a workload."""
        return [
            peer
            for peer in PEERS
            if peer.name in self.peers and workload.task in peer.tasks and workload.dtype in peer.dtypes
        ]

    def shrunk(self, workload: Workload) -> Workload:
        """The workload, with fewer samples in a quick run."""
        fewer = self.quick and workload.task == "train"
        return workload._replace(samples=workload.samples // 10) if fewer else workload

    def some(self, points: Sequence) -> Sequence:
        """The points of a sweep: all, or in a quick run every third and the last."""
        return [*points[:-1:3], points[-1]] if self.quick else points


def note_failures(figures: Figures, where: str, failures: dict[str, str]) -> None:
    """Record failures for the report."""
    figures["failures"] += [[where, who, why] for who, why in failures.items()]
