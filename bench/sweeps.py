"""Speed against the width of a network, the batch size and the number of cores, on synthetic data."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from fastmlp.engine import team

from .peers import NUMPY, OURS
from .rivals import Race
from .settings import Figures, Settings, note_failures
from .workloads import WORKLOADS, Workload, bounded

SECONDS, ROUNDS = 0.2, 3  # of a run, and runs of each
SLOW = ("PyTorch fused", "JAX")  # to prepare a new network: they are measured at fewer points
WIDTHS = (8, 16, 32, 45, 46, 64, 128, 256, 512, 1024, 2048, 4096)
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
NETWORKS = ("small", "medium", "large")  # of the sweep over cores


class Point(NamedTuple):
    """A point of a sweep."""

    at: int
    workload: Workload
    everyone: bool = True  # False: only peers that start fast
    cores: int = 0  # all


def _curve(axis: Sequence[int], workload_at: Callable[[int], Workload]) -> list[Point]:
    """The points of an axis; all peers are measured at the first and every third."""
    return [Point(at, workload_at(at), number == 0 or number % 3 == 2) for number, at in enumerate(axis)]


def width_points() -> list[Point]:
    """Networks with three layers of this width, batch 128."""
    return _curve(WIDTHS, lambda width: bounded(f"width {width}", (width, width, width, 10), 128))


def batch_points() -> list[Point]:
    """The small network with this batch."""
    return _curve(BATCHES, lambda batch: bounded(f"batch {batch}", WORKLOADS["small"].layers, batch))


def core_points(name: str) -> list[Point]:
    """A workload on 1, 2, 4, ... and all cores."""
    cores, known = min(team.thread_limits().values()), WORKLOADS[name]
    counts = sorted({cores, *(2**n for n in range(cores.bit_length()))})
    workload = bounded(f"cores, {name}", known.layers, known.batch_size)
    return [Point(count, workload, cores=count) for count in counts]


def _points(settings: Settings) -> dict[str, list[Point]]:
    """The points of each sweep, by name."""
    sweeps = {"width": settings.some(width_points()), "batch": settings.some(batch_points())}
    return sweeps | {f"cores, {name}": core_points(name) for name in NETWORKS}


def steps(settings: Settings) -> int:
    """Steps of progress: the points."""
    return sum(len(points) for points in _points(settings).values())


def run(settings: Settings, figures: Figures) -> Iterator[str]:
    """Measure all points; processes are reused while the number of cores stays the same."""
    figures["sweeps"] = {}
    rivals = settings.rivals(WORKLOADS["small"])  # those that train in float32
    fast = [OURS, *(peer for peer in rivals if peer == NUMPY)]
    all_peers = [*fast, *(peer for peer in rivals if peer.name in SLOW)]
    for name, points in _points(settings).items():
        curve = figures["sweeps"][name] = []
        for cores, group in groupby(points, key=lambda point: point.cores):
            with Race(all_peers, cores) as race:
                for point in group:
                    race.prepare(
                        point.workload, [peer.name for peer in (all_peers if point.everyone else fast)]
                    )
                    for _ in range(ROUNDS):
                        race.round(calls=10**6, seconds=SECONDS)
                    note_failures(figures, f"{name} {point.at}", race.failures)
                    curve.append(_record(point, race))
                    yield f"{name} {point.at}"


def _record(point: Point, race: Race) -> dict:
    workload = point.workload
    return {
        "at": point.at, "layers": workload.layers, "batch": workload.batch_size, "samples": workload.samples,
        "flops": workload.flops, "seconds": race.series("seconds"), "cpu_seconds": race.series("cpu_seconds"),
    }  # fmt: skip
