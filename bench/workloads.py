"""What is trained: networks, data and settings that all rivals share."""

import os
from typing import NamedTuple

import numpy as np


class Workload(NamedTuple):
    """A network and how it is trained: ReLU between the layers, shuffled epochs, float32."""

    name: str
    layers: tuple[int, ...]
    batch_size: int
    inputs: str  # "images" or "Gaussian"
    optimizer: str = "adam"
    samples: int = 60_000
    classes: bool = True  # else regression

    @property
    def steps(self) -> int:
        """Steps of an epoch."""
        return -(-self.samples // self.batch_size)


_SMALL, _MEDIUM, _LARGE = (784, 128, 64, 10), (784, 512, 256, 10), (784, 1024, 1024, 10)

WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("small", _SMALL, 64, "images"),
        Workload("medium", _MEDIUM, 128, "images"),
        Workload("large", _LARGE, 256, "images"),
        Workload("small-dense", _SMALL, 64, "Gaussian"),
        Workload("medium-dense", _MEDIUM, 128, "Gaussian"),
        Workload("large-dense", _LARGE, 256, "Gaussian"),
        Workload("stochastic", _SMALL, 1, "images", optimizer="sgd", samples=10_000),
        Workload("tiny", (10, 45, 45, 10), 128, "Gaussian", samples=128_000, classes=False),
    )
}


def data(workload: Workload) -> tuple[np.ndarray, np.ndarray]:
    """Samples and targets. Images: MNIST, from the folder in FASTMLP_MNIST, else the synthetic digits; as bytes."""
    random = np.random.default_rng(0)
    features, outputs = workload.layers[0], workload.layers[-1]
    if workload.inputs == "images":
        import fastmlp

        folder = os.environ.get("FASTMLP_MNIST")
        images = fastmlp.load_idx_folder(folder) if folder else fastmlp.load_synthetic()
        flat = images.x_train.reshape(len(images.x_train), -1)
        return flat[: workload.samples], images.y_train[: workload.samples].astype(np.int64)
    X = random.standard_normal((workload.samples, features), np.float32)
    if workload.classes:
        return X, random.integers(0, outputs, workload.samples)
    return X, random.standard_normal((workload.samples, outputs), np.float32)


def as_floats(X: np.ndarray) -> np.ndarray:
    """What a library without bytes is given, converted before the clock starts."""
    return X.astype(np.float32) / 255 if X.dtype == np.uint8 else X
