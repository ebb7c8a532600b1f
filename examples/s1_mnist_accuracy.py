"""MNIST, the official split, over ten seeds: the mean test accuracy of a 784-512-256-10 network.

The learning rate falls along a cosine, and dropout keeps the network from learning single samples by heart. Width,
dropout, batch and learning rate were chosen by `--tune`, which looks at the last 10,000 training samples only and never
at the test set. Compiling the kernels, which happens once in the life of an installation, is counted apart.

    python examples/s1_mnist_accuracy.py --data FOLDER
    python examples/s1_mnist_accuracy.py --data FOLDER --tune --seeds 1
"""

import argparse
import os
import statistics
import time
from typing import NamedTuple

import numpy as np

from fastmlp import Adam, Dense, Dropout, Flatten, Sequential, load_mnist
from fastmlp.schedules import CosineDecay

Part = tuple[np.ndarray, np.ndarray]  # samples and their classes
HELD_OUT = 10_000  # training samples that judge a choice


class Choice(NamedTuple):
    """What can be tuned."""

    units: tuple[int, ...] = (512, 256)
    input_dropout: float = 0.1
    dropout: float = 0.3
    batch_size: int = 128
    learning_rate: float = 0.001


CHOICES = (
    Choice(),
    Choice(units=(512, 512), dropout=0.4),
    Choice(units=(512, 512), input_dropout=0.2, dropout=0.4, learning_rate=0.002),
    Choice(units=(1024, 512), dropout=0.5, batch_size=256),
)


def build(choice: Choice, steps: int, seed: int) -> Sequential:
    """The network, with a learning rate that falls to zero over all steps."""
    hidden = [layer for units in choice.units for layer in (Dense(units, "relu"), Dropout(choice.dropout))]
    layers = [Flatten(), Dropout(choice.input_dropout), *hidden, Dense(10, "softmax")]
    return Sequential(layers, optimizer=Adam(CosineDecay(choice.learning_rate, steps)), seed=seed)


def run(choice: Choice, train: Part, test: Part, epochs: int, seed: int) -> tuple[float, float]:
    """Accuracy on `test`, and the seconds of training."""
    steps = epochs * -(-len(train[0]) // choice.batch_size)
    model = build(choice, steps, seed)
    start = time.perf_counter()
    model.fit(*train, epochs=epochs, batch_size=choice.batch_size, verbose=0)
    seconds = time.perf_counter() - start
    return model.evaluate(*test)["accuracy"], seconds


def tune(X: np.ndarray, y: np.ndarray, epochs: int, seeds: int) -> None:
    """Print how good each choice is on training samples that were held out."""
    held_out = min(HELD_OUT, len(X) // 6)
    parts = (X[:-held_out], y[:-held_out]), (X[-held_out:], y[-held_out:])
    for choice in CHOICES:
        mean = statistics.mean(run(choice, *parts, epochs, seed)[0] for seed in range(seeds))
        print(f"{mean:.2%} held out: {choice}", flush=True)


def assess(train: Part, test: Part, epochs: int, seeds: int) -> None:
    """Print the accuracy of the network on the test set: of each seed, and the mean."""
    results = []
    for seed in range(seeds):
        results.append(run(Choice(), train, test, epochs, seed))
        print(f"seed {seed}: test accuracy {results[-1][0]:.2%} after {results[-1][1]:.1f} s", flush=True)
    accuracies, seconds = zip(*results, strict=True)
    print(
        f"{seeds} seeds on {len(os.sched_getaffinity(0))} cores: mean test accuracy {statistics.mean(accuracies):.2%}, "
        f"lowest {min(accuracies):.2%}, {sum(seconds):.1f} s of training"
    )


def main() -> None:
    """Compile, then tune or train and test."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", default=os.environ.get("FASTMLP_MNIST"), help="folder with the four IDX files"
    )
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--samples", type=int, default=60_000, help="the first N training samples")
    parser.add_argument(
        "--tune", action="store_true", help="compare the choices on held-out training samples"
    )
    options = parser.parse_args()
    data = load_mnist(options.data)
    X, y = data.x_train[: options.samples], data.y_train[: options.samples]
    start = time.perf_counter()
    run(Choice(), (X[:256], y[:256]), (X[:256], y[:256]), epochs=1, seed=0)
    print(f"compiling, or loading what was compiled: {time.perf_counter() - start:.1f} s", flush=True)
    if options.tune:
        tune(X, y, options.epochs, options.seeds)
    else:
        assess((X, y), (data.x_test, data.y_test), options.epochs, options.seeds)


if __name__ == "__main__":
    main()
