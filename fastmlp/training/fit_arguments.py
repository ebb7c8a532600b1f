"""The arguments of `fit`: what a user gave, checked against what the model expects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..checks import COUNT, WholeNumber, ceil_div, checked, is_count, look_up, refusal
from ..engine.run_arguments import ENGINES
from ..engine.team import choose_threads
from ..engine.training_run import How
from ..inputs.samples import Inputs
from ..inputs.shared_data import SharedData
from ..inputs.spec import DataSpec
from ..inputs.subsets import Subset, read_subset, read_validation, split_for_validation
from ..inputs.targets import ClassWeight
from ..optimizers import Optimizer
from .history import SPEED
from .scoring import Given, Measures, choose_metrics

SILENT, BAR, LINES = range(3)  # what `verbose` can be, as in Keras


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
    keep_gradients: bool
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
    def how(self) -> How:
        """How the network is trained."""
        return How(
            optimizer=self.optimizer, batch_size=self.batch_size, shuffle=self.shuffle, threads=self.threads,
            engine=self.engine,
        )  # fmt: skip

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
    keep_gradients: bool = False,
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
    check_verbose(verbose)
    look_up("engine", engine, ENGINES)
    choose_threads(threads, 0)
    spec = spec.with_class_names(y)
    training = read_subset(spec, X, y, class_weight=class_weight, sample_weight=sample_weight)
    validation = None
    if validation_split != 0:
        if validation_data is not None:
            raise ValueError(
                "validation_split: expected 0 where there is validation_data; give one of the two"
            )
        training, validation = split_for_validation(spec, validation_split, seed, training, y, sample_weight)
    elif validation_data is not None:
        validation = read_validation(spec, validation_data, training.samples)
    return FitArguments(
        **_of_subsets(spec, training, validation, optimizer, batch_size, metrics),
        shuffle=bool(shuffle),
        threads=threads,
        engine=engine,
        keep_gradients=bool(keep_gradients),
        verbose=int(verbose),
    )


def check_fit_of_rows(
    spec: DataSpec,
    data: SharedData,
    rows: np.ndarray | None,
    validation_rows: np.ndarray | None,
    *,
    optimizer: Optimizer,
    batch_size: int | None,
) -> FitArguments:
    """The arguments of one of many models, which trains on some rows of shared data.

    Parameters
    ----------
    spec : DataSpec
        What the model expects of its data.
    data : SharedData
        The samples and targets of all models.
    rows, validation_rows : ndarray of int64, optional
        Those to train on, None for all, and those to validate with.
    optimizer, batch_size
        As `Sequential.fit` takes them.

    Raises
    ------
    ValueError
        If an argument is not acceptable, or does not fit the model.
    """
    spec = spec.with_class_names(data.y)
    training = data.subset(spec, rows, weighted=True)
    validation = None if validation_rows is None else data.subset(spec, validation_rows, weighted=False)
    return FitArguments(
        **_of_subsets(spec, training, validation, optimizer, batch_size, None),
        shuffle=True,
        threads=1,
        engine="kernels",
        keep_gradients=False,
        verbose=SILENT,
    )


def _of_subsets(
    spec: DataSpec,
    training: Subset,
    validation: Subset | None,
    optimizer: Optimizer,
    batch_size: int | None,
    metrics: Given | None,
) -> dict[str, Any]:
    """What follows from the samples and the model."""
    optimizer.check_dtype(spec.dtype)
    count = training.rows.size
    return {
        "training": training,
        "validation": validation,
        "class_names": spec.class_names,
        "measures": choose_metrics(metrics, spec.loss, training.outputs, spec.last_activation, numbers=True),
        "optimizer": optimizer,
        "batch_size": count
        if batch_size is None
        else min(checked("", "batch_size", batch_size, COUNT), count),
    }


def check_verbose(verbose: int) -> None:
    """Refuse what is not 0, 1 or 2."""
    if not is_count(verbose) or not SILENT <= verbose <= LINES:
        raise refusal("verbose", "0, 1 or 2", verbose)


def epochs_to_train(done: int, epochs: int, initial: int | None) -> range:
    """The epochs that `fit` is asked for, counted from 0, after those that are done."""
    epochs = checked("", "epochs", epochs, COUNT)
    if initial is None:
        return range(done, done + epochs)
    way_out = f"epochs={epochs} is the number of the last epoch"
    return range(checked("", "initial_epoch", initial, WholeNumber(0, epochs), way_out=way_out), epochs)
