"""Layers that normalise: each sample over its features, or each feature over the samples of a batch."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..checks import FRACTION, SHARE, checked
from ..inputs.arrays import read_only
from .layer import Layer, Shape


class Normalization(Layer):
    """Base of both: y = gamma (x - mean) / sqrt(variance + epsilon) + beta, gamma and beta one for each feature."""

    epsilon: float

    def __init__(self, *, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.epsilon = checked(type(self).__name__, "epsilon", epsilon, SHARE)

    def options(self) -> dict[str, Any]:
        """The arguments that make this layer again."""
        return {"epsilon": self.epsilon}

    def output_shape(self, shape: Shape) -> Shape:
        """The same, of one row of numbers."""
        self.check_row(shape)
        return shape

    def initialize(self, seed: int) -> None:
        """Start from gamma = 1."""
        self.gamma[...] = 1

    def array_shapes(self, inputs: Shape) -> dict[str, Shape]:
        """Those of `gamma` and `beta`."""
        return {"gamma": inputs, "beta": inputs}

    def trained_in(self, arena: np.ndarray) -> dict[str, np.ndarray]:
        """`gamma` and `beta`."""
        rows = self.handle.trained_rows(arena)
        return {"gamma": rows[0], "beta": rows[1]}

    @property
    def gamma(self) -> np.ndarray:
        """Gain of each feature."""
        return self.parameters["gamma"]

    @property
    def beta(self) -> np.ndarray:
        """Offset of each feature."""
        return self.parameters["beta"]

    @property
    def d_gamma(self) -> np.ndarray:
        """Gradient of the gains."""
        return self.trained_in(self.network.kept_gradients())["gamma"]

    @property
    def d_beta(self) -> np.ndarray:
        """Gradient of the offsets."""
        return self.trained_in(self.network.kept_gradients())["beta"]


class LayerNorm(Normalization):
    """Normalises each sample over its features (Ba, Kiros and Hinton, 2016), in training and in use.

    y = gamma (x - mean) / sqrt(variance + epsilon) + beta, with the mean and the variance of one row, over n.

    Parameters
    ----------
    epsilon : float
        Added to the variance, above 0 and below 1.

    Attributes
    ----------
    gamma, beta : ndarray, shape (features,)
        Trained, from 1 and 0 on; views: writing to them changes the network.
    d_gamma, d_beta : ndarray
        Their gradients after `backward`.

    Examples
    --------
    >>> LayerNorm().build(2).forward([[1.0, 3.0], [10.0, 30.0]]).round(3).tolist()
    [[-1.0, 1.0], [-1.0, 1.0]]
    """

    kind = "layer_norm"


class BatchNorm(Normalization):
    """Normalises each feature over the samples of a batch (Ioffe and Szegedy, 2015).

    y = gamma (x - mean) / sqrt(variance + epsilon) + beta. In training, with the mean and the variance (over n) of each
    feature in the batch; `evaluate` and `predict` use running statistics, which each step of training updates:
    running = momentum running + (1 - momentum) batch. The bits do not depend on the number of threads.

    Parameters
    ----------
    momentum : float
        Decay of the running mean and variance, as in Keras, at least 0 and below 1.
    epsilon : float
        Added to the variance, above 0 and below 1.

    Attributes
    ----------
    gamma, beta : ndarray, shape (features,)
        Trained, from 1 and 0 on; views: writing to them changes the network.
    d_gamma, d_beta : ndarray
        Their gradients after `backward`.
    running_mean, running_variance : ndarray, shape (features,)
        From 0 and 1 on; saved with the model.

    Notes
    -----
    In a batch of one sample each feature equals its mean, so the layers before receive no gradient.

    Examples
    --------
    >>> layer = BatchNorm().build(1)
    >>> layer.forward([[10.0], [30.0]]).round(3).tolist()
    [[-1.0], [1.0]]
    """

    kind = "batch_norm"
    needs_whole_batch = True

    momentum: float

    def __init__(self, *, momentum: float = 0.9, epsilon: float = 1e-5) -> None:
        super().__init__(epsilon=epsilon)
        self.momentum = checked("BatchNorm", "momentum", momentum, FRACTION)

    def options(self) -> dict[str, Any]:
        """The arguments that make this layer again."""
        return {"momentum": self.momentum, "epsilon": self.epsilon}

    def initialize(self, seed: int) -> None:
        """Start from gamma = 1, and from a running variance of 1."""
        super().initialize(seed)
        self.constants["running_variance"][...] = 1
        self.constants["running_factor"][...] = 1 / np.sqrt(1 + self.epsilon)

    def array_shapes(self, inputs: Shape) -> dict[str, Shape]:
        """Those of all arrays."""
        names = ("gamma", "beta", "running_mean", "running_factor", "running_variance")
        return dict.fromkeys(names, inputs)

    def constants_in(self, arena: np.ndarray) -> dict[str, np.ndarray]:
        """The running mean and variance, and 1 / sqrt(variance + epsilon), which the kernels use."""
        mean, factor, variance = self.handle.constant_rows(3, arena)
        return {"running_mean": mean, "running_factor": factor, "running_variance": variance}

    @property
    def running_mean(self) -> np.ndarray:
        """What is used for the mean after training; a view that only training writes to."""
        return read_only(self.constants["running_mean"])

    @property
    def running_variance(self) -> np.ndarray:
        """What is used for the variance after training; a view that only training writes to."""
        return read_only(self.constants["running_variance"])
