"""Scalers: layers that bring every feature to a like size, with numbers found in the samples and kept in the model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn

import numpy as np

from ..checks import refusal
from ..inputs.samples import Inputs, Samples, as_samples
from .layer import Layer, Shape
from .statistics import Statistics, statistics, together

# A spread of fewer steps of the network's type than this is not worth learning from.
_FEWEST_STEPS = 16


class Scaling(NamedTuple):
    """What a scaler does to the features: y = (x - center) factor. Both float64, shape (features,)."""

    center: np.ndarray
    factor: np.ndarray


class Scaler(Layer):
    """What the scalers share: y = (x - center) factor for each feature, the first thing that happens to a sample.

    `fit` finds both in the samples it is given, once: later calls, also of a loaded model, keep them. They are
    saved with the model and applied wherever it runs. Images in uint8 are scaled as fractions of 255. A feature that is
    always the same becomes 0.

    Parameters
    ----------
    axis : 0 or None
        Over what mean, deviation and range are taken, as in NumPy: 0 for each feature on its own; None for all
        features together, which suits pixels: one that is hardly ever lit is not blown up.

    Attributes
    ----------
    center : ndarray of float64, shape (features,)
        What is subtracted from a feature, in float64 as it is read; a view: writing to it changes the model.
    factor : ndarray, shape (features,)
        What the difference is multiplied by, in the type of the model; a view.
    """

    axis: int | None

    def __init__(self, *, axis: int | None = 0) -> None:
        super().__init__()
        if axis is not None and (isinstance(axis, bool) or axis != 0):
            raise refusal(
                f"{type(self).__name__}: axis", "0 (each feature by itself) or None (all together)", axis
            )
        self.axis = axis

    def options(self) -> dict[str, Any]:
        """The arguments that make this layer again."""
        return {} if self.axis == 0 else {"axis": None}

    def measure(self, samples: Samples, dtype: np.dtype[Any], rows: np.ndarray | None = None) -> Scaling:
        """What this scaler would do to such samples, or to these rows of them, in a network of this type.

        A center is a number of this type, unless its rounding would shift the scaled feature visibly.

        Raises
        ------
        ValueError
            If the type cannot tell the numbers of a feature apart.
        """
        seen = statistics(samples, dtype, rows)
        if self.axis is None:
            seen = together(seen)
        center, size = self._center_and_size(seen)
        largest = np.maximum(abs(seen.low), abs(seen.high))
        # Numbers that differ by rounding alone are the same.
        same = seen.deviation <= 10 * np.finfo(np.float64).eps * largest
        given = np.result_type(samples.numbers, dtype)
        lost = ~same & (size < _FEWEST_STEPS * _steps(largest, given))
        if lost.any():
            _refuse(int(lost.argmax()), seen, given)
        center = np.where(same & center.astype(bool), seen.low, center)
        rounded = center.astype(dtype).astype(np.float64)
        center = np.where(~same & (size >= _FEWEST_STEPS * _steps(largest, dtype)), rounded, center)
        return Scaling(center, 1.0 / np.where(same, 1.0, size))

    def _center_and_size(self, seen: Statistics) -> tuple[np.ndarray, np.ndarray]:
        raise NotImplementedError

    def adapt(self, X: Inputs) -> Scaler:
        """Find center and factor in these samples, where `fit` is not to find them in its own.

        Parameters
        ----------
        X : array_like, shape (samples, features), or sparse matrix
            Samples.

        Returns
        -------
        Scaler
            Itself; built for so many features, if it was not.

        Examples
        --------
        >>> StandardScaler().adapt([[1.0], [3.0]]).forward([[1.0], [2.0], [3.0]]).tolist()
        [[-1.0], [0.0], [1.0]]
        """
        dtype = self.network.dtype if self.is_built else np.dtype(np.float32)
        samples = as_samples(X, dtype)
        features = math.prod(samples.shape)
        if not self.is_built:
            self.output_shape(samples.shape)
        elif self.network.features != features:
            raise ValueError(
                f"X: expected {self.network.features} features, as {self!r} is built for, got {features}"
            )
        scaling = self.measure(samples, dtype)
        if not self.is_built:
            self.build(features)
        self.set(scaling)
        return self

    def set(self, scaling: Scaling) -> None:
        """Scale in this way from now on."""
        with self.network.lock:
            self.center[...] = scaling.center
            self.factor[...] = scaling.factor
            self.network.forget_plans()  # it may have zeros to skip now, or none

    @property
    def adapted(self) -> bool:
        """Whether it has seen samples; before, its factors are 0."""
        return self.is_built and bool(self.factor.any())

    def check_place(self, before: Sequence[Layer]) -> None:
        """Only what leaves the samples as they are may come before."""
        for layer in before:
            if layer.kind != "flatten":
                raise ValueError(
                    f"{self!r}: expected to be the first layer, or to follow Flatten(), as it scales the samples; "
                    f"got {layer!r} before it"
                )

    def check_ready(self) -> None:
        """Refuse to run without center and factor."""
        if not self.adapted:
            raise RuntimeError(f"{self!r} has seen no samples yet: call fit of the model, or adapt(X)")

    def output_shape(self, shape: Shape) -> Shape:
        """The same, of one row of numbers."""
        self.check_row(shape)
        return shape

    def array_shapes(self, inputs: Shape) -> dict[str, Shape]:
        """Those of `center` and `factor`."""
        return {"center": inputs, "factor": inputs}

    def constants_in(self, arena: np.ndarray) -> dict[str, np.ndarray]:
        """`center` and `factor`."""
        return {"center": self.handle.centers(arena), "factor": self.handle.constant_rows(2, arena)[1]}

    @property
    def center(self) -> np.ndarray:
        """What is subtracted, float64, shape (features,)."""
        return self.handle.centers()

    @property
    def factor(self) -> np.ndarray:
        """What the difference is multiplied by, shape (features,)."""
        return self.handle.constant_rows(2)[1]


class StandardScaler(Scaler):
    """Scales each feature to mean 0 and standard deviation 1, as scikit-learn's does.

    The deviation is the square root of the mean squared difference from the mean.

    Examples
    --------
    >>> model = Sequential([StandardScaler(), Dense(1)])
    >>> history = model.fit([[1000.0], [3000.0]], [0.0, 1.0], epochs=1, verbose=0)
    >>> model.layers[0].center.tolist(), model.layers[0].factor.tolist()
    ([2000.0], [0.0010000000474974513])
    """

    kind = "standard_scaler"

    def _center_and_size(self, seen: Statistics) -> tuple[np.ndarray, np.ndarray]:
        return seen.mean, seen.deviation


class MinMaxScaler(Scaler):
    """Scales each feature to the range from 0 to 1. Where all minima are 0, zeros stay zeros, and are skipped.

    Examples
    --------
    >>> MinMaxScaler().adapt([[1.0], [5.0]]).forward([[1.0], [2.0], [5.0]]).tolist()
    [[0.0], [0.25], [1.0]]
    """

    kind = "min_max_scaler"

    def _center_and_size(self, seen: Statistics) -> tuple[np.ndarray, np.ndarray]:
        return seen.low, seen.high - seen.low


class MaxAbsScaler(Scaler):
    """Scales each feature to at most 1 in size. Zeros stay zeros, so it is the one for sparse samples.

    Examples
    --------
    >>> MaxAbsScaler().adapt([[-4.0], [2.0]]).forward([[-4.0], [0.0], [2.0]]).tolist()
    [[-1.0], [0.0], [0.5]]
    """

    kind = "max_abs_scaler"

    def _center_and_size(self, seen: Statistics) -> tuple[np.ndarray, np.ndarray]:
        return np.zeros_like(seen.low), np.maximum(abs(seen.low), abs(seen.high))


SCALERS: tuple[type[Scaler], ...] = (StandardScaler, MinMaxScaler, MaxAbsScaler)


def _steps(largest: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    """The distance of neighbouring numbers of this type, at numbers of this size."""
    return np.spacing(largest.astype(dtype)).astype(np.float64)


def _refuse(column: int, seen: Statistics, given: np.dtype[Any]) -> NoReturn:
    way_out = "give X in float64" if given == np.float32 else "subtract an offset from it before"
    raise ValueError(
        f"X: column {column} goes from {seen.low[column]:g} to {seen.high[column]:g}, and {given} hardly tells its "
        f"numbers apart; {way_out}, or leave it out"
    )
