"""Many small models, trained by a loop of `fit`: also as a script for another version of fastmlp.

`python loop_of_fits.py TASK MODELS` prints the seconds of the loop. It uses nothing that the first version lacks.
"""

import sys
import time
from typing import NamedTuple

import numpy as np

from fastmlp import Adam, Dense, EarlyStopping, Sequential


class Task(NamedTuple):
    """Many models of one shape."""

    name: str
    title: str
    widths: tuple[int, ...]
    samples: int
    epochs: int
    batch: int | None
    validates: bool


TABLE = Task("table", "10-45-45-10 on 2,000 rows, 10 epochs, batch 64", (10, 45, 45, 10), 2000, 10, 64, False)
IRIS = Task("iris", "4-16-3 on iris, 100 full-batch epochs, early stopping", (4, 16, 3), 150, 100, None, True)


def rate(seed: int) -> float:
    """Each model has a learning rate of its own."""
    return 0.001 * (1 + seed % 7)


def models(task: Task, count: int) -> list[Sequential]:
    """The models, with seeds and rates of their own."""
    *hidden, last = task.widths[1:]
    return [
        Sequential(
            [*(Dense(units, "relu") for units in hidden), Dense(last, "softmax")], seed=seed, optimizer=Adam(rate(seed))
        )
        for seed in range(count)
    ]  # fmt: skip


def samples(task: Task) -> tuple[np.ndarray, np.ndarray]:
    """Gaussian columns, and classes that a linear map of them decides."""
    random = np.random.default_rng(0)
    X = random.normal(size=(task.samples, task.widths[0])).astype("float32")
    return X, (X @ random.normal(size=(task.widths[0], task.widths[-1]))).argmax(axis=1)


def halves(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows to train on, and to validate with."""
    rows = np.arange(count)
    return rows[: count * 4 // 5], rows[count * 4 // 5 :]


def fit_all(task: Task, count: int) -> None:
    """One `fit` after the other."""
    X, y = samples(task)
    training, validation = halves(len(X))
    for model in models(task, count):
        if task.validates:
            stopping = EarlyStopping(patience=task.epochs, restore_best_weights=True)
            model.fit(
                X[training], y[training], validation_data=(X[validation], y[validation]), callbacks=[stopping],
                epochs=task.epochs, batch_size=task.batch, verbose=0,
            )  # fmt: skip
        else:
            model.fit(X, y, epochs=task.epochs, batch_size=task.batch, verbose=0)


if __name__ == "__main__":
    chosen = {task.name: task for task in (TABLE, IRIS)}[sys.argv[1]]
    fit_all(chosen, 2)
    started = time.perf_counter()
    fit_all(chosen, int(sys.argv[2]))
    print(time.perf_counter() - started)
