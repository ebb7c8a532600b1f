"""The arguments of `fit`: what a user gave, checked against what the model expects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ..checks import ceil_div, is_count, is_number, look_up, positive
from ..engine.run_arguments import ENGINES
from ..engine.team import choose_threads
from ..inputs.class_names import find_class_names, number_classes
from ..inputs.samples import Inputs, Samples
from ..inputs.spec import DataSpec
from ..inputs.splits import split_rows
from ..inputs.targets import ClassWeight, Targets, as_targets, has_classes, true_classes
from ..optimizers import Optimizer
from .scoring import Given, Measures, choose_metrics

SPEED = ("seconds", "samples_per_second")
SILENT, BAR, LINES = range(3)  # what `verbose` can be, as in Keras


class Subset(NamedTuple):
    """Some samples of a data set, with their targets."""

    samples: Samples
    targets: Targets
    rows: np.ndarray  # numbers of the samples

    @property
    def targets_of_rows(self) -> Targets:
        """The targets of these samples alone, in the order of `rows`."""
        return self.targets.of(self.rows, self.samples.count)


@dataclass(frozen=True, kw_only=True)
class FitArguments:
    """What to train on, and how; as `Sequential.fit` describes it."""

    training: Subset
    validation: Subset | None
    class_names: tuple[str, ...]  # of the targets
    measures: Measures
    optimizer: Optimizer
    batch_size: int
    shuffle: bool
    threads: int | None
    engine: str
    verbose: int

    @property
    def score(self) -> str:
        """What the score of the loss is called."""
        return self.training.targets.formula.score

    @property
    def metrics(self) -> list[str]:
        """The quantities of an epoch."""
        names = ["loss", self.score, *self.measures.metrics]
        validated = [f"val_{name}" for name in names] if self.validation is not None else []
        return [*names, *validated, *SPEED]

    @property
    def steps(self) -> int:
        """Steps of an epoch; the last batch may be smaller."""
        return ceil_div(self.training.rows.size, self.batch_size)


def check_fit_arguments(
    spec: DataSpec,
    X: Inputs,
    y: ArrayLike,
    *,
    optimizer: Optimizer,
    batch_size: int | None,
    shuffle: bool,
    threads: int | None,
    engine: str,
    verbose: int,
    seed: int = 0,
    validation_split: float = 0.0,
    validation_data: tuple[Any, ...] | None = None,
    class_weight: ClassWeight = None,
    sample_weight: ArrayLike | None = None,
    metrics: Given | None = None,
) -> FitArguments:
    """Check what `Sequential.fit` is given; nothing changes.

    Parameters
    ----------
    spec : DataSpec
        What the model expects of its data.
    seed : int
        Key of the validation split.
    X, y, optimizer, ...
        As `Sequential.fit` takes them.

    Raises
    ------
    ValueError
        If an argument is not acceptable, or does not fit the model.
    """
    if not is_count(verbose) or not SILENT <= verbose <= LINES:
        raise ValueError(f"verbose: expected 0, 1 or 2, got {verbose!r}")
    look_up("engine", engine, ENGINES)
    choose_threads(threads, 0)
    samples = spec.read_samples(X)
    outputs = spec.count_outputs(samples.shape)
    names = class_names_of(spec, outputs, y)
    spec.check_class_names(names, outputs)
    targets = read_targets(spec, outputs, samples.count, y, names, class_weight, sample_weight)
    rows = np.arange(samples.count)
    validation = None
    if validation_split != 0:
        if validation_data is not None:
            raise ValueError(
                "validation_split: expected 0 where there is validation_data; give one of the two"
            )
        rows, kept = _split(validation_split, seed, samples.count, true_classes_of(spec, outputs, targets))
        unweighted = read_targets(spec, outputs, samples.count, y, names, None, sample_weight)
        validation = Subset(samples, unweighted, kept)
    elif validation_data is not None:
        validation = _validation(spec, outputs, validation_data, samples, names)
    return FitArguments(
        training=Subset(samples, targets, rows),
        validation=validation,
        class_names=names,
        measures=choose_metrics(metrics, spec.loss, outputs, spec.last_activation, numbers=True),
        optimizer=optimizer,
        batch_size=rows.size if batch_size is None else min(positive("batch_size", batch_size), rows.size),
        shuffle=bool(shuffle),
        threads=threads,
        engine=engine,
        verbose=int(verbose),
    )


def epochs_to_train(done: int, epochs: int, initial: int | None) -> range:
    """The epochs that `fit` is asked for, counted from 0, after those that are done."""
    epochs = positive("epochs", epochs)
    if initial is None:
        return range(done, done + epochs)
    if not is_count(initial) or initial >= epochs:
        raise ValueError(
            f"initial_epoch: expected a whole number from 0 and below epochs={epochs}, the number of the last one, "
            f"got {initial!r}"
        )
    return range(int(initial), epochs)


def class_names_of(spec: DataSpec, outputs: int, y: ArrayLike) -> tuple[str, ...]:
    """The names of the model's classes, or those found among the targets if they are classes."""
    return spec.class_names or (find_class_names(y) if has_classes(spec.loss, outputs) else ())


def read_targets(
    spec: DataSpec,
    outputs: int,
    count: int,
    y: ArrayLike,
    names: tuple[str, ...],
    class_weight: ClassWeight = None,
    sample_weight: ArrayLike | None = None,
) -> Targets:
    """The targets of `count` samples, if they fit the outputs and the loss."""
    return as_targets(
        number_classes(y, names), spec.loss, count, outputs, spec.dtype,
        class_weight=class_weight, sample_weight=sample_weight,
    )  # fmt: skip


def true_classes_of(spec: DataSpec, outputs: int, targets: Targets) -> np.ndarray | None:
    """The class of each sample; None where samples have values or several labels."""
    return true_classes(targets, spec.loss, outputs) if has_classes(spec.loss, outputs) else None


def _split(share: float, seed: int, count: int, classes: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the samples to train on, and of those to validate with, in ascending order."""
    if not is_number(share) or not 0 < share < 1:
        raise ValueError(f"validation_split: expected a share from 0 and below 1, got {share!r}")
    training, validation = split_rows(count, float(share), classes, seed, "validation_split")
    return np.sort(training), np.sort(validation)


def _validation(spec: DataSpec, outputs: int, given: Any, like: Samples, names: tuple[str, ...]) -> Subset:
    """The samples and targets that a user gave to validate with."""
    if not isinstance(given, (tuple, list)) or len(given) not in (2, 3):
        raise ValueError(
            f"validation_data: expected (X, y) or (X, y, sample_weight), got {type(given).__name__}"
        )
    samples = spec.like(like).read_samples(given[0], "validation X")
    try:
        targets = read_targets(spec, outputs, samples.count, given[1], names, None, *given[2:])
    except ValueError as error:
        raise ValueError(f"validation {error}") from error
    return Subset(samples, targets, np.arange(samples.count))
