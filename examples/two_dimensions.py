"""Three problems of two features: XOR, two moons, and a spiral of three arms; what each network says of every place.

    python examples/two_dimensions.py --output regions.png

It prints how many of the four points of XOR are right, and the accuracy on points of the moons and of the spiral that
were not trained on.
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from fastmlp import Adam, Dense, Sequential, plot_decision_regions


def xor() -> tuple[np.ndarray, np.ndarray]:
    """The four points, of class 1 where exactly one of the two is 1."""
    X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    return X, np.array([0, 1, 1, 0])


def moons(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two half circles that reach into each other, a little blurred."""
    y = np.arange(count) % 2
    angle = np.pi * rng.random(count)
    X = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    X[y == 1] = (1.0, 0.5) - X[y == 1]
    return X + rng.normal(scale=0.1, size=X.shape), y


def spiral(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Three arms that wind around the middle, a little blurred."""
    y = np.arange(count) % 3
    radius = rng.random(count)
    angle = 2 * np.pi * y / 3 + 4 * radius + rng.normal(scale=0.12, size=count)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), y


def main() -> None:
    """Train on each problem, print the accuracies and draw the regions."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("two_dimensions.png"), help="file of the picture")
    parser.add_argument("--seed", type=int, default=0, help="key of the points and of the initial weights")
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    figure = Figure(figsize=(16, 4.4), layout="constrained")
    left, middle, right = figure.subplots(1, 3)

    X, y = xor()
    model = Sequential([Dense(4, "tanh"), Dense(1, "sigmoid")], optimizer=Adam(0.05), seed=options.seed)
    model.fit(X, y, epochs=500, batch_size=None, verbose=0)
    print(f"XOR: {np.count_nonzero(model.predict_classes(X) == y)} of 4")
    plot_decision_regions(model, X, y, ax=left).set_title("XOR", loc="left", fontweight="bold")

    for name, draw, ax, units, classes in (("moons", moons, middle, 16, 2), ("spiral", spiral, right, 48, 3)):
        (X, y), (X_test, y_test) = draw(1_200, rng), draw(1_200, rng)
        layers = [Dense(units, "relu"), Dense(units, "relu"), Dense(classes, "softmax")]
        model = Sequential(layers, optimizer=Adam(0.01), seed=options.seed)
        model.fit(X, y, epochs=100, batch_size=32, verbose=0)
        print(f"{name}: {100 * model.evaluate(X_test, y_test)['accuracy']:.2f} % of the held-out points")
        plot_decision_regions(model, X_test, y_test, ax=ax).set_title(name, loc="left", fontweight="bold")
    figure.savefig(options.output, dpi=150)
    print(f"picture: {options.output}")


if __name__ == "__main__":
    main()
