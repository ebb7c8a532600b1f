"""What is to be learnt, and how: the arguments of `fit`, checked against a model, as one task for the training loop."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..checks import is_count, look_up, positive
from ..engine.run_arguments import ENGINES
from ..engine.team import choose_threads
from ..inputs.class_names import find_class_names, number_classes
from ..inputs.samples import Inputs, Samples, as_samples
from ..inputs.splits import split_rows
from ..inputs.targets import ClassWeight, Targets, as_targets, has_classes, true_classes
from ..optimizers import Optimizer
from ..stack import Stack
from .scoring import Given, Measures, choose_metrics

SPEED = ("seconds", "samples_per_second")
SILENT, BAR, LINES = range(3)  # what `verbose` can be, as in Keras


@dataclass(frozen=True)
class Task:
    """What to learn, and how; as `Sequential.fit` describes it."""

    samples: Samples
    targets: Targets
    rows: np.ndarray  # numbers of the samples to train on
    validation: tuple[Samples, Targets, np.ndarray] | None  # the same to validate with
    measures: Measures
    optimizer: Optimizer
    batch_size: int
    shuffle: bool
    threads: int | None
    engine: str
    verbose: int
    class_names: tuple[str, ...]  # of the targets

    @property
    def score(self) -> str:
        """What the score of the loss is called."""
        return self.targets.formula.score

    @property
    def metrics(self) -> list[str]:
        """The quantities of an epoch."""
        names = ["loss", self.score, *self.measures.metrics]
        validated = [f"val_{name}" for name in names] if self.validation is not None else []
        return [*names, *validated, *SPEED]

    @property
    def steps(self) -> int:
        """Steps of an epoch; the last batch may be smaller."""
        return -(-self.rows.size // self.batch_size)


def make_task(
    model: Stack,
    X: Inputs,
    y: ArrayLike,
    *,
    optimizer: Optimizer,
    batch_size: int | None,
    validation_split: float = 0.0,
    validation_data: tuple[Any, ...] | None = None,
    class_weight: ClassWeight = None,
    sample_weight: ArrayLike | None = None,
    metrics: Given | None = None,
    shuffle: bool,
    threads: int | None,
    engine: str,
    verbose: int,
) -> Task:
    """Check what `Sequential.fit` is given; the model stays as it is.

    Raises
    ------
    ValueError
        If an argument is not acceptable, or does not go with the model.
    """
    if not is_count(verbose) or not SILENT <= verbose <= LINES:
        raise ValueError(f"verbose: expected 0, 1 or 2, got {verbose!r}")
    samples = model.check_samples(as_samples(X, np.dtype(model.dtype)))
    look_up("engine", engine, ENGINES)
    choose_threads(threads, 0)
    names = class_names_for(model, samples, y)
    targets = targets_for(model, samples, y, names, class_weight, sample_weight)
    measures = measures_for(model, samples, metrics, numbers=True)
    rows, validation = np.arange(samples.count), None
    if validation_split != 0:
        if validation_data is not None:
            raise ValueError(
                "validation_split: expected 0 where there is validation_data; give one of the two"
            )
        rows, kept = _split(model, validation_split, samples, targets)
        validation = samples, targets_for(model, samples, y, names, None, sample_weight), kept
    elif validation_data is not None:
        validation = _validation(model, validation_data, samples, names)
    batch = rows.size if batch_size is None else min(positive("batch_size", batch_size), rows.size)
    return Task(
        samples, targets, rows, validation, measures, optimizer, batch, bool(shuffle), threads, engine, int(verbose),
        names,
    )  # fmt: skip


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


def class_names_for(model: Stack, samples: Samples, y: ArrayLike) -> tuple[str, ...]:
    """Those given, or those found among the targets if they are classes."""
    outputs = math.prod(model.output_shape(samples.shape))
    return model.class_names or (find_class_names(y) if has_classes(model.loss, outputs) else ())


def targets_for(
    model: Stack,
    samples: Samples,
    y: ArrayLike,
    names: tuple[str, ...],
    class_weight: ClassWeight = None,
    sample_weight: ArrayLike | None = None,
) -> Targets:
    """The targets of these samples, if they fit the outputs and the loss."""
    outputs = model.count_outputs(names, samples.shape)
    return as_targets(
        number_classes(y, names), model.loss, samples.count, outputs, np.dtype(model.dtype),
        class_weight=class_weight, sample_weight=sample_weight,
    )  # fmt: skip


def measures_for(model: Stack, samples: Samples, given: Given | None, *, numbers: bool) -> Measures:
    """The metrics asked for, if they go with the outputs and the loss."""
    outputs = math.prod(model.output_shape(samples.shape))
    return choose_metrics(given, model.loss, outputs, model.last_activation, numbers=numbers)


def _split(model: Stack, share: float, samples: Samples, targets: Targets) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the samples to train on, and of those to validate with, in ascending order."""
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 < share < 1:
        raise ValueError(f"validation_split: expected a share from 0 and below 1, got {share!r}")
    outputs = math.prod(model.output_shape(samples.shape))
    classes = true_classes(targets, model.loss, outputs) if has_classes(model.loss, outputs) else None
    parts = split_rows(samples.count, share, classes, model.seed, "validation_split")
    return np.sort(parts[0]), np.sort(parts[1])


def _validation(
    model: Stack, given: Any, like: Samples, names: tuple[str, ...]
) -> tuple[Samples, Targets, np.ndarray]:
    """The samples and targets that a user gave to validate with."""
    if not isinstance(given, (tuple, list)) or len(given) not in (2, 3):
        raise ValueError(
            f"validation_data: expected (X, y) or (X, y, sample_weight), got {type(given).__name__}"
        )
    samples = as_samples(given[0], np.dtype(model.dtype), "validation X")
    if like.names and samples.names and samples.names != like.names:
        raise ValueError("validation X: expected the columns of X in their order; use X_val[X.columns]")
    if samples.shape != like.shape:
        raise ValueError(
            f"validation X: expected samples of shape {like.shape} as in training, got {samples.shape}"
        )
    try:
        targets = targets_for(model, samples, given[1], names, None, *given[2:])
    except ValueError as error:
        raise ValueError(f"validation {error}") from error
    return samples, targets, np.arange(samples.count)
