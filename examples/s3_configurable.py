"""The network of any shape: XOR with 2-4-1 for many seeds, and digits with 784-128-64-10 for fifty epochs.

Four hidden units can get stuck on XOR, whatever the optimizer. What helps is scaling the inputs to -1 and 1, and one
sample a step, in an order that changes. Both were chosen on other seeds than those that are counted here.

    python examples/s3_configurable.py
"""

import argparse
import os

import numpy as np

from fastmlp import Adam, Dense, Flatten, Sequential, StandardScaler, load_mnist, load_synthetic

XOR = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32), np.array([0, 1, 1, 0], np.float32)


def learn_xor(seed: int) -> int:
    """How many of the four are right."""
    layers = [StandardScaler(), Dense(4, "tanh"), Dense(1, "sigmoid")]
    model = Sequential(layers, optimizer=Adam(0.1), seed=seed)
    model.fit(*XOR, epochs=300, batch_size=1, verbose=0)
    return int((model.predict_classes(XOR[0]) == XOR[1]).sum())


def learn_digits(folder: str | None, samples: int, epochs: int) -> tuple[float, float]:
    """Test accuracy and seconds of training; of MNIST where there is such a folder, else of the drawn digits."""
    data = load_mnist(folder) if folder else load_synthetic()
    model = Sequential([Flatten(), Dense(128, "relu"), Dense(64, "relu"), Dense(10, "softmax")])
    model.fit(data.x_train[:samples], data.y_train[:samples], epochs=epochs, batch_size=64, verbose=0)
    return model.evaluate(data.x_test, data.y_test)["accuracy"], sum(model.history["seconds"])


def main() -> None:
    """Both tasks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", default=os.environ.get("FASTMLP_MNIST"), help="folder with the four IDX files of MNIST"
    )
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--more-seeds", type=int, default=100, help="how many seeds after those")
    parser.add_argument("--samples", type=int, default=60_000, help="the first N training samples")
    parser.add_argument("--epochs", type=int, default=50)
    options = parser.parse_args()
    end = options.seeds + options.more_seeds
    for seeds in (range(options.seeds), range(options.seeds, end)):
        solved = [learn_xor(seed) for seed in seeds].count(4)
        print(f"XOR, 2-4-1: 4 of 4 for {solved} of the {len(seeds)} seeds from {seeds.start}", flush=True)
    accuracy, seconds = learn_digits(options.data, options.samples, options.epochs)
    print(f"digits, 784-128-64-10: test accuracy {accuracy:.2%} after {seconds:.1f} s of training")


if __name__ == "__main__":
    main()
