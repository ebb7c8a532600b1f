"""Goals that were set before measuring: our speed divided by that of a library's fastest mode, by workload."""

from typing import NamedTuple

from .peers import PEERS
from .rivals import ratio
from .workloads import WORKLOADS

GOALS = {
    "small": {"NumPy": 5, "PyTorch": 5.5, "JAX": 3},
    "medium": {"NumPy": 3.4, "PyTorch": 2.6, "JAX": 2.2},
    "large": {"NumPy": 2.5, "PyTorch": 2, "JAX": 1.5},
    "small-dense": {"NumPy": 3, "PyTorch": 3.5, "JAX": 1.8},
    "medium-dense": {"NumPy": 2, "PyTorch": 1.45, "JAX": 1.25},
    "large-dense": {"NumPy": 1.8, "PyTorch": 1.45, "JAX": 1.1},
    "stochastic": {"NumPy": 30, "PyTorch": 60, "JAX": 5},
    "tiny": {"NumPy": 4, "PyTorch": 20, "JAX": 4},
    "row": {"NumPy": 2.5, "PyTorch": 6, "JAX": 5},
    "row-tiny": {"NumPy": 2.5, "PyTorch": 6, "JAX": 5},
    "rows": {"NumPy": 2, "PyTorch": 2, "JAX": 2},
}


class Best(NamedTuple):
    """A library's fastest mode for a workload."""

    peer: str
    label: str  # the mode
    ratio: float  # how many times faster fastmlp is


class Outcome(NamedTuple):
    """A goal and the result."""

    workload: str
    library: str
    goal: float
    best: Best | None  # None: not measured

    @property
    def met(self) -> bool:
        """Whether the goal is reached."""
        return self.best is not None and self.best.ratio >= self.goal


def best_modes(seconds: dict[str, list[float]]) -> dict[str, Best]:
    """For each library that ran, its fastest mode."""
    found: dict[str, Best] = {}
    ours = seconds.get("fastmlp", [])
    for peer in PEERS:
        if ours and peer.name in seconds:
            mode = Best(peer.name, peer.label, ratio(ours, seconds[peer.name]))
            found[peer.library] = min(mode, found.get(peer.library, mode), key=lambda best: best.ratio)
    return found


def outcomes(race: dict[str, dict[str, dict[str, list[float]]]]) -> list[Outcome]:
    """The goals of all workloads that ran, in order."""
    return [
        Outcome(name, library, goal, best_modes(race[name]["seconds"]).get(library))
        for name in WORKLOADS
        if name in race
        for library, goal in GOALS[name].items()
    ]
