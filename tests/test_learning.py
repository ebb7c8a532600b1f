"""What is learnt: digits, XOR, functions, several labels."""

import numpy as np
import pytest

from fastmlp import Adam, Dense, Dropout, Flatten, Sequential, synthetic_digits
from tests.digits import OPTIMIZERS
from tests.mnist import mnist, needs_mnist


@needs_mnist
def test_mnist():
    data = mnist()
    model = Sequential(
        [Flatten(), Dense(512, "relu"), Dropout(0.2), Dense(256, "relu"), Dropout(0.2), Dense(10, "softmax")]
    )
    model.fit(data.x_train, data.y_train, epochs=5, batch_size=128, verbose=0)
    assert data.x_train.dtype == np.uint8
    assert model.evaluate(data.x_test, data.y_test)["accuracy"] >= 0.978


def test_synthetic_digits():
    images, labels = synthetic_digits(21_000)
    model = Sequential([Flatten(), Dense(128, "relu"), Dense(64, "relu"), Dense(10, "softmax")])
    model.fit(images[:20_000], labels[:20_000], epochs=5, batch_size=50, verbose=0)
    assert model.evaluate(images[20_000:], labels[20_000:])["accuracy"] >= 0.95


@pytest.mark.parametrize("activation", ["tanh", "relu", "leaky_relu", "sigmoid"])
def test_xor(activation):
    X, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32"), [0, 1, 1, 0]
    model = Sequential([Dense(16, activation), Dense(2, "softmax")], optimizer=Adam(0.05))
    model.fit(X, y, epochs=300, batch_size=None, verbose=0)
    assert model.predict_classes(X).tolist() == y
    assert model.evaluate(X, y)["accuracy"] == 1


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_regression(optimizer):
    X = np.linspace(-1, 1, 200)[:, None]
    model = Sequential([Dense(20, "tanh"), Dense(1)], optimizer=OPTIMIZERS[optimizer])
    assert model.loss.name == "mean_squared_error"
    before = model.build(1).evaluate(X, X**2)["loss"]
    model.fit(X, X**2, epochs=100, batch_size=20, verbose=0)
    assert model.evaluate(X, X**2)["loss"] < before / 20


def test_multi_label():
    X = np.random.default_rng(0).normal(size=(400, 3))
    y = X > 0
    model = Sequential([Dense(16, "relu"), Dense(3, "sigmoid")], optimizer=Adam(0.01))
    assert model.loss.name == "binary_cross_entropy"
    model.fit(X, y, epochs=40, verbose=0)
    assert model.evaluate(X, y)["accuracy"] > 0.95
    assert ((model.predict(X) > 0.5) == y).mean() == pytest.approx(model.evaluate(X, y)["accuracy"])


@pytest.mark.parametrize("engine", ["kernels", "reference"])
def test_regression_of_several_outputs(engine):
    X = np.random.default_rng(0).uniform(-1, 1, (300, 2))
    y = np.stack([X.sum(axis=1), X.prod(axis=1), np.abs(X[:, 0])], axis=1)
    model = Sequential([Dense(40, "tanh"), Dense(3)], optimizer=Adam(0.01))
    model.fit(X, y, epochs=60, engine=engine, verbose=0)
    found = model.evaluate(X, y)
    error = model.predict(X) - y
    assert found == pytest.approx(
        {"loss": (error**2).mean(), "mean_absolute_error": np.abs(error).mean()}, rel=1e-4
    )
    assert found["loss"] < y.var(axis=0).mean() / 20
