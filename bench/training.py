"""Whole epochs of training: samples a second against the NumPy reference with its BLAS on all cores."""

import os
import time
from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import numpy as np

from .rivals import Rival, duel, table


class Workload(NamedTuple):
    """A network and how it is trained."""

    layers: tuple[int, ...]
    batch_size: int


WORKLOADS = {
    "small": Workload((128, 64), 64),
    "medium": Workload((512, 256), 128),
    "large": Workload((1024, 1024), 256),
}


INPUTS = ("images", "Gaussian")


def samples(inputs: str) -> tuple[np.ndarray, np.ndarray]:
    """60,000 samples of 784 numbers in 10 classes: MNIST (without it, the synthetic digits), or dense noise."""
    import fastmlp

    folder = os.environ.get("FASTMLP_MNIST")
    data = fastmlp.load_idx_folder(folder) if folder else fastmlp.load_synthetic()
    if inputs == "images":
        return data.x_train, data.y_train
    random = np.random.default_rng(0)
    return random.standard_normal(data.x_train.shape, np.float32), data.y_train


def epochs(name: str, inputs: str, engine: str) -> Iterator[float]:
    """Seconds of each shuffled epoch, float32, Adam."""
    import fastmlp

    workload, (X, y) = WORKLOADS[name], samples(inputs)
    hidden = [fastmlp.Dense(units, "relu") for units in workload.layers]
    model = fastmlp.Sequential([fastmlp.Flatten(), *hidden, fastmlp.Dense(10, "softmax")])
    while True:
        start = time.perf_counter()
        model.fit(X, y, epochs=1, batch_size=workload.batch_size, engine=engine, verbose=0)
        yield time.perf_counter() - start


def compare(rounds: int) -> str:
    """The table of all workloads."""
    lines = []
    for inputs, (name, workload) in product(INPUTS, WORKLOADS.items()):
        result = duel(
            Rival("fastmlp", "training:epochs", name, inputs, "kernels"),
            Rival("NumPy", "training:epochs", name, inputs, "reference"),
            rounds,
        )
        network = "-".join(str(units) for units in (784, *workload.layers, 10))
        low, high = result.spread
        speed = 60_000 / sorted(result.ours)[len(result.ours) // 2]
        lines.append(
            [
                f"{name} {network}",
                inputs,
                str(workload.batch_size),
                f"{result.ratio:.2f}",
                f"{low:.2f} - {high:.2f}",
                f"{speed:,.0f}",
            ]
        )
    return table(["network", "input", "batch", "times NumPy", "range", "samples/s here"], lines)
