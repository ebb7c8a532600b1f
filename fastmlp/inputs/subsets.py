"""Samples with their targets: read from what a user gives, and split for validation."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ..checks import FRACTION, checked
from .class_names import number_classes
from .samples import Inputs, Samples, as_samples
from .spec import DataSpec
from .splits import split_rows
from .targets import ClassWeight, Targets, as_targets, has_classes, true_classes


class Subset(NamedTuple):
    """Some samples of a data set, with their targets."""

    samples: Samples
    targets: Targets
    rows: np.ndarray  # numbers of the samples
    outputs: int  # of the network, for each sample

    @property
    def targets_of_rows(self) -> Targets:
        """The targets of these samples alone, in the order of `rows`."""
        return self.targets.of(self.rows, self.samples.count)


def read_subset(
    spec: DataSpec,
    X: Inputs,
    y: ArrayLike,
    *,
    class_weight: ClassWeight = None,
    sample_weight: ArrayLike | None = None,
) -> Subset:
    """All samples of X with their targets.

    Parameters
    ----------
    spec : DataSpec
        What the model expects of its data.
    X, y, class_weight, sample_weight
        As `Sequential.fit` takes them.

    Raises
    ------
    ValueError
        If samples or targets do not fit the model, or each other.
    """
    samples = as_samples(X, spec.dtype)
    outputs = spec.check(samples)
    numbered = number_classes(y, spec.class_names)
    targets = as_targets(
        numbered,
        spec.loss,
        samples.count,
        outputs,
        spec.dtype,
        class_weight=class_weight,
        sample_weight=sample_weight,
    )
    return Subset(samples, targets, np.arange(samples.count), outputs)


def read_validation(spec: DataSpec, given: Any, like: Samples) -> Subset:
    """The samples and targets that a user gave to validate with, of the shape and features of those for training."""
    if not isinstance(given, (tuple, list)) or len(given) not in (2, 3):
        raise ValueError(
            f"validation_data: expected (X, y) or (X, y, sample_weight), got {type(given).__name__}"
        )
    X, y, *weight = given
    try:
        validation = read_subset(spec, X, y, sample_weight=weight[0] if weight else None)
    except ValueError as error:
        raise ValueError(f"validation {error}") from error
    names, shape = validation.samples.names, validation.samples.shape
    if like.names and names and names != like.names:
        raise ValueError("validation X: expected the columns of X in their order; use X_val[X.columns]")
    if shape != like.shape:
        raise ValueError(f"validation X: expected samples of shape {like.shape} as in training, got {shape}")
    return validation


def split_for_validation(
    spec: DataSpec, share: float, seed: int, subset: Subset, y: ArrayLike, sample_weight: ArrayLike | None
) -> tuple[Subset, Subset]:
    """The samples to train on and those to validate with, in ascending order; class weights are for training only."""
    share = checked("", "validation_split", share, FRACTION)
    samples, targets, _, outputs = subset
    classes = true_classes(targets, spec.loss, outputs) if has_classes(spec.loss, outputs) else None
    training, validation = split_rows(samples.count, share, classes, seed, "validation_split")
    unweighted = as_targets(
        number_classes(y, spec.class_names),
        spec.loss,
        samples.count,
        outputs,
        spec.dtype,
        sample_weight=sample_weight,
    )
    return (
        subset._replace(rows=np.sort(training)),
        subset._replace(rows=np.sort(validation), targets=unweighted),
    )
