"""MNIST from CSV files: 784-128-32-10 with ReLU, full-batch gradient descent, above 90 % after 200 epochs.

The files have 785 columns, the label first, and no header: `mnist_train.csv` and `mnist_test.csv`, plain or `.gz`.
A folder with the four IDX files of MNIST will do too: CSV files are made of them in a temporary folder, which goes
away afterwards. Without `--data` it is the folder that the variable FASTMLP_MNIST names, or MNIST is downloaded.

    python examples/s4_mnist_csv.py --data FOLDER
    python examples/s4_mnist_csv.py --data FOLDER --compare --epochs 30  # the kernels and plain NumPy, in turn
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from fastmlp import SGD, Dense, Sequential, StandardScaler, load_csv, load_mnist

TRAIN, TEST = "mnist_train", "mnist_test"
EVERY = 10  # epochs between two lines
TURN = 5  # epochs of one engine before the other: threads of a BLAS go on spinning for a while


def main() -> None:
    """Read, train, and say how it goes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", default=os.environ.get("FASTMLP_MNIST"), help="folder with CSV or IDX files"
    )
    parser.add_argument("--samples", type=int, default=20_000, help="the first N training samples")
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--compare", action="store_true", help="time the kernels and plain NumPy, in turn")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as spare:
        train_file, test_file = find_files(options.data, Path(spare))
        start = time.perf_counter()
        train, test = (load_csv(file, label=0, header=False) for file in (train_file, test_file))
        print(f"read {len(train.X):,} and {len(test.X):,} samples in {time.perf_counter() - start:.1f} s")
    X, y = train.X[: options.samples], train.y[: options.samples]
    if options.compare:
        compare(X, y, options.epochs)
    else:
        learn(X, y, test.X, test.y, options.epochs)


def find_files(folder: str | None, spare: Path) -> list[Path]:
    """The two CSV files of the folder; of one without them, files made in the spare folder."""
    found = [sorted(Path(folder).glob(f"{name}*.csv*")) for name in (TRAIN, TEST)] if folder else []
    if found and all(found):
        return [paths[0] for paths in found]
    data = load_mnist(folder)
    paths = [spare / f"{name}.csv" for name in (TRAIN, TEST)]
    for path, images, labels in zip(
        paths, (data.x_train, data.x_test), (data.y_train, data.y_test), strict=True
    ):
        np.savetxt(path, np.column_stack([labels, images.reshape(len(images), -1)]), fmt="%d", delimiter=",")
    return paths


def build() -> Sequential:
    """The network and its optimizer."""
    return Sequential(
        [StandardScaler(axis=None), Dense(128, "relu"), Dense(32, "relu"), Dense(10, "softmax")],
        optimizer=SGD(learning_rate=0.03),
    )


def learn(X: np.ndarray, y: np.ndarray, X_test: np.ndarray, y_test: np.ndarray, epochs: int) -> None:
    """Train, and print cost and accuracy of both parts every ten epochs."""
    model = build()
    seconds = 0.0
    for epoch in range(0, epochs, EVERY):
        start = time.perf_counter()
        model.fit(X, y, epochs=min(EVERY, epochs - epoch), batch_size=None, verbose=0)
        seconds += time.perf_counter() - start
        scores = [model.evaluate(X, y), model.evaluate(X_test, y_test)]
        costs, accuracies = ([f"{score[name]:.4f}" for score in scores] for name in ("loss", "accuracy"))
        print(
            f"epoch {min(epoch + EVERY, epochs):3}  cost: train {costs[0]}, test {costs[1]}"
            f"  accuracy: train {accuracies[0]}, test {accuracies[1]}"
        )
    print(f"trained on {len(X):,} samples for {epochs} epochs in {seconds:.1f} s")
    print(f"test accuracy {accuracies[1]}")


def compare(X: np.ndarray, y: np.ndarray, epochs: int) -> None:
    """Train the same with both engines, in turn, and print the median seconds of an epoch and their ratio."""
    models = {"kernels": build(), "reference": build()}
    for engine, model in models.items():  # what compiles and allocates is not timed
        model.fit(X, y, epochs=1, batch_size=None, engine=engine, verbose=0)
    for epoch in range(0, epochs, TURN):
        for engine, model in models.items():
            model.fit(X, y, epochs=min(TURN, epochs - epoch), batch_size=None, engine=engine, verbose=0)
    medians = {engine: statistics.median(model.history["seconds"][1:]) for engine, model in models.items()}
    for engine, model in models.items():
        cost = model.history["loss"][-1]
        print(f"{engine}: {medians[engine]:.4f} s an epoch, median of {epochs}; cost {cost:.4f} at the end")
    print(f"the kernels are {medians['reference'] / medians['kernels']:.2f} times as fast")


if __name__ == "__main__":
    main()
