"""Scalers: the numbers they find, that a model keeps them, and the same bits wherever it runs."""

import math

import numpy as np
import pytest
import scipy.sparse

from fastmlp import (
    Adam,
    Dense,
    Dropout,
    FileFormatError,
    Flatten,
    MaxAbsScaler,
    MinMaxScaler,
    Sequential,
    StandardScaler,
    load,
)  # fmt: skip
from fastmlp.files.model_file import read_model, write_model
from fastmlp.inputs.samples import as_samples
from fastmlp.layers.scalers import SCALERS
from fastmlp.layers.statistics import CHUNK, statistics

RANDOM = np.random.default_rng(11)
X = (RANDOM.normal(size=(60, 5)) * [1, 10, 0.1, 1000, 3] + [0, 50, -3, 1e5, 0]).astype(np.float32)
Y = RANDOM.integers(0, 3, 60)


def model_of(*layers, **options):
    return Sequential([*layers, Dense(6, "tanh"), Dense(3, "softmax")], **options)


def transformed(scaler, X):
    return scaler.adapt(X).forward(X)


EXPECTED = {
    StandardScaler: lambda X, axis: (X - X.mean(axis)) / X.std(axis),
    MinMaxScaler: lambda X, axis: (X - X.min(axis)) / (X.max(axis) - X.min(axis)),
    MaxAbsScaler: lambda X, axis: X / abs(X).max(axis),
}


@pytest.mark.parametrize("axis", [0, None])
@pytest.mark.parametrize("scaler", SCALERS)
def test_formula(scaler, axis):
    expected = EXPECTED[scaler](X.astype(np.float64), axis)
    eps = np.finfo(np.float32).eps
    # Center, difference and factor are rounded, each relative to numbers as large as the largest of the column.
    size = abs(X.astype(np.float64)).max(axis) * abs(scaler(axis=axis).adapt(X).factor.astype(np.float64))
    assert np.all(
        abs(transformed(scaler(axis=axis), X) - expected) <= 4 * eps * np.maximum(size, abs(expected))
    )


def test_statistics_of_many_chunks():
    features = 300
    many = RANDOM.normal(size=(4 * CHUNK // features + 1, features)) + RANDOM.normal(size=features) * 1000
    found = statistics(as_samples(many, np.dtype(np.float64)), np.dtype(np.float64))
    np.testing.assert_allclose(found.mean, many.mean(0), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found.deviation, many.std(0), rtol=1e-10)
    np.testing.assert_array_equal(found.low, many.min(0))
    np.testing.assert_array_equal(found.high, many.max(0))


@pytest.mark.parametrize("scaler", SCALERS)
@pytest.mark.parametrize("value", [0.0, 0.1, -7.3, 1e30])
def test_a_feature_that_is_always_the_same_becomes_nothing_else_than_a_number(scaler, value):
    constant = X.copy()
    constant[:, 2] = value
    column = transformed(scaler(), constant)[:, 2]
    assert (column == (np.float32(value) if scaler is MaxAbsScaler else 0)).all()
    alone = transformed(scaler(), np.full((4, 1), value))
    assert np.isfinite(alone).all()


def test_differences_by_rounding_alone_are_none():
    noisy = np.where(RANDOM.random((50, 1)) < 0.5, 0.1, np.nextafter(0.1, 1))
    assert abs(transformed(StandardScaler(), noisy)).max() < 1e-16


def test_one_sample():
    assert (transformed(StandardScaler(), X[:1]) == 0).all()


@pytest.mark.parametrize("scaler", [StandardScaler, MinMaxScaler])
def test_numbers_that_the_type_cannot_tell_apart_are_refused(scaler):
    times = (1.7e9 + RANDOM.random((50, 1)) * 400).astype(np.float32)
    model = model_of(scaler())
    with pytest.raises(
        ValueError, match=r"X: column 1 goes from 1\.7e\+09 to 1\.7e\+09, and float32 hardly tells"
    ):
        model.fit(np.hstack([times * 0, times]), Y[:50], verbose=0)
    with pytest.raises(RuntimeError, match="has no parameters yet"):
        _ = model.network
    wide = model_of(scaler(), dtype="float64")
    assert math.isfinite(wide.fit(times, Y[:50], epochs=1, verbose=0)["loss"][0])


def forms(bytes_):
    """The same samples in every form."""
    plain = bytes_.astype(np.float32)
    return {
        "bytes": bytes_, "float32": plain, "float64": plain.astype(np.float64), "csr": scipy.sparse.csr_array(plain),
        "csc of bytes": scipy.sparse.csc_array(bytes_), "columns": np.asfortranarray(plain),
    }  # fmt: skip


@pytest.mark.parametrize("axis", [0, None])
@pytest.mark.parametrize("scaler", SCALERS)
def test_the_same_bits_for_any_form_engine_and_number_of_threads(scaler, axis):
    images = np.where(RANDOM.random((200, 70)) < 0.7, 0, RANDOM.integers(0, 256, (200, 70))).astype(np.uint8)
    labels = RANDOM.integers(0, 3, 200)
    found = []
    for X in forms(images).values():
        for threads in (1, 2):
            model = model_of(scaler(axis=axis), seed=5)
            model.fit(X, labels, epochs=2, batch_size=30, threads=threads, verbose=0)
            found.append(model.network.params.tobytes())
            assert model.predict(X).tobytes() == model.predict(images).tobytes()
    assert len(set(found)) == 1
    twin = model_of(scaler(axis=axis), seed=5)
    twin.fit(images, labels, epochs=2, batch_size=30, engine="reference", verbose=0)
    np.testing.assert_allclose(twin.predict(images), model.predict(images), atol=1e-4)


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_that_share_the_inputs_of_a_wide_layer(threads):
    wide, labels = RANDOM.normal(size=(50, 600)) * 3 + 1, RANDOM.integers(0, 3, 50)
    models = [Sequential([StandardScaler(), Dense(300, "relu"), Dense(3, "softmax")]) for _ in range(2)]
    for model, size in zip(models, (1, threads), strict=True):
        model.fit(wide, labels, epochs=2, batch_size=24, threads=size, verbose=0)
    assert models[0].network.params.tobytes() == models[1].network.params.tobytes()


def test_scaling_inside_is_scaling_before():
    """But for the place of the rounding: the same numbers come in, so the same come out."""
    scaler = StandardScaler().adapt(X)
    inside, before = model_of(StandardScaler(), seed=3), model_of(seed=3)
    # The seed of a layer follows its position.
    inside.build(5)
    before.build(5)
    for ours, theirs in zip(before.layers, inside.layers[1:], strict=True):
        ours.weight = theirs.weight
    inside.fit(X, Y, epochs=5, batch_size=16, verbose=0)
    before.fit(scaler.forward(X), Y, epochs=5, batch_size=16, verbose=0)
    assert inside.predict(X).tobytes() == before.predict(scaler.forward(X)).tobytes()


def test_prediction_evaluation_predictor_and_hand_agree():
    model = model_of(StandardScaler())
    model.fit(X, Y, epochs=3, verbose=0)
    outputs = model.predict(X)
    predict = model.predictor()
    assert all((predict(x) == y).all() for x, y in zip(X, outputs, strict=True))
    np.testing.assert_array_equal(model.forward(X), outputs)
    assert model.evaluate(X, Y)["accuracy"] == np.mean(outputs.argmax(1) == Y, dtype=np.float64)
    np.testing.assert_array_equal(model.layers[0].forward(X), transformed(StandardScaler(), X))


def test_later_training_keeps_the_numbers():
    model = model_of(StandardScaler())
    model.fit(X, Y, epochs=1, verbose=0)
    kept = model.layers[0].center.copy(), model.layers[0].factor.copy()
    model.fit(X * 2, Y, epochs=1, verbose=0)
    np.testing.assert_array_equal((model.layers[0].center, model.layers[0].factor), kept)


@pytest.mark.parametrize("scaler", SCALERS)
def test_saved_loaded_and_resumed(scaler, tmp_path):
    def fresh():
        return model_of(Flatten(), scaler(axis=None), Dropout(0.2), optimizer=Adam(0.01), seed=9)

    whole, part = fresh(), fresh()
    whole.fit(X, Y, epochs=4, batch_size=16, verbose=0)
    part.fit(X, Y, epochs=2, batch_size=16, verbose=0)
    part.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert repr(loaded.layers[1]) == f"{scaler.__name__}(axis=None)"
    assert loaded.predict(X).tobytes() == part.predict(X).tobytes()
    loaded.fit(X, Y, epochs=2, batch_size=16, verbose=0)
    assert loaded.network.params.tobytes() == whole.network.params.tobytes()
    loaded.save(tmp_path / "again")
    whole.save(tmp_path / "whole")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "whole").read_bytes()


@pytest.mark.parametrize("lie", ["layer0.center", "layer0.factor"])
def test_files_that_lie(lie, tmp_path):
    model = model_of(StandardScaler())
    model.fit(X, Y, epochs=1, verbose=0)
    model.save(tmp_path / "good")
    config, tensors = read_model(tmp_path / "good")
    write_model(tmp_path / "short", config, tensors | {lie: tensors[lie][:-1]})
    write_model(tmp_path / "none", config, {name: tensors[name] for name in tensors if name != lie})
    for name in ("short", "none"):
        with pytest.raises(FileFormatError, match=rf"{lie}: expected shape \(5,\)"):
            load(tmp_path / name)


def test_what_is_trained_and_what_is_not():
    model = model_of(StandardScaler()).build(5)
    assert model.layers[0].parameters == {}
    assert model.parameters == 5 * 6 + 6 + 6 * 3 + 3
    assert "StandardScaler()" in model.summary()


def test_without_samples_nothing_runs():
    model = model_of(StandardScaler()).build(5)
    for run in (model.predict, model.forward, lambda X: model.evaluate(X, Y), lambda X: model.predictor()):
        with pytest.raises(RuntimeError, match=r"StandardScaler\(\) has seen no samples yet: call fit"):
            run(X)
    model.layers[0].adapt(X)
    assert np.isfinite(model.predict(X)).all()


def test_numbers_given_before_are_kept():
    scaler = StandardScaler()
    model = model_of(scaler).build(5)
    scaler.adapt(X * 2)
    model.fit(X, Y, epochs=1, verbose=0)
    np.testing.assert_array_equal(scaler.center, StandardScaler().adapt(X * 2).center)


def test_adapted_anew_the_zeros_are_found_anew():
    images = np.where(RANDOM.random((100, 70)) < 0.8, 0, 1.0)
    model = model_of(MinMaxScaler())
    model.fit(images, RANDOM.integers(0, 3, 100), epochs=1, verbose=0)
    predict = model.predictor()
    model.layers[0].adapt(images - 0.5)
    np.testing.assert_array_equal(predict(images[0]), model.predict(images[0]))
    np.testing.assert_array_equal(model.predict(images), model.forward(images))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Sequential([Dense(3), StandardScaler()]), "expected to be the first layer, .* got Dense"),
        (lambda: Sequential([StandardScaler(), StandardScaler()]), r"got StandardScaler\(\) before it"),
        (lambda: StandardScaler(axis=1), "axis: expected 0 .*, got 1"),
        (lambda: StandardScaler(axis=False), "axis: .*, got False"),
        (lambda: StandardScaler().adapt(X.reshape(60, 5, 1)), r"add Flatten\(\) before it"),
        (lambda: StandardScaler().adapt(X[0]), "expected samples as rows"),
        (lambda: StandardScaler().adapt(X).adapt(X[:, :2]), "X: expected 5 features, as .* got 2"),
        (lambda: StandardScaler().adapt([[1.0], [np.nan]]), "expected finite numbers"),
        (lambda: Sequential([StandardScaler(), Dense(2)]).fit(X.reshape(60, 5, 1), X[:, :2]), r"add Flatten\(\)"),
    ],
)  # fmt: skip
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()
