"""The same samples and targets for many models: read once for all that expect the same of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .class_names import number_classes
from .samples import Inputs, Samples, as_samples
from .spec import DataSpec
from .subsets import Subset
from .targets import Targets, as_targets


class SharedData:
    """Samples and targets, as a user gives them.

    Parameters
    ----------
    X, y, sample_weight
        As `Sequential.fit` takes them.
    """

    def __init__(self, X: Inputs, y: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        self._given = X, y, sample_weight
        self._samples: dict[Any, Samples] = {}
        self._targets: dict[Any, Targets] = {}
        self.y = y
        self.count = self._read(np.dtype(np.float64)).count

    def _read(self, dtype: np.dtype[Any]) -> Samples:
        """The samples for networks of this type."""
        if dtype not in self._samples:
            self._samples[dtype] = as_samples(self._given[0], dtype)
        return self._samples[dtype]

    def subset(self, spec: DataSpec, rows: np.ndarray | None, *, weighted: bool) -> Subset:
        """Some of the samples, None for all, with their targets, as a model that expects this reads them.

        Raises
        ------
        ValueError
            If samples or targets do not fit the model, or each other.
        """
        samples = self._read(spec.dtype)
        outputs = spec.check(samples)
        key = spec.dtype, spec.loss, outputs, spec.class_names, weighted
        if key not in self._targets:
            self._targets[key] = as_targets(
                number_classes(self.y, spec.class_names), spec.loss, samples.count, outputs, spec.dtype,
                sample_weight=self._given[2] if weighted else None,
            )  # fmt: skip
        return Subset(
            samples, self._targets[key], np.arange(samples.count) if rows is None else rows, outputs
        )
