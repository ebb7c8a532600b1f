"""Checks of fastmlp alone: speed, memory and linear growth, each a line of the report with a goal.

The race compares with other libraries.
"""

from collections.abc import Iterator
from itertools import pairwise
from statistics import median

from . import memory, peaks
from .peers import ONE_THREAD, OURS
from .rivals import Race, RivalError, in_turn, ratio
from .settings import Figures, Settings
from .workloads import WORKLOADS, Workload, bounded

SECONDS = 0.2  # of a run
STEADY_SECONDS = 1.0  # of a run that is compared with the machine's peak
WIDTHS, BATCHES = (8, 16, 32, 64, 128, 256, 512, 1024), (1, 4, 16, 64, 256, 1024)
GRID_SECONDS = 0.15  # of a run at one point of the grid: several times a segment of the thread tuner
NOISE = 0.15  # if one thread differs this much from itself, the machine is too noisy to tell
MORE_THAN_LINEAR = 1.1
LEAST_OF_PEAK = 0.8
MEMORY_NETWORKS = ("medium", "large")


def _widths(width: int) -> tuple[int, ...]:
    return (width, width, width, 10)


def _note(figures: Figures, name: str, goal: str, reached: str, met: bool) -> None:
    figures["checks"].append({"name": name, "goal": goal, "reached": reached, "met": met})


def _width_steps(settings: Settings, figures: Figures) -> Iterator[str]:
    """Processor time does not jump between 45, 46 and 64 units."""
    workloads = [
        bounded(f"{width} units", (10, width, width, 10), 128, classes=False) for width in (45, 46, 64)
    ]
    answers = {}
    for answers in in_turn(OURS, workloads, settings.rounds, SECONDS):  # noqa: B007
        yield "width 45, 46, 64"
    cost = {w.name: [a["cpu_seconds"] / w.samples for a in answers[w.name]] for w in workloads}
    steps = {f"{a} to {b}": ratio(cost[a], cost[b]) for a, b in pairwise(cost)}
    _note(
        figures, "processor time a sample of the tiny network, 45 to 46 to 64 units", "no step above 1.5x",
        ", ".join(f"{step} {cost:.2f}x" for step, cost in steps.items()), max(steps.values()) <= 1.5,
    )  # fmt: skip


def _linear(
    settings: Settings, figures: Figures, name: str, workloads: list[Workload], work
) -> Iterator[str]:
    """Ten times the work of a step takes at most eleven times as long."""
    answers = {}
    for answers in in_turn(OURS, workloads, settings.rounds, SECONDS):  # noqa: B007
        yield f"growth with {name}"
    cost = {w.name: [a["seconds"] * w.batch_size / w.samples for a in answers[w.name]] for w in workloads}
    figures.setdefault("growth", {})[name] = [[work(w), median(cost[w.name])] for w in workloads]
    growth = {
        f"{a.name} to {b.name}": 10 * ratio(cost[a.name], cost[b.name]) * work(a) / work(b)
        for a, b in pairwise(workloads)
    }
    _note(
        figures, f"time of a step with 10x the {name}", f"at most {10 * MORE_THAN_LINEAR:g}x",
        ", ".join(f"{step}: {cost:.1f}x" for step, cost in growth.items()),
        max(growth.values()) <= 10 * MORE_THAN_LINEAR,
    )  # fmt: skip


def _linear_rows(settings: Settings, figures: Figures) -> Iterator[str]:
    layers = WORKLOADS["small"].layers
    workloads = [bounded(f"{batch} rows", layers, batch) for batch in (16, 160, 1600, 16_000)]
    yield from _linear(settings, figures, "rows", workloads, lambda w: w.batch_size)


def _linear_parameters(settings: Settings, figures: Figures) -> Iterator[str]:
    workloads = [bounded(f"{width} units", _widths(width), 128) for width in (64, 203, 640, 2024)]
    # An epoch has a fixed cost in proportion to the parameters: enough steps make it negligible.
    workloads = [w._replace(samples=max(w.samples, 32 * w.batch_size)) for w in workloads]
    yield from _linear(settings, figures, "parameters", workloads, lambda w: w.parameters)


def _threads(settings: Settings, figures: Figures) -> Iterator[str]:
    """The default number of threads against one; and one against itself, which shows the noise."""
    again = ONE_THREAD._replace(name="again")
    figures["threads"] = grid = []
    with Race([OURS, ONE_THREAD, again], settle=0.0) as race:
        for width in settings.some(WIDTHS):
            for batch in settings.some(BATCHES):
                race.prepare(bounded("point", _widths(width), batch))
                for _ in range(settings.rounds + 2):
                    race.round(calls=10**6, seconds=GRID_SECONDS)
                if race.failures:
                    raise RivalError(str(race.failures))
                seconds = race.series("seconds")
                one = seconds[ONE_THREAD.name]
                grid.append(
                    {"width": width, "batch": batch, "gain": ratio(seconds[OURS.name], one),
                     "noise": ratio(seconds["again"], one)}
                )  # fmt: skip
            yield f"threads, width {width}"
    _note(
        figures,
        "all threads against one, widths 8 to 1024 and batches 1 to 1024",
        "never slower",
        *never_slower(grid),
    )


def never_slower(grid: list[dict[str, float]]) -> tuple[str, bool]:
    """The grid in words, and whether all threads are nowhere slower than one.

    One thread measured against one thread also differs from 1. The largest such difference on the grid is allowed at
    every point; a machine on which it exceeds NOISE is too noisy to tell.
    """
    noise = max(max(point["noise"], 1 / point["noise"]) - 1 for point in grid)
    worst, best = (pick(grid, key=lambda point: point["gain"]) for pick in (min, max))
    reached = (
        f"{worst['gain']:.2f}x at worst (width {worst['width']}, batch {worst['batch']}), {best['gain']:.2f}x at "
        f"best; one thread strays from itself by {noise:.1%}"
    )
    if noise > NOISE:
        return f"{reached}: too much to tell", False
    return reached, worst["gain"] >= 1 / (1 + noise)


def _arithmetic(settings: Settings, figures: Figures) -> Iterator[str]:
    """Steps of the large network on dense input, as a share of the peak of multiply-adds in registers."""
    workload = settings.shrunk(WORKLOADS["large-dense"])
    threads, shares, speeds = min(peaks.team.thread_limits().values()), [], []
    with Race([OURS]) as race:
        race.prepare(workload)
        for _ in range(settings.rounds):
            race.round(calls=10**6, seconds=STEADY_SECONDS)
            if race.failures:
                raise RivalError(str(race.failures))
            speeds.append(workload.flops * workload.samples / race.times[OURS.name][-1]["seconds"])
            shares.append(speeds[-1] / peaks.arithmetic(threads))
            yield "share of the arithmetic peak"
    _note(
        figures, f"whole-step arithmetic of {workload.title}, dense", f"at least {LEAST_OF_PEAK:.0%} of the peak",
        f"{median(shares):.1%} ({median(speeds) / 1e9:.0f} of {median(speeds) / median(shares) / 1e9:.0f} GFLOP/s)",
        median(shares) >= LEAST_OF_PEAK,
    )  # fmt: skip


def _memory(settings: Settings, figures: Figures) -> Iterator[str]:
    """Memory of training: at most four times the parameters (weights, gradient or update, two slots) and one batch."""
    for name in MEMORY_NETWORKS:
        used = memory.measure(name)
        times = (used["peak"] - used["workspace"]) / used["parameters"]
        _note(
            figures, f"peak memory of {WORKLOADS[name].title}, beyond data and machine code",
            "workspace of a batch and at most 4x the parameters",
            f"{used['peak'] / 1e6:.1f} MB: workspace {used['workspace'] / 1e6:.1f} MB and {times:.1f}x the parameters' "
            f"{used['parameters'] / 1e6:.1f} MB; the data have {used['data'] / 1e6:.0f} MB",
            times <= 4,
        )  # fmt: skip
        yield f"memory, {name}"


# Each check, and its steps of progress.
CHECKS = {
    "width": (_width_steps, lambda settings: settings.rounds),
    "rows": (_linear_rows, lambda settings: settings.rounds),
    "parameters": (_linear_parameters, lambda settings: settings.rounds),
    "threads": (_threads, lambda settings: len(settings.some(WIDTHS))),
    "arithmetic": (_arithmetic, lambda settings: settings.rounds),
    "memory": (_memory, lambda settings: len(MEMORY_NETWORKS)),
}


def steps(settings: Settings) -> int:
    """Steps of progress."""
    return sum(count(settings) for _, count in CHECKS.values())


def run(settings: Settings, figures: Figures) -> Iterator[str]:
    """Run all checks; one that fails to run is named in the report and does not stop the others."""
    figures["checks"] = []
    for name, (check, _) in CHECKS.items():
        try:
            yield from check(settings, figures)
        except (RivalError, RuntimeError, OSError) as error:
            figures["failures"].append(["checks", name, str(error)])
