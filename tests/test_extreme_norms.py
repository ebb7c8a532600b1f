"""Norms, deviations and scores of numbers whose squares overflow or underflow their type."""

import numpy as np
import pytest

from fastmlp import SGD, Dense, MinMaxScaler, Sequential, StandardScaler
from fastmlp.initializers import FromArray
from fastmlp.metrics import r2, root_mean_squared_error

HALF = np.sqrt(0.5)  # of a gradient of two equal numbers, each is this part of its norm
ENGINES = ("kernels", "reference")


def one_step(y, optimizer, *, engine="kernels", dtype="float32", **options):
    """The weight and the bias after one step from 0 whose gradient is -2 y for both."""
    model = Sequential(
        [Dense(1, initializer="zeros", **options)],
        loss="mean_squared_error",
        optimizer=optimizer,
        dtype=dtype,
    )
    model.fit([[1.0]], [y], epochs=1, verbose=0, engine=engine)
    return np.array([model.layers[0].weight[0, 0], model.layers[0].bias[0]])


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("dtype", "sizes"), [("float32", (1e19, 1e-30)), ("float64", (1e153, 1e-170))])
def test_global_norm_of_extreme_gradients(dtype, sizes, engine):
    large, small = sizes
    moved = one_step(large, SGD(1.0, global_clip_norm=1.0), engine=engine, dtype=dtype)
    np.testing.assert_allclose(moved, HALF, rtol=1e-6)
    moved = one_step(small, SGD(1.0, global_clip_norm=small), engine=engine, dtype=dtype)
    np.testing.assert_allclose(moved, HALF * small, rtol=1e-6)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("dtype", "sizes"), [("float32", (1e19, 1e-30)), ("float64", (1e153, 1e-170))])
def test_own_norms_of_extreme_gradients(dtype, sizes, engine):
    large, small = sizes
    moved = one_step(large, SGD(1.0, clip_norm=1.0), engine=engine, dtype=dtype)
    np.testing.assert_allclose(moved, 1.0, rtol=1e-6)
    moved = one_step(small, SGD(1.0, clip_norm=small), engine=engine, dtype=dtype)
    np.testing.assert_allclose(moved, small, rtol=1e-6)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("dtype", "sizes"), [("float32", (3e38, 1e19, 1e-30)), ("float64", (1e308, 1e160, 1e-170))]
)
def test_largest_norm_of_extreme_weights(dtype, sizes, engine):
    for size in sizes:
        limit = 1.0 if size > 1 else size
        start = np.full((4, 20), size)
        model = Sequential(
            [Dense(20, initializer=FromArray(start), max_norm=limit)], optimizer=SGD(1e-3), dtype=dtype
        )
        model.build(4)
        model.fit(np.zeros((2, 4)), np.zeros((2, 20)), epochs=1, verbose=0, engine=engine)
        np.testing.assert_allclose(model.layers[0].weight, limit / 2, rtol=1e-6)


def test_the_same_bits_for_any_number_of_threads():
    X = np.random.default_rng(0).normal(size=(500, 40)).astype(np.float32)
    y = 1e17 * X[:, :3]
    trained = set()
    for threads in (1, 2, 3, 4):
        model = Sequential([Dense(50, "relu"), Dense(3)], optimizer=SGD(0.1, global_clip_norm=1.0))
        model.fit(X, y, epochs=1, batch_size=64, threads=threads, verbose=0)
        trained.add(model.network.params.tobytes())
    assert len(trained) == 1


@pytest.mark.parametrize("axis", [0, None])
@pytest.mark.parametrize("size", [1e-200, 1e200])
@pytest.mark.parametrize("scaler", [StandardScaler, MinMaxScaler])
def test_scalers(scaler, size, axis):
    X = np.random.default_rng(1).normal(size=(50, 3))
    scaled = [
        scaler(axis=axis).build(3, dtype="float64").adapt(given).forward(given) for given in (X, X * size)
    ]
    np.testing.assert_allclose(*scaled, rtol=1e-12)


@pytest.mark.parametrize("size", [1e-200, 1.0, 1e200])
def test_metrics(size):
    true, predicted = np.array([1.0, 2.0, 3.0]) * size, np.array([1.0, 2.0, 4.0]) * size
    assert r2(true, predicted) == pytest.approx(0.5)
    assert root_mean_squared_error(true, predicted) == pytest.approx(size / np.sqrt(3))
