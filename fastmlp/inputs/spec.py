"""What a model expects of its data: all that the checks of samples and targets ask of it."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..kernels import schema
from ..losses import BinaryCrossEntropy, CrossEntropy, Loss
from .class_names import find_class_names
from .samples import BYTES, FRACTIONS, NUMBERS, Samples

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

    def with_class_names(self, y: ArrayLike) -> DataSpec:
        """The same, with the names that the targets give the classes, where these have none yet."""
        if self.class_names or not isinstance(self.loss, (CrossEntropy, BinaryCrossEntropy)):
            return self
        names = find_class_names(y)
        return replace(self, class_names=names) if names else self

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

    def check(self, samples: Samples) -> int:
        """Number of outputs for such samples.

        Raises
        ------
        ValueError
            If they have other features or another shape than those that the model was trained on, or the names of the
            classes do not go with the outputs.
        """
        self._check_names(samples.names)
        self._check_scale(samples)
        if self.input_shape not in (None, samples.shape):
            wanted = self.input_shape or ()
            raise ValueError(
                f"X: expected samples of shape {wanted} ({math.prod(wanted)} features), as the model was built for, "
                f"got {samples.shape} ({math.prod(samples.shape)} features)"
            )
        outputs = self.count_outputs(samples.shape)
        self.check_class_names(self.class_names, outputs)
        return outputs

    def _check_names(self, given: tuple[str, ...]) -> None:
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
        raise ValueError(f"X: expected the columns that the model was trained on, in their order: {problem}")

    def _check_scale(self, samples: Samples) -> None:
        """Warn of samples that are read on another scale than those of the training."""
        known, are_bytes = self.sample_scale, samples.kind == schema.BYTES
        if known == NUMBERS and are_bytes and samples.scale == BYTES:
            told = "numbers beyond 0 to 1, and images of bytes (uint8) are read as fractions of 255"
            way_out = "if they mean the same as in training, give X.astype('float32')"
        elif known == FRACTIONS and are_bytes and samples.scale == NUMBERS:
            told = "numbers from 0 to 1, and these rows of bytes (uint8) are read as numbers from 0 to 255"
            way_out = "if they are pixels, give X / 255, as in training"
        elif known == BYTES and samples.scale == NUMBERS:
            told = "images of bytes (uint8), read as fractions of 255, and these numbers go beyond 0 to 1"
            way_out = "if they are bytes in another type, give X.astype('uint8'), or X / 255"
        else:
            return
        warnings.warn(f"X: the model was trained on {told}; {way_out}", stacklevel=2)
