"""Gradient descent in three ways: on all samples at once, on one at a time, and on mini-batches, on one picture.

    python examples/s5_three_ways.py --output three_ways.png
    python examples/s5_three_ways.py --data mnist --layers 300 100 30 --activations tanh relu relu --samples 20000

The network has any number of layers. Each way starts from the same weights, and has a learning rate of its own: a
single sample bears only short steps. The data are the digits that the package draws, MNIST
(`--data mnist`, downloaded once), or those of a folder with the four files of MNIST.
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fastmlp import (
    SGD,
    DataSet,
    Dense,
    Flatten,
    History,
    Sequential,
    load_idx_folder,
    load_mnist,
    load_synthetic,
)

WAYS = ("batch", "stochastic", "mini-batch")


def main() -> None:
    """Train in the three ways, print how each ended, and draw their curves."""
    options = parse()
    data = read(options.data, options.samples, options.test_samples)
    sizes = (None, 1, options.batch_size)
    make(options).fit(data.x_train[:2], data.y_train[:2], epochs=1, verbose=0)  # what has to be compiled, is
    histories = {}
    for way, size, rate in zip(WAYS, sizes, options.learning_rates, strict=True):
        model = make(options, rate)
        histories[way] = model.fit(
            data.x_train, data.y_train, epochs=options.epochs, batch_size=size,
            validation_data=(data.x_test, data.y_test), verbose=0,
        )  # fmt: skip
        steps = -(-len(data.x_train) // (size or len(data.x_train))) * options.epochs
        print(
            f"{way:<10}  {steps:>9,} steps  {sum(histories[way]['seconds']):>7.2f} s"
            f"  loss {histories[way]['loss'][-1]:.4f}  test accuracy {histories[way]['val_accuracy'][-1]:.4f}"
        )
    draw(histories, f"{data.name}: {describe(options)}", options.output)
    print(f"picture: {options.output}")


def parse() -> argparse.Namespace:
    """What the user asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="synthetic", help="synthetic, mnist, or a folder of IDX files")
    parser.add_argument("--samples", type=int, default=10_000, help="the first N training samples")
    parser.add_argument("--test-samples", type=int, default=2_000, help="the first N test samples")
    parser.add_argument("--layers", type=int, nargs="+", default=[128, 64], help="units of each hidden layer")
    parser.add_argument(
        "--activations", nargs="+", default=["relu"], help="of each hidden layer, or one for all"
    )
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch-size", type=int, default=32, help="samples of a mini-batch")
    parser.add_argument(
        "--learning-rates", type=float, nargs=3, default=[0.1, 0.01, 0.1], metavar=("BATCH", "ONE", "MINI")
    )
    parser.add_argument("--seed", type=int, default=0, help="key of the initial weights and of the shuffling")
    parser.add_argument("--output", type=Path, default=Path("three_ways.png"), help="file of the picture")
    options = parser.parse_args()
    if len(options.activations) == 1:
        options.activations *= len(options.layers)
    if len(options.activations) != len(options.layers):
        parser.error(f"--activations: expected 1 or {len(options.layers)}, got {len(options.activations)}")
    return options


def read(name: str, samples: int, test_samples: int) -> DataSet:
    """The data, or the first part of them."""
    if name == "synthetic":
        return load_synthetic(samples, test_samples)
    data = load_mnist() if name == "mnist" else load_idx_folder(name)
    train, test = slice(samples), slice(test_samples)
    return DataSet(data.x_train[train], data.y_train[train], data.x_test[test], data.y_test[test], data.name)


def make(options: argparse.Namespace, learning_rate: float = 0.1) -> Sequential:
    """The network, with the same initial weights each time."""
    hidden = [Dense(*layer) for layer in zip(options.layers, options.activations, strict=True)]
    layers = [Flatten(), *hidden, Dense(10, "softmax")]
    return Sequential(layers, optimizer=SGD(learning_rate), seed=options.seed)


def describe(options: argparse.Namespace) -> str:
    """The network in a few words."""
    hidden = zip(options.layers, options.activations, strict=True)
    return " - ".join(["28 x 28", *(f"{units} {activation}" for units, activation in hidden), "10 softmax"])


def draw(histories: dict[str, History], title: str, output: Path) -> None:
    """Loss by epochs and by seconds, and the test accuracy by epochs."""
    figure = Figure(figsize=(13, 4), layout="constrained")
    figure.suptitle(title, fontsize=11)
    by_epoch, by_time, accuracy = figure.subplots(1, 3)
    for style, (way, history) in zip(("-", ":", "--"), histories.items(), strict=True):
        look = {"linestyle": style, "linewidth": 2, "label": way}
        by_epoch.plot(history.epochs, history["loss"], **look)
        by_time.plot(np.cumsum(history["seconds"]), history["loss"], **look)
        accuracy.plot(history.epochs, history["val_accuracy"], **look)
    by_epoch.set(title="training loss by epochs", xlabel="epoch")
    by_time.set(title="training loss by time", xlabel="seconds")
    accuracy.set(title="test accuracy by epochs", xlabel="epoch")
    for ax in (by_epoch, accuracy):
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    for ax in (by_epoch, by_time, accuracy):
        ax.grid(alpha=0.3)
        ax.set_ylim(bottom=0)
    by_epoch.legend()
    figure.savefig(output, dpi=150)


if __name__ == "__main__":
    main()
