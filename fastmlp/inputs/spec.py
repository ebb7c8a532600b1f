"""What a model expects of its data: all that the checks of samples and targets ask of it."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

import numpy as np

from ..losses import CrossEntropy, Loss
from .samples import BYTES, NUMBERS, Inputs, Samples, as_batch, as_samples

Shape = tuple[int, ...]


@dataclass(frozen=True)
class DataSpec:
    """What a model expects of its data.

    Attributes
    ----------
    dtype : dtype
        What the network computes in.
    input_shape : tuple of int, optional
        Shape of one sample; None before the model is built.
    output_shape : callable
        The shape of one sample after all layers, from its shape before; a ValueError where layers do not fit.
    feature_names : tuple of str
        Names of the features that it was trained on; empty if they have none.
    sample_scale : str
        Scale of the samples that it was trained on, one of `samples.SCALES`; "" before.
    class_names : tuple of str
        Names of the classes; empty if they have none.
    loss : Loss
        What training minimises.
    last_activation : str
        Activation of the outputs.
    """

    dtype: np.dtype[Any]
    input_shape: Shape | None
    output_shape: Callable[[Shape], Shape]
    feature_names: tuple[str, ...]
    sample_scale: str
    class_names: tuple[str, ...]
    loss: Loss
    last_activation: str

    def read_samples(self, X: Inputs, name: str = "X") -> Samples:
        """Samples that fit the model; a ValueError says why others do not."""
        samples = as_samples(X, self.dtype, name)
        self._check(samples, name)
        return samples

    def read_batch(self, X: Inputs) -> tuple[Samples, bool]:
        """The same, where X may also be one sample alone; and whether it was."""
        samples, one = as_batch(X, self.input_shape or (), self.dtype)
        self._check(samples, "X")
        return samples, one

    def like(self, samples: Samples) -> DataSpec:
        """The same for samples that must have the shape and the features of these."""
        return replace(self, input_shape=samples.shape, feature_names=self.feature_names or samples.names)

    def count_outputs(self, shape: Shape) -> int:
        """Numbers of an output, for samples of this shape."""
        return math.prod(self.output_shape(shape))

    def check_class_names(self, names: tuple[str, ...], outputs: int) -> None:
        """Raise a ValueError unless there are no names, or as many as classes."""
        classes = outputs if outputs > 1 or isinstance(self.loss, CrossEntropy) else 2
        if names and len(names) != classes:
            raise ValueError(
                f"expected names of {classes} classes, as the network has {outputs} outputs, got {len(names)}: "
                f"{', '.join(names)}; give all as class_names, or the last layer as many units"
            )

    def _check(self, samples: Samples, name: str) -> None:
        """Raise a ValueError if the samples have other features or another shape; warn of another scale."""
        self._check_names(samples.names, name)
        self._check_scale(samples)
        if self.input_shape is None:
            self.output_shape(samples.shape)
        elif samples.shape != self.input_shape:
            wanted = self.input_shape
            raise ValueError(
                f"{name}: expected samples of shape {wanted} ({math.prod(wanted)} features), as in training, "
                f"got {samples.shape} ({math.prod(samples.shape)} features)"
            )

    def _check_names(self, given: tuple[str, ...], name: str) -> None:
        """Raise a ValueError if the samples name other features than those that the model was trained on."""
        known = self.feature_names
        if not known or not given or known == given:
            return
        missing = [feature for feature in known if feature not in given]
        unknown = [feature for feature in given if feature not in known]
        wanted, there = next(pair for pair in zip_longest(known, given) if pair[0] != pair[1])
        if missing:
            problem = f"{missing[0]!r} is missing"
        elif unknown:
            problem = f"{unknown[0]!r} is none of them; use X[list(model.feature_names)]"
        else:
            problem = f"{wanted!r} where {there!r} is; use X[list(model.feature_names)]"
        raise ValueError(
            f"{name}: expected the columns that the model was trained on, in their order: {problem}"
        )

    def _check_scale(self, samples: Samples) -> None:
        """Warn of bytes for a model that knows larger numbers, to which they are all nearly 0, and the reverse."""
        if self.sample_scale == NUMBERS and samples.scale == BYTES:
            told = "numbers beyond 0 to 1, and bytes (uint8) are read as fractions of 255"
            way_out = "if they mean the same as in training, give X.astype('float32')"
        elif self.sample_scale == BYTES and samples.scale == NUMBERS:
            told = "bytes (uint8), read as fractions of 255, and these numbers go beyond 0 to 1"
            way_out = "if they are bytes in another type, give X.astype('uint8'), or X / 255"
        else:
            return
        warnings.warn(f"X: the model was trained on {told}; {way_out}", stacklevel=2)
