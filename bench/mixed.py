"""The accuracy that mixed precision reaches on the test images, against that of float32, over several seeds.

The learning rate decays to 0, as the accuracy of a network that still moves is mostly chance.
"""

import os
from collections.abc import Iterator
from statistics import mean

from .accuracy import BATCH_SIZE, DROPOUT, LAYERS
from .settings import Figures, Settings
from .workloads import images

DTYPES = ("float32", "mixed_bfloat16")
EPOCHS, RATE = 5, 0.001
SEEDS = 5
GOAL = 0.001  # how far the means may be apart


def steps(settings: Settings) -> int:
    """Steps of progress: the seeds."""
    return SEEDS


def run(settings: Settings, figures: Figures) -> Iterator[str]:
    """Train a network of each kind for each seed, both at once on cores of their own, and evaluate them."""
    from fastmlp import Adam, Dense, Dropout, Flatten, Sequential, fit_many
    from fastmlp.schedules import CosineDecay

    X, y, X_test, y_test = images()
    reached: dict[str, list[float]] = {dtype: [] for dtype in DTYPES}
    steps_of_all = EPOCHS * -(-len(X) // BATCH_SIZE)
    network = "-".join(map(str, (X[0].size, *LAYERS, 10)))
    for seed in range(SEEDS):
        models = {}
        for dtype in DTYPES:
            hidden = [layer for units in LAYERS for layer in (Dense(units, "relu"), Dropout(DROPOUT))]
            models[dtype] = Sequential(
                [Flatten(), *hidden, Dense(10, "softmax")], optimizer=Adam(CosineDecay(RATE, steps_of_all)), seed=seed,
                dtype=dtype,
            )  # fmt: skip
        fit_many(list(models.values()), X, y, epochs=EPOCHS, batch_size=BATCH_SIZE, verbose=0)
        for dtype, model in models.items():
            reached[dtype].append(model.evaluate(X_test, y_test)["accuracy"])
        figures["mixed"] = {
            "title": f"{network}, dropout {DROPOUT}, batch {BATCH_SIZE}, adam with a cosine decay, {EPOCHS} epochs",
            "data": "MNIST" if os.environ.get("FASTMLP_MNIST") else "synthetic digits",
            "accuracy": reached, "seeds": SEEDS, "goal": GOAL,
        }  # fmt: skip
        yield f"mixed precision, seed {seed}"


def check(figures: Figures) -> dict:
    """Whether the means over all seeds are near each other, in words."""
    single, mixed = (mean(numbers) for numbers in figures["accuracy"].values())
    count = len(figures["accuracy"]["float32"])
    return {
        "name": f"test accuracy of mixed_bfloat16 on {figures['data']}: {figures['title']}",
        "goal": f"within {100 * figures['goal']:g} points of float32, means of {figures['seeds']} seeds, on MNIST",
        "reached": f"{mixed:.3%}, float32 {single:.3%}; means of {count} seeds",
        "met": figures["data"] == "MNIST"
        and count == figures["seeds"]
        and abs(mixed - single) <= figures["goal"],
    }
