"""Speed against the width of a network, the batch and the cores, on synthetic data; a fraction of a second a point."""

from collections.abc import Iterator
from typing import NamedTuple

from fastmlp import team

from .peers import NUMPY, OURS, PEERS, Peer
from .rivals import Race
from .settings import Figures, Settings, note_failures
from .workloads import WORKLOADS, Workload, bounded

SECONDS, ROUNDS = 0.2, 3  # of a run, and runs of each
EVERY_POINT = (OURS.name, NUMPY.name)
SOME_POINTS = ("PyTorch fused", "JAX")  # they start slowly: at every third point
WIDTHS = (8, 16, 32, 45, 46, 64, 128, 256, 512, 1024, 2048, 4096)
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
NETWORKS = ("small", "medium", "large")  # of the sweep over cores


class Point(NamedTuple):
    """A place on the axis of a sweep."""

    at: int
    workload: Workload
    cores: int = 0  # all


def width_points() -> list[Point]:
    """Networks with three layers of this width, batch 128."""
    return [Point(width, bounded(f"width {width}", (width, width, width, 10), 128)) for width in WIDTHS]


def batch_points() -> list[Point]:
    """The small network with this batch."""
    layers = WORKLOADS["small"].layers
    return [Point(batch, bounded(f"batch {batch}", layers, batch)) for batch in BATCHES]


def core_points(name: str) -> list[Point]:
    """A workload on 1, 2, 4, ... and on all cores that there are."""
    cores, known = min(team.thread_limits().values()), WORKLOADS[name]
    counts = sorted({cores, *(2**n for n in range(cores.bit_length()) if 2**n <= cores)})
    workload = bounded(f"cores, {name}", known.layers, known.batch_size)
    return [Point(count, workload, count) for count in counts]


def _points(settings: Settings) -> dict[str, list[Point]]:
    """Of each sweep by its name."""
    sweeps = {"width": settings.some(width_points()), "batch": settings.some(batch_points())}
    return sweeps | {f"cores, {name}": core_points(name) for name in NETWORKS}


def _peers(settings: Settings, number: int) -> list[Peer]:
    """Who takes part at a point."""
    names = EVERY_POINT + (SOME_POINTS if number % 3 == 0 or settings.quick else ())
    return [OURS, *(peer for peer in PEERS if peer.name in names and peer.name in settings.peers)]


def steps(settings: Settings) -> int:
    """Of progress: the points."""
    return sum(len(points) for points in _points(settings).values())


def run(settings: Settings, figures: Figures) -> Iterator[str]:
    """Measure all points; the rivals' processes are kept from point to point as long as they have the same cores."""
    figures["sweeps"] = {}
    for name, points in _points(settings).items():
        curve = figures["sweeps"][name] = []
        cores = name.startswith("cores")
        for many in [[(i, point)] for i, point in enumerate(points)] if cores else [list(enumerate(points))]:
            with Race(_peers(settings, 0), many[0][1].cores) as race:
                for number, point in many:
                    race.prepare(point.workload, [p.name for p in _peers(settings, 0 if cores else number)])
                    for _ in range(ROUNDS):
                        race.round(calls=10**6, seconds=SECONDS)
                    note_failures(figures, point.workload.name, race.failures)
                    curve.append(_record(point, race))
                    yield f"{name} {point.at}"


def _record(point: Point, race: Race) -> dict:
    workload = point.workload
    return {
        "at": point.at, "layers": workload.layers, "batch": workload.batch_size, "samples": workload.samples,
        "flops": workload.flops, "seconds": race.series("seconds"), "cpu_seconds": race.series("cpu_seconds"),
    }  # fmt: skip
