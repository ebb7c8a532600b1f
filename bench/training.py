"""Whole epochs of training against the NumPy reference and the peers that are installed."""

import importlib.util
import statistics
from collections.abc import Sequence

from .rivals import Rival, race, ratio, table
from .workloads import WORKLOADS, Workload

# Name in the table, package that it needs, what the worker runs.
RIVALS = (
    ("NumPy", "numpy", ("fastmlp", "reference")),
    ("PyTorch eager", "torch", ("pytorch", "eager")),
    ("PyTorch fused", "torch", ("pytorch", "fused")),
    ("PyTorch compile", "torch", ("pytorch", "compile")),
    ("JAX scan", "jax", ("jax",)),
    ("scikit-learn", "sklearn", ("scikit_learn",)),
)


def installed() -> list[str]:
    """The rivals whose packages are there."""
    return [name for name, package, _ in RIVALS if importlib.util.find_spec(package)]


def compare(workload: Workload, rivals: Sequence[str], rounds: int) -> dict[str, list[float]]:
    """Seconds an epoch of fastmlp and of each rival, round by round; all rivals take turns."""
    runners = {"fastmlp": Rival("fastmlp", "peers:fastmlp", workload.name, "kernels")}
    for name, _, (function, *arguments) in RIVALS:
        if name in rivals:
            runners[name] = Rival(name, f"peers:{function}", workload.name, *arguments)
    return race(runners, rounds)


def report(names: Sequence[str], rivals: Sequence[str], rounds: int) -> str:
    """The table of these workloads: how many times faster than each rival, medians over the rounds."""
    lines = []
    for name in names or WORKLOADS:
        workload = WORKLOADS[name]
        times = compare(workload, rivals, rounds)
        ours = times.pop("fastmlp")
        ratios = {rival: ratio(ours, theirs) for rival, theirs in times.items()}
        network = "-".join(map(str, workload.layers))
        speed = workload.samples / statistics.median(ours)
        lines.append(
            [f"{name}: {network}, batch {workload.batch_size}, {workload.optimizer}", f"{speed:,.0f}"]
            + [f"{ratios[rival]:.2f}" for rival in rivals]
        )
        print(
            "; ".join([lines[-1][0], f"{speed:,.0f}/s", *(f"{k} {v:.2f}" for k, v in ratios.items())]),
            flush=True,
        )
    return table(["workload", "samples/s here", *(f"times {rival}" for rival in rivals)], lines)
