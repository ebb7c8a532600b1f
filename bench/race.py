"""The race: whole epochs of training, and predictions, against the peers that are installed."""

from collections.abc import Iterator

from fastmlp.kernels import simd

from .peers import OURS
from .rivals import Race
from .settings import Figures, Settings, note_failures
from .workloads import WORKLOADS, Workload

# A round repeats epochs or predictions for this long, at least once. A single epoch of a few milliseconds after a pause
# would measure how fast a core wakes up.
SECONDS = {"train": 1.0, "predict": 2.0}
CALLS = 5000  # at most, in a round


def steps(settings: Settings) -> int:
    """Steps of progress: one per round, and one to get ready."""
    return len(settings.workloads) * (settings.rounds + 1)


def run(settings: Settings, figures: Figures) -> Iterator[str]:
    """Race over all workloads; yields words for the progress bar."""
    for name in settings.workloads:
        yield from _race(settings, settings.shrunk(WORKLOADS[name]), figures)


def _race(settings: Settings, workload: Workload, figures: Figures) -> Iterator[str]:
    with Race([OURS, *settings.rivals(workload)]) as race:
        race.prepare(workload)
        yield f"{workload.name}: all are ready"
        for number in range(1, settings.rounds + 1):
            race.round(CALLS, SECONDS[workload.task])
            if race.times[OURS.name]:  # else there is nothing to compare with
                figures["race"][workload.name] = _record(workload, race)
            yield f"{workload.name}: round {number}"
        note_failures(figures, workload.name, race.failures)


def _record(workload: Workload, race: Race) -> dict:
    return {
        "rows": workload.rows, "title": workload.title, "inputs": workload.inputs, "amx": simd.matrix_unit().used,
        "seconds": race.series("seconds"), "cpu_seconds": race.series("cpu_seconds"),
    }  # fmt: skip
