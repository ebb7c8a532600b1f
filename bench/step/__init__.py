"""Where the time of a training step goes: each phase of the program in place, and the least time that it needs."""

from collections.abc import Iterator, Sequence

from ..settings import Figures, Settings
from ..workloads import WORKLOADS, Workload, bounded
from .measuring import ROUNDS, StepError, measure

DEFAULT = ("large-dense", "small-dense")
BATCH = 128  # of a network that is given by its layers
QUICK_ROUNDS = 3


def parse(network: str, batch: int | None, optimizer: str | None) -> Workload:
    """A workload by its name, or a network by its layers, such as 784-2048-2048-10.

    Raises
    ------
    ValueError
        If it is neither.
    """
    trained = {name: workload for name, workload in WORKLOADS.items() if workload.task == "train"}
    if network in trained:
        known = trained[network]
    else:
        try:
            layers = tuple(int(units) for units in network.split("-"))
        except ValueError:
            layers = ()
        if len(layers) < 2 or min(layers) < 1:
            raise ValueError(
                f"NETWORK: expected one of {', '.join(trained)}, or layers such as 784-512-10, got {network!r}"
            )
        known = Workload(network, layers, BATCH)
    known = known._replace(batch_size=batch or known.batch_size, optimizer=optimizer or known.optimizer)
    # An epoch takes a fraction of a second.
    samples = bounded(known.name, known.layers, known.batch_size).samples
    return known._replace(samples=min(samples, 60_000) if known.inputs == "images" else samples)


def _workloads(settings: Settings) -> Sequence[Workload]:
    return settings.networks or [parse(name, None, None) for name in DEFAULT]


def steps(settings: Settings) -> int:
    """Steps of progress: the networks."""
    return len(_workloads(settings))


def run(settings: Settings, figures: Figures) -> Iterator[str]:
    """Measure one network after the other; one that fails is named in the report and does not stop the others."""
    figures["step"] = {}
    for workload in _workloads(settings):
        try:
            rounds = QUICK_ROUNDS if settings.quick else ROUNDS
            figures["step"][workload.name] = measure(workload, settings.threads, rounds)
        except StepError as error:
            figures["failures"].append(["step", workload.name, str(error)])
        yield f"step of {workload.name}"
