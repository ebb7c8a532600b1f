"""The accuracy that the training of the benchmarks reaches on the test images."""

import os
import time
from collections.abc import Iterator

from .settings import Figures, Settings
from .workloads import images

GOAL = 0.98
LAYERS, DROPOUT, BATCH_SIZE, EPOCHS = (512, 256), 0.2, 128, 15


def steps(settings: Settings) -> int:
    """Steps of progress: the epochs."""
    return EPOCHS


def run(settings: Settings, figures: Figures) -> Iterator[str]:
    """Train and evaluate epoch by epoch; only the training is timed."""
    from fastmlp import Dense, Dropout, Flatten, Sequential

    X, y, X_test, y_test = images()
    hidden = [layer for units in LAYERS for layer in (Dense(units, "relu"), Dropout(DROPOUT))]
    model = Sequential([Flatten(), *hidden, Dense(10, "softmax")])
    reached, seconds = [], 0.0
    data = "MNIST" if os.environ.get("FASTMLP_MNIST") else "synthetic digits"
    for epoch in range(1, EPOCHS + 1):
        start = time.perf_counter()
        model.fit(X, y, epochs=1, batch_size=BATCH_SIZE, verbose=0)
        seconds += time.perf_counter() - start
        reached.append(model.evaluate(X_test, y_test)["accuracy"])
        network = "-".join(map(str, (X[0].size, *LAYERS, 10)))
        figures["accuracy"] = {
            "title": f"{network}, dropout {DROPOUT}, batch {BATCH_SIZE}, adam",
            "data": data, "accuracy": reached, "seconds": seconds, "goal": GOAL,
        }  # fmt: skip
        yield f"accuracy, epoch {epoch}"
