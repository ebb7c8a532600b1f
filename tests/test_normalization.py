"""LayerNorm, BatchNorm and GaussianNoise in training, inference, by hand and in files: the same bits everywhere."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fastmlp import (
    SGD,
    Activation,
    Adam,
    BatchNorm,
    Dense,
    EarlyStopping,
    Flatten,
    GaussianNoise,
    LayerNorm,
    Sequential,
    load,
    synthetic_digits,
)
from fastmlp.kernels import simd

RANDOM = np.random.default_rng(0)
X, Y = RANDOM.normal(size=(300, 12)).astype(np.float32) * 4 + 2, RANDOM.integers(0, 3, 300)

NORMS = {
    "layer norm": lambda: [
        Dense(40),
        LayerNorm(),
        Activation("relu"),
        Dense(20, "gelu"),
        LayerNorm(epsilon=0.1),
    ],
    "batch norm": lambda: [
        Dense(40),
        BatchNorm(),
        Activation("relu"),
        Dense(20, "tanh"),
        BatchNorm(momentum=0.5),
    ],
    "noise": lambda: [GaussianNoise(0.3), Dense(40, "sigmoid"), GaussianNoise(0.1), Dense(20, "relu")],
    "first": lambda: [BatchNorm(), LayerNorm(), GaussianNoise(0.2), Dense(150, "relu"), BatchNorm()],
}
every_norm = pytest.mark.parametrize("name", NORMS)


def model_of(name, **options):
    return Sequential([*NORMS[name](), Dense(3, "softmax")], **{"optimizer": "adam", "seed": 3} | options)


def fitted(name, model_options=(), **options):
    model = model_of(name, **dict(model_options))
    model.fit(X, Y, **{"epochs": 2, "batch_size": 70, "verbose": 0} | options)
    return model


@every_norm
@pytest.mark.parametrize("batch_size", [3, 70, None])
def test_any_number_of_threads(name, batch_size):
    """In batches of a few rows, of some chunks, and of more than go through all layers together."""
    expected = fitted(name, batch_size=batch_size, threads=1).network.params.copy()
    assert np.isfinite(expected).all()
    for threads in (2, 3, 4, 7):
        for keep_gradients in (False, True):
            model = fitted(name, batch_size=batch_size, threads=threads, keep_gradients=keep_gradients)
            np.testing.assert_array_equal(model.network.params, expected)


def test_a_batch_of_more_rows_than_go_through_all_layers_together():
    images, labels = synthetic_digits(1500)
    layers = lambda: [Flatten(), Dense(16), BatchNorm(), Activation("relu"), Dense(10, "softmax")]  # noqa: E731
    models = [Sequential(layers()) for _ in range(3)]
    for model, threads in zip(models, (1, 2, 5), strict=True):
        model.fit(images, labels, epochs=2, batch_size=None, threads=threads, verbose=0)
        np.testing.assert_array_equal(model.network.params, models[0].network.params)


@every_norm
def test_the_reference_engine(name):
    options = {"dtype": "float64", "optimizer": SGD(0.05, momentum=0.5)}
    ours, twin = (fitted(name, options, engine=engine) for engine in ("kernels", "reference"))
    np.testing.assert_allclose(ours.network.params, twin.network.params, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(ours.predict(X), ours.predict(X, engine="reference"), rtol=1e-9)
    np.testing.assert_allclose(ours.predict(X[5]), ours.predictor()(X[5].astype(float)), rtol=0, atol=0)


@every_norm
def test_any_width_of_vectors(name):
    """In other processes, whose kernels are written for other vectors."""
    expected = fitted(name).network.params
    code = (
        "import sys\nfrom tests.test_normalization import fitted\n"
        f"sys.stdout.buffer.write(fitted({name!r}).network.params.tobytes())"
    )
    lanes = 8 if simd.FLOAT32_LANES == 16 else 4
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[1],
        env=os.environ | {"FASTMLP_LANES": str(lanes)}, capture_output=True, check=True,
    )  # fmt: skip
    np.testing.assert_array_equal(np.frombuffer(run.stdout, np.float32), expected)


@every_norm
def test_a_resumed_run(name, tmp_path):
    whole, half = fitted(name, epochs=4), fitted(name)
    half.save(tmp_path / "model")
    resumed = load(tmp_path / "model")
    assert repr(resumed.layers) == repr(half.layers)
    resumed.save(tmp_path / "again")
    assert (tmp_path / "model").read_bytes() == (tmp_path / "again").read_bytes()
    np.testing.assert_array_equal(resumed.predict(X), half.predict(X))
    resumed.fit(X, Y, epochs=2, batch_size=70, verbose=0)
    for arena in ("params", "slots"):
        np.testing.assert_array_equal(getattr(resumed.network, arena), getattr(whole.network, arena))


@every_norm
def test_it_learns(name):
    images, labels = synthetic_digits(2000)
    model = Sequential([Flatten(), *NORMS[name](), Dense(10, "softmax")], optimizer=Adam(0.005))
    model.fit(images, labels, epochs=6, batch_size=50, verbose=0)
    assert model.evaluate(images, labels)["accuracy"] > 0.85


def test_layer_norm_by_hand():
    layer = LayerNorm(epsilon=1e-3).build(12, dtype="float64")
    rows = X.astype(np.float64)
    centred = rows - rows.mean(axis=1, keepdims=True)
    normal = centred / np.sqrt(rows.var(axis=1, keepdims=True) + 1e-3)
    np.testing.assert_allclose(layer.forward(rows), normal, rtol=1e-12)
    layer.gamma[...], layer.beta[...] = np.arange(12), 5
    np.testing.assert_allclose(layer.forward(rows), normal * np.arange(12) + 5, rtol=1e-12)
    d_y = RANDOM.normal(size=rows.shape)
    layer.backward(d_y)
    np.testing.assert_allclose(layer.d_gamma, (d_y * normal).sum(axis=0), rtol=1e-9)
    np.testing.assert_allclose(layer.d_beta, d_y.sum(axis=0), rtol=1e-9)


def test_batch_norm_by_hand():
    layer = BatchNorm(momentum=0.75).build(12, dtype="float64")
    rows = X.astype(np.float64)
    mean, variance = rows.mean(axis=0), rows.var(axis=0)
    normal = (rows - mean) / np.sqrt(variance + 1e-5)
    np.testing.assert_allclose(layer.forward(rows), normal, rtol=1e-10, atol=1e-12)
    assert (layer.running_mean == 0).all()
    layer.backward(np.zeros_like(rows))
    SGD(0.1).step(layer)
    np.testing.assert_allclose(layer.running_mean, 0.25 * mean, rtol=1e-12)
    np.testing.assert_allclose(layer.running_variance, 0.75 + 0.25 * variance, rtol=1e-12)
    with pytest.raises(ValueError, match="read-only"):
        layer.running_mean[0] = 1


def test_after_training_batch_norm_looks_at_no_batch():
    """A prediction does not depend on the samples beside it; its statistics are the running ones."""
    model = fitted("batch norm")
    whole = model.predict(X)
    np.testing.assert_array_equal(model.predict(X[7]), whole[7])
    np.testing.assert_array_equal(model.predictor()(X[7]), whole[7])
    layer, steps = BatchNorm(momentum=0.5), 60
    model = Sequential([layer, Dense(1)], dtype="float64", optimizer=SGD(1e-3))
    for _ in range(steps):
        model.train_on_batch(X.astype(np.float64), X[:, 0])
    rows = X.astype(np.float64)
    np.testing.assert_allclose(layer.running_mean, rows.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(layer.running_variance, rows.var(axis=0), rtol=1e-12)
    normal = (rows - rows.mean(axis=0)) / np.sqrt(rows.var(axis=0) + 1e-5)
    dense = model.layers[1]
    expected = (normal * layer.gamma + layer.beta) @ dense.weight + dense.bias
    np.testing.assert_allclose(model.predict(rows), expected, rtol=1e-9, atol=1e-12)


def test_the_best_weights_bring_their_statistics():
    model, kept = model_of("batch norm"), []
    stopping = EarlyStopping("loss", mode="max", patience=50, restore_best_weights=True)
    note = lambda *_: kept.append(model.network.params.copy())  # noqa: E731
    model.fit(X, Y, epochs=3, callbacks=[stopping, note], verbose=0)
    np.testing.assert_array_equal(model.network.params, kept[stopping.best_epoch - 1])


def test_a_batch_of_one_sample_is_its_own_mean():
    layer = BatchNorm().build(3)
    layer.beta[...] = 7
    np.testing.assert_array_equal(layer.forward([1.0, 2.0, 3.0]), [7, 7, 7])
    np.testing.assert_array_equal(layer.backward([1.0, 2.0, 3.0]), [0, 0, 0])


def test_noise_is_only_in_training():
    model = Sequential([GaussianNoise(0.5)]).build(12)
    np.testing.assert_array_equal(model.predict(X), X)
    noise = model.forward(X) - X
    assert abs(noise.std() - 0.5) < 5 * 0.5 / np.sqrt(2 * noise.size)
    d_y = RANDOM.normal(size=X.shape).astype(np.float32)
    np.testing.assert_array_equal(model.backward(d_y), d_y)
    np.testing.assert_array_equal(Sequential([GaussianNoise(0)]).build(12).forward(X), X)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LayerNorm(epsilon=0), "LayerNorm: epsilon: expected a number above 0 and below 1, got 0"),
        (
            lambda: BatchNorm(epsilon=-1),
            "BatchNorm: epsilon: expected a number above 0 and below 1, got -1",
        ),
        (lambda: BatchNorm(epsilon="small"), "BatchNorm: epsilon: expected .*, got 'small'"),
        (
            lambda: BatchNorm(momentum=1),
            "BatchNorm: momentum: expected a number of at least 0 and below 1, got 1",
        ),
        (lambda: BatchNorm(momentum=np.nan), "BatchNorm: momentum: expected .*, got nan"),
        (lambda: GaussianNoise(-0.1), "GaussianNoise: stddev: expected a number of at least 0, got -0.1"),
        (lambda: GaussianNoise(np.inf), "GaussianNoise: stddev: expected .*, got inf"),
        (lambda: GaussianNoise(None), "GaussianNoise: stddev: expected .*, got None"),
        (
            lambda: Sequential([LayerNorm()]).build((2, 2)),
            r"LayerNorm.* shape \(2, 2\); add Flatten\(\) before it",
        ),
    ],
)
def test_bad_layers(make, message):
    with pytest.raises(ValueError, match=message):
        make()
