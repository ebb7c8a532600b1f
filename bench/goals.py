"""Goals that were set before measuring: our speed divided by that of a library's fastest mode, by workload."""

from typing import NamedTuple

from .peers import PEERS
from .rivals import ratio
from .workloads import WORKLOADS

GOALS = {
    "small": {"NumPy": 5, "PyTorch": 5.5, "JAX": 3},
    "medium": {"NumPy": 3.4, "PyTorch": 2.6, "JAX": 2.2},
    "large": {"NumPy": 2.5, "PyTorch": 2, "JAX": 1.5},
    "small-dense": {"NumPy": 3, "PyTorch": 3, "JAX": 1.8},
    "medium-dense": {"NumPy": 2, "PyTorch": 1.45, "JAX": 1.25},
    "large-dense": {"NumPy": 1.8, "PyTorch": 1.5, "JAX": 1.5},
    "huge": {"PyTorch": 1.2, "JAX": 1.2},
    "medium-bf16": {},
    "large-bf16": {},
    "huge-bf16": {},
    "forecast": {},
    "stochastic": {"NumPy": 30, "PyTorch": 60, "JAX": 5},
    "tiny": {"NumPy": 4, "PyTorch": 20, "JAX": 4},
    "row": {"NumPy": 2.5, "PyTorch": 6, "JAX": 5},
    "row-tiny": {"NumPy": 2.5, "PyTorch": 6, "JAX": 5},
    "rows": {"NumPy": 2, "PyTorch": 2, "JAX": 2},
}
# More goals where the processor multiplies bfloat16 matrices (AMX), and where it does not.
WITH_AMX = {
    "medium-bf16": {"PyTorch": 4, "fastmlp float32": 2.5},
    "large-bf16": {"PyTorch": 2, "fastmlp float32": 4},
    "huge-bf16": {"PyTorch": 1.6, "fastmlp float32": 5},
}
WITHOUT_AMX = {name: {"fastmlp float32": 0.6} for name in WITH_AMX}


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
    missing: str = ""  # what this machine lacks, if the goal does not apply to it

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


def goals_of(name: str, *, amx: bool) -> dict[str, float]:
    """The goals of a workload on a machine, by library."""
    return GOALS[name] | (WITH_AMX if amx else WITHOUT_AMX).get(name, {})


def outcomes(race: dict[str, dict]) -> list[Outcome]:
    """The goals of all workloads that ran, in order; behind those of a workload, the ones that do not apply."""
    found = []
    for name in (name for name in WORKLOADS if name in race):
        best, amx = best_modes(race[name]["seconds"]), race[name]["amx"]
        found += [
            Outcome(name, library, goal, best.get(library))
            for library, goal in goals_of(name, amx=amx).items()
        ]
        if not amx:
            found += [
                Outcome(name, library, goal, None, "AMX") for library, goal in WITH_AMX.get(name, {}).items()
            ]
    return found
