"""The workloads: networks, data and settings, the same for all peers."""

import os
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np


class Workload(NamedTuple):
    """A network with ReLU between its layers, and its task."""

    name: str
    layers: tuple[int, ...]
    batch_size: int  # rows of a step; of a call when predicting
    inputs: str = "Gaussian"  # or "images"
    task: str = "train"  # whole, shuffled epochs; or "predict"
    optimizer: str = "adam"
    samples: int = 60_000
    classes: bool = True  # softmax and cross-entropy; else regression
    dtype: str = "float32"  # or "mixed_bfloat16": products of bfloat16 numbers, all else float32
    loss: str = "squared"  # of a regression; or "huber"
    dropout: float = 0.0  # behind each hidden layer
    weighted: bool = False  # each sample has a weight

    @property
    def weights(self) -> int:
        """Weights, without biases."""
        return sum(inputs * units for inputs, units in pairwise(self.layers))

    @property
    def parameters(self) -> int:
        """Weights and biases."""
        return self.weights + sum(self.layers[1:])

    @property
    def flops(self) -> int:
        """Operations per sample of the matrix products of training: forward, weight gradients, deltas of all layers
        but the first."""
        return 6 * self.weights - 2 * self.layers[0] * self.layers[1]

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """The shape of one sample as fastmlp is given it."""
        return (28, 28) if self.inputs == "images" else self.layers[:1]

    @property
    def rows(self) -> int:
        """Samples of one call: an epoch, or the batch to predict."""
        return self.samples if self.task == "train" else self.batch_size

    @property
    def title(self) -> str:
        """The network and its settings, in words."""
        network = "-".join(map(str, self.layers))
        if self.task == "predict":
            return f"{network}, {self.batch_size:,} row{'s' * (self.batch_size > 1)}"
        words = [network, f"batch {self.batch_size}", self.optimizer]
        words += ["bfloat16"] if self.dtype == "mixed_bfloat16" else []
        words += ["Huber"] if self.loss == "huber" else []
        words += [f"dropout {self.dropout}"] if self.dropout else []
        words += ["weights"] if self.weighted else []
        return ", ".join(words)


# Rough estimates that set the length of an epoch in `bounded`; results do not depend on them.
STEP_SECONDS, FLOPS, UPDATE_SECONDS, EPOCH_SECONDS = 10e-6, 100e9, 1e-9, 0.05
# So that the fixed cost of an epoch is negligible; and to bound memory.
LEAST_STEPS, MOST_SAMPLES = 16, 200_000

_SMALL, _MEDIUM = (784, 128, 64, 10), (784, 512, 256, 10)
_LARGE, _HUGE = (784, 1024, 1024, 10), (784, 2048, 2048, 10)
_MIXED = "mixed_bfloat16"

WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("small", _SMALL, 64, "images"),
        Workload("medium", _MEDIUM, 128, "images"),
        Workload("large", _LARGE, 256, "images"),
        Workload("small-dense", _SMALL, 64),
        Workload("medium-dense", _MEDIUM, 128),
        Workload("large-dense", _LARGE, 256),
        Workload("huge", _HUGE, 512, samples=10_240),
        Workload("medium-bf16", _MEDIUM, 128, dtype=_MIXED),
        Workload("large-bf16", _LARGE, 256, samples=20_480, dtype=_MIXED),
        Workload("huge-bf16", _HUGE, 512, samples=10_240, dtype=_MIXED),
        Workload(
            "forecast",
            (1446, 512, 256, 64, 1),
            128,
            optimizer="adamw",
            samples=12_800,
            classes=False,
            loss="huber",
            dropout=0.1,
            weighted=True,
        ),
        Workload("stochastic", _SMALL, 1, "images", optimizer="sgd", samples=10_000),
        Workload("tiny", (10, 45, 45, 10), 128, samples=128_000, classes=False),
        Workload("row", _SMALL, 1, "images", "predict", samples=1000),
        Workload("row-tiny", (8, 64, 64, 2), 1, task="predict", samples=1000, classes=False),
        Workload("rows", _SMALL, 10_000, "images", "predict", samples=10_000),
    )
}


def bounded(name: str, layers: tuple[int, ...], batch_size: int, *, classes: bool = True) -> Workload:
    """Training on synthetic data; an epoch takes a fraction of a second for any network."""
    workload = Workload(name, layers, batch_size, classes=classes)
    step_seconds = STEP_SECONDS + workload.flops * batch_size / FLOPS + workload.parameters * UPDATE_SECONDS
    steps = min(max(int(EPOCH_SECONDS / step_seconds), LEAST_STEPS), MOST_SAMPLES // batch_size)
    return workload._replace(samples=steps * batch_size)


@lru_cache(maxsize=1)
def images() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """MNIST, from the folder in FASTMLP_MNIST, else the synthetic digits: samples and classes to train and to test."""
    import fastmlp

    folder = os.environ.get("FASTMLP_MNIST")
    data = fastmlp.load_idx_folder(folder) if folder else fastmlp.load_synthetic()
    return data.x_train, data.y_train.astype(np.int64), data.x_test, data.y_test.astype(np.int64)


def data(workload: Workload) -> tuple[np.ndarray, np.ndarray]:
    """Samples and targets; images are bytes, shape (samples, 28, 28)."""
    random = np.random.default_rng(0)
    features, outputs = workload.layers[0], workload.layers[-1]
    if workload.inputs == "images":
        X, y, _, _ = images()
        return X[: workload.samples], y[: workload.samples]
    X = random.standard_normal((workload.samples, features), np.float32)
    if workload.classes:
        return X, random.integers(0, outputs, workload.samples)
    return X, random.standard_normal((workload.samples, outputs), np.float32)


def sample_weights(workload: Workload) -> np.ndarray | None:
    """The weight of each sample, around 1, if the workload has them."""
    if not workload.weighted:
        return None
    return np.random.default_rng(2).uniform(0.5, 1.5, workload.samples).astype(np.float32)


def as_floats(X: np.ndarray) -> np.ndarray:
    """Bytes as rows of float32 fractions of 255, for libraries that take no bytes; converted before timing starts."""
    return X.reshape(len(X), -1).astype(np.float32) / 255 if X.dtype == np.uint8 else X


def initial_weights(workload: Workload) -> list[tuple[np.ndarray, np.ndarray]]:
    """Weights (inputs, units) and biases of each layer, the same for all peers."""
    random = np.random.default_rng(1)
    return [
        (
            random.standard_normal((inputs, units), np.float32) * np.float32((2 / inputs) ** 0.5),
            random.standard_normal(units, np.float32) * np.float32(0.1),
        )
        for inputs, units in pairwise(workload.layers)
    ]


def outputs(workload: Workload, X: np.ndarray) -> np.ndarray:
    """The outputs of the network with its initial weights, in double precision."""
    *hidden, (weight, bias) = initial_weights(workload)
    values = X.astype(np.float64)
    for w, b in hidden:
        values = np.maximum(values @ w + b, 0)
    values = values @ weight + bias
    if not workload.classes:
        return values
    exponentials = np.exp(values - values.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)
