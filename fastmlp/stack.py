"""Layers one after another, and the network that they become: what a model is, apart from how it is trained."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from itertools import zip_longest
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from .checks import is_count, look_up, sample_shape
from .engine import manual
from .engine.building import Handle, build_network
from .engine.layer_lowering import check_kinds
from .engine.network import DTYPES, Network
from .engine.plan import Plan
from .inputs.class_names import check_class_names
from .inputs.samples import BYTES, NUMBERS, Inputs, Samples, as_batch
from .kernels import schema
from .layers.layer import Layer, Shape
from .layers.scalers import Scaler
from .losses import CrossEntropy, Loss, choose_loss


class Stack:
    """Layers one after another, with what says how their inputs and outputs are to be read.

    Parameters
    ----------
    layers, loss, seed, dtype, class_names
        As for `Sequential`.
    """

    def __init__(
        self, layers: Sequence[Layer], *, loss: str | Loss, seed: int, dtype: str, class_names: Sequence[str]
    ) -> None:
        self._network: Network | None = None
        self.layers: list[Layer] = []
        for layer in layers:
            self.add(layer)
        choose_loss(loss, "")
        look_up("dtype", dtype, DTYPES)
        if not is_count(seed):
            raise ValueError(f"seed: expected a whole number from 0 and below 2**63, got {seed!r}")
        self._loss, self.seed, self.dtype = loss, int(seed), dtype
        self.class_names = check_class_names(class_names)
        self.feature_names: tuple[str, ...] = ()
        self.sample_scale = ""

    # From layers to a network

    def add(self, layer: Layer) -> Self:
        """Append a layer and return the model.

        Raises
        ------
        TypeError
            If it is not a layer.
        ValueError
            If it cannot stand behind the layers before it.
        RuntimeError
            If the model is built already.
        """
        if not isinstance(layer, Layer):
            raise TypeError(f"expected a layer such as Dense(10), got {layer!r}")
        check_kinds([layer])
        if self._network is not None:
            raise RuntimeError(
                f"cannot add {layer!r}: the model is built; add all layers before fit or build"
            )
        layer.check_place(self.layers)
        self.layers.append(layer)
        return self

    def build(self, input_shape: int | Shape) -> Self:
        """Give the model its parameters; `fit` does this by itself.

        Parameters
        ----------
        input_shape : int or tuple of int
            Number of features, or shape of one sample.
        """
        shape = sample_shape(input_shape)
        if self._network is not None and self._network.input_shape != shape:
            raise ValueError(
                f"the model is built for samples of shape {self._network.input_shape}, got {shape}"
            )
        if self._network is None:
            self.count_outputs(self.class_names, shape)
            self._network = build_network(self.layers, shape, self.dtype, self.seed)
        return self

    def build_for(self, samples: Samples, rows: np.ndarray) -> None:
        """Build the model, with scalers that have seen these rows of the samples, or others before."""
        new = [layer for layer in self.layers if isinstance(layer, Scaler) and not layer.adapted]
        scalings = [layer.measure(samples, np.dtype(self.dtype), rows) for layer in new]
        self.build(samples.shape)
        for layer, scaling in zip(new, scalings, strict=True):
            layer.set(scaling)
        self.feature_names = self.feature_names or samples.names
        self.sample_scale = self.sample_scale or samples.scale

    @property
    def network(self) -> Network:
        """What runs the model; an error before it is built."""
        if self._network is None:
            raise RuntimeError(
                "the model has no parameters yet: call fit or build(input_shape), or load a saved one"
            )
        return self._network

    @property
    def epochs(self) -> int:
        """Whole epochs so far, those before a saved model was loaded included."""
        return 0 if self._network is None else self._network.epochs

    @property
    def handle(self) -> Handle:
        """What the engine does for all layers together, by hand."""
        return Handle(self.network, 0, len(self.layers))

    @property
    def parameters(self) -> int:
        """Number of trained numbers."""
        return sum(array.size for layer in self.layers for array in layer.parameters.values())

    @property
    def plan(self) -> Plan:
        """The network as the kernels see it; `print(model.plan)` shows a table."""
        return self.network.inference

    def summary(self) -> str:
        """The layers with their output shapes and numbers of parameters, as a table.

        Examples
        --------
        >>> print(Sequential([Dense(3, "relu"), Dense(2)]).build(4).summary())
        layer                                 output  parameters
        Dense(units=3, activation='relu')       (3,)          15
        Dense(units=2, activation='identity')   (2,)           8
        total                                                 23
        """
        shape, lines = self.network.input_shape, [("layer", "output", "parameters")]
        for layer in self.layers:
            shape = layer.output_shape(shape)
            lines.append((repr(layer), str(shape), f"{sum(a.size for a in layer.parameters.values()):,}"))
        lines.append(("total", "", f"{self.parameters:,}"))
        name, output, count = (max(len(line[i]) for line in lines) for i in range(3))
        return "\n".join(f"{a:<{name}} {b:>{output}} {c:>{count + 1}}" for a, b, c in lines)

    # What comes out

    @property
    def loss(self) -> Loss:
        """What training makes small."""
        return choose_loss(self._loss, self.last_activation)

    @property
    def last_activation(self) -> str:
        """Where the outputs come from."""
        shaping = [layer for layer in self.layers if layer.kind in {"dense", "activation"}]
        return shaping[-1].activation if shaping else "identity"

    def output_shape(self, shape: Shape) -> Shape:
        """The shape of one sample after all layers; a ValueError where it does not fit."""
        if not self.layers:
            raise ValueError("the model has no layers: add some first, e.g. add(Dense(10, 'softmax'))")
        for layer in self.layers:
            shape = layer.output_shape(shape)
        return shape

    def count_outputs(self, names: tuple[str, ...], shape: Shape) -> int:
        """The number of outputs for samples of this shape; a ValueError if there are not as many names of classes."""
        outputs = math.prod(self.output_shape(shape))
        classes = outputs if outputs > 1 or isinstance(self.loss, CrossEntropy) else 2
        if names and len(names) != classes:
            raise ValueError(
                f"expected names of {classes} classes, as the network has {outputs} outputs, got {len(names)}: "
                f"{', '.join(names)}; give all as class_names, or the last layer as many units"
            )
        return outputs

    # What goes in

    def check_samples(self, samples: Samples) -> Samples:
        """The samples, if they fit the network; else a ValueError."""
        self._check_names(samples)
        self._check_scale(samples)
        if self._network is None:
            self.output_shape(samples.shape)
        elif samples.shape != self._network.input_shape:
            wanted = self._network.input_shape
            raise ValueError(
                f"X: expected samples of shape {wanted} ({math.prod(wanted)} features), as the model was built for, "
                f"got {samples.shape} ({math.prod(samples.shape)} features)"
            )
        return samples

    def _check_names(self, samples: Samples) -> None:
        """Raise if the samples say that they have other features than those that the model was trained on."""
        known, given = self.feature_names, samples.names
        if not known or not given or known == given:
            return
        missing = [name for name in known if name not in given]
        unknown = [name for name in given if name not in known]
        wanted, there = next(pair for pair in zip_longest(known, given) if pair[0] != pair[1])
        if missing:
            problem = f"{missing[0]!r} is missing"
        elif unknown:
            problem = f"{unknown[0]!r} is none of them; use X[list(model.feature_names)]"
        else:
            problem = f"{wanted!r} where {there!r} is; use X[list(model.feature_names)]"
        raise ValueError(f"X: expected the columns that the model was trained on, in their order: {problem}")

    def _check_scale(self, samples: Samples) -> None:
        """Warn of bytes for a model that knows larger numbers, to which they are all nearly 0, and the other way."""
        if self.sample_scale == NUMBERS and samples.kind == schema.BYTES:
            told = "numbers beyond 0 to 1, and bytes (uint8) are read as fractions of 255"
            way_out = "if they mean the same as in training, give X.astype('float32')"
        elif self.sample_scale == BYTES and samples.scale == NUMBERS:
            told = "bytes (uint8), read as fractions of 255, and these numbers go beyond 0 to 1"
            way_out = "if they are bytes in another type, give X.astype('uint8'), or X / 255"
        else:
            return
        warnings.warn(f"X: the model was trained on {told}; {way_out}", stacklevel=2)

    def check_batch(self, X: Inputs) -> tuple[Samples, bool]:
        """Samples that fit the network, and whether X was one alone."""
        samples, one = as_batch(X, self.network.input_shape, self.network.dtype)
        return self.check_samples(samples), one

    # One pass at a time, by hand

    def forward(self, X: Inputs) -> np.ndarray:
        """One forward pass, as in training; the values stay for `backward`.

        Parameters
        ----------
        X : array_like, shape (samples, ...) or that of one sample, or sparse matrix
            Samples.

        Returns
        -------
        ndarray, shape (samples, outputs), or (outputs,) for one sample
        """
        samples, one = self.check_batch(X)
        outputs = manual.forward(self.network, slice(0, len(self.layers)), samples)
        return outputs[0] if one else outputs

    def backward(self, d_y: ArrayLike) -> np.ndarray:
        """One backward pass after `forward`; fills `d_weight` and `d_bias` of the layers.

        Parameters
        ----------
        d_y : array_like, of the shape of the output
            Gradient of the loss with respect to the output.

        Returns
        -------
        ndarray, shape (samples, features), or (features,) for one sample
            Gradient with respect to the input.
        """
        return self.handle.backward(d_y)
