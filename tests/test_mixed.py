"""Mixed precision: within the error bound of bfloat16, the same bits whatever runs it, saved and loaded."""

import numpy as np
import pytest

import fastmlp
from fastmlp import (
    Adam,
    BatchNorm,
    Dense,
    Dropout,
    EarlyStopping,
    Ensemble,
    GaussianNoise,
    LayerNorm,
    Sequential,
    StandardScaler,
    fit_many,
)
from fastmlp.engine import run_arguments
from fastmlp.kernels import reference, schema
from tests.tolerance import assert_close

MIXED = "mixed_bfloat16"
FEATURES, CLASSES = 150, 5
RANDOM = np.random.default_rng(3)
X = RANDOM.normal(size=(203, FEATURES)).astype(np.float32)
Y = RANDOM.integers(0, CLASSES, len(X))

# Unit roundoffs of bfloat16, which has 8 significant bits, and of float32.
ROUNDOFF, SINGLE_ROUNDOFF = 2.0**-8, 2.0**-24


def network(dtype=MIXED, hidden=140, **options):
    layers = [Dense(hidden, "relu"), Dropout(0.1), Dense(33, "tanh"), Dense(CLASSES, "softmax")]
    return Sequential(layers, seed=2, dtype=dtype, **options)


def arrays(model):
    """All that training changes."""
    return [model.network.params, model.network.slots, model.network.averages]


def equal(one, other):
    return all(np.array_equal(a, b) for a, b in zip(arrays(one), arrays(other), strict=True))


# Near float32


def product(a, b, error_of_a=0.0, error_of_b=0.0):
    """A product in float64, and how far it may be from one of factors that are so far off, in mixed precision.

    Rounding a factor makes it at most 1 + u times as large, so each rounded product is within
    (1 + u)^2 (|a| + error of a) (|b| + error of b) - |a b| of the exact one. The sum of n of them in float32 adds
    gamma_n times the sum of their sizes (see tolerance.py), with a rounding for each group of terms and for what is
    added to the sum at the end.
    """
    largest = (1 + ROUNDOFF) ** 2 * ((np.abs(a) + error_of_a) @ (np.abs(b) + error_of_b))
    roundings = (a.shape[1] * 2 + 4) * SINGLE_ROUNDOFF
    return a @ b, largest * (1 + roundings / (1 - roundings)) - np.abs(a) @ np.abs(b)


def assert_within(actual, exact, bound):
    """Within the bound, which is not so wide that anything is: errors of rounding are of its order."""
    error = np.abs(actual.astype(np.float64) - exact)
    assert (error <= bound).all(), (error / bound).max()
    assert error.max() > bound.max() / 1000


def test_values_and_gradients_are_near_the_exact_ones():
    """Two layers by hand, without activations: each product, and what an error does in the next one."""
    model = Sequential([Dense(140), Dense(33)], dtype=MIXED, loss="mean_squared_error").build(FEATURES)
    for layer in model.layers:
        layer.bias[...] = RANDOM.normal(size=layer.bias.shape)
    d_y = RANDOM.normal(size=(len(X), 33)).astype(np.float32)
    actual_y, actual_dx = model.forward(X), model.backward(d_y)
    (w, v), x, dy = ([layer.weight.astype(np.float64) for layer in model.layers], X.astype(np.float64), d_y)
    dy = dy.astype(np.float64)
    values, error_of_values = product(x, w)
    error_of_values += SINGLE_ROUNDOFF * len(w) * np.abs(model.layers[0].bias)  # where the sum starts
    values += model.layers[0].bias
    y, error_of_y = product(values, v, error_of_values)
    error_of_y += SINGLE_ROUNDOFF * len(v) * np.abs(model.layers[1].bias)
    assert_within(actual_y, y + model.layers[1].bias, error_of_y)
    deltas, error_of_deltas = product(dy, v.T)
    assert_within(actual_dx, *product(deltas, w.T, error_of_deltas))
    first, second = model.layers
    assert_within(second.d_weight, *product(values.T, dy, error_of_values.T))
    assert_within(first.d_weight, *product(x.T, deltas, 0.0, error_of_deltas))
    ones = np.ones((1, len(X)))
    assert_within(second.d_bias[None], *product(ones, dy))
    assert_within(first.d_bias[None], *product(ones, deltas, 0.0, error_of_deltas))


def test_products_of_numbers_of_bfloat16_are_exact_sums():
    """Small whole numbers: no rounding anywhere, so mixed precision gives what float32 gives."""
    outputs = {}
    for dtype in ("float32", MIXED):
        model = Sequential([Dense(140), Dense(33)], dtype=dtype, loss="mean_squared_error", seed=1).build(
            FEATURES
        )
        numbers = np.random.default_rng(0)
        for layer in model.layers:
            layer.weight[...] = numbers.integers(-1, 2, layer.weight.shape) * (
                numbers.random(layer.weight.shape) < 0.05
            )
            layer.bias[...] = numbers.integers(-3, 4, layer.bias.shape)
        y = model.forward(numbers.integers(-2, 3, (41, FEATURES)).astype(np.float32))
        dx = model.backward(numbers.integers(-2, 3, y.shape).astype(np.float32))
        outputs[dtype] = [
            y,
            dx,
            *(array for layer in model.layers for array in (layer.d_weight, layer.d_bias)),
        ]
    for one, other in zip(*outputs.values(), strict=True):
        assert np.abs(one).max() < 256  # so that the hidden values are numbers of bfloat16 too
        np.testing.assert_array_equal(one, other)


def test_training_is_near_that_of_float32():
    losses = {}
    for dtype in ("float32", MIXED):
        losses[dtype] = network(dtype).fit(X, Y, epochs=5, batch_size=40, verbose=0)["loss"]
    assert losses["float32"] != losses[MIXED]
    np.testing.assert_allclose(losses[MIXED], losses["float32"], rtol=ROUNDOFF)
    assert losses[MIXED][-1] < 0.8 * losses[MIXED][0]


def test_the_reference_engine_of_one_layer():
    """The factors are rounded to the same numbers, so that only the order of the sums differs."""
    model = Sequential([Dense(33)], dtype=MIXED, loss="mean_squared_error", seed=1).build(FEATURES)
    (layer,) = model.layers
    layer.bias[...] = RANDOM.normal(size=33)
    x, w = (reference.pairs.float32(reference.pairs.bfloat16(array)) for array in (X, layer.weight))
    sizes = np.abs(x).astype(np.float64) @ np.abs(w) + np.abs(layer.bias)
    assert_close(model.predict(X), model.predict(X, engine="reference"), terms=2 * FEATURES + 4, scale=sizes)


@pytest.mark.parametrize("rows", [7, 40])
def test_the_reference_engine(rows):
    """A number on the edge between two of bfloat16 may be rounded to either one, which later layers see."""
    ours, twin = network(), network()
    losses = [
        model.fit(X, Y, epochs=2, batch_size=rows, engine=engine, verbose=0)["loss"]
        for model, engine in ((ours, "kernels"), (twin, "reference"))
    ]
    np.testing.assert_allclose(*losses, rtol=ROUNDOFF)
    np.testing.assert_allclose(ours.predict(X), ours.predict(X, engine="reference"), atol=ROUNDOFF)
    scores = (ours.evaluate(X, Y, engine=engine)["loss"] for engine in ("kernels", "reference"))
    np.testing.assert_allclose(*scores, rtol=ROUNDOFF)


# Which numbers are kept, and in what type


def test_all_that_is_kept_is_float32():
    model = network(optimizer=Adam(ema_momentum=0.9))
    model.fit(X, Y, epochs=1, batch_size=40, keep_gradients=True, verbose=0)
    assert model.dtype == MIXED
    assert {array.dtype for array in (*arrays(model), model.network.gradients)} == {np.dtype(np.float32)}
    assert model.predict(X.astype(np.float64)).dtype == np.float32
    # Parameters keep bits that bfloat16 has not.
    assert (model.layers[0].weight.view(np.uint32) & 0xFFFF).any()


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "mixed", "mixed_float16", None, np.float32])
def test_other_types_are_refused(dtype):
    message = "dtype: expected one of float32, float64, mixed_bfloat16, got "
    with pytest.raises(ValueError, match=message):
        Sequential([Dense(2)], dtype=dtype)
    with pytest.raises(ValueError, match=message):
        Dense(2).build(3, dtype=dtype)


def test_saved_and_loaded(tmp_path):
    model, uninterrupted = network(), network()
    model.fit(X, Y, epochs=2, batch_size=40, verbose=0)
    model.save(tmp_path / "model.safetensors")
    loaded = fastmlp.load(tmp_path / "model.safetensors")
    assert loaded.dtype == MIXED
    assert loaded.layers[0].weight.dtype == np.float32
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    loaded.fit(X, Y, epochs=1, batch_size=40, verbose=0)
    uninterrupted.fit(X, Y, epochs=3, batch_size=40, verbose=0)
    assert equal(loaded, uninterrupted)


# The same bits


TRAININGS = {
    "scaled, with validation": ({}, [StandardScaler()], {"validation_split": 0.2}),
    "norms": ({}, [LayerNorm(), Dense(70), BatchNorm(), GaussianNoise(0.1)], {}),
    "max_norm": ({}, [Dense(130, "relu", max_norm=1.0)], {}),
    "averages": ({"optimizer": Adam(ema_momentum=0.9)}, [Dense(9, max_norm=0.5)], {}),
    "clipped": ({"optimizer": Adam(global_clip_norm=0.1)}, [], {"keep_gradients": True}),
    "weighted": ({}, [], {"class_weight": "balanced", "sample_weight": RANDOM.random(len(X))}),
    "stopped": ({}, [], {"validation_split": 0.3, "callbacks": [EarlyStopping(patience=1)]}),
    "few rows": ({}, [], {"batch_size": 3}),
    "one batch": ({}, [], {"batch_size": 1000}),
}


@pytest.mark.parametrize("name", TRAININGS)
def test_threads(name):
    options, layers, fit = TRAININGS[name]
    first = None
    for threads in (1, 2, 3):
        own = [type(layer)(**{k: v for k, v in layer.config().items() if k != "kind"}) for layer in layers]
        model = Sequential([*own, *network().layers], seed=2, dtype=MIXED, **options)
        model.fit(X, Y, **({"epochs": 3, "batch_size": 70, "verbose": 0, "threads": threads} | fit))
        results = [
            model.predict(X, threads=threads),
            np.array(list(model.evaluate(X, Y, threads=threads).values())),
        ]
        if first is None:
            first = model, results
        assert equal(model, first[0])
        for one, other in zip(results, first[1], strict=True):
            np.testing.assert_array_equal(one, other)


def test_micro_batches(monkeypatch):
    """A batch with more rows than the workspace: the same bits as if it had room for all of them."""
    many = np.tile(X, (6, 1))[:1101]
    models = [network() for _ in range(3)]
    for threads, model in zip((1, 2, 1), models, strict=True):
        if model is models[2]:
            monkeypatch.setattr(run_arguments, "MICRO_BATCH_ROWS", 2000)
        model.fit(many, np.arange(1101) % CLASSES, epochs=1, batch_size=1101, threads=threads, verbose=0)
    rows = [model.network.cache["train"][1].rows for model in models]
    assert rows == [576, 576, 1101]
    assert equal(models[0], models[1])
    assert equal(models[0], models[2])


def test_every_way_to_predict_gives_the_same_bits():
    model = network()
    model.fit(X, Y, epochs=1, batch_size=40, verbose=0)
    wanted, predict = model.predict(X), model.predictor()
    for _ in range(2):
        np.testing.assert_array_equal(model.predict(X[:3]), wanted[:3])
        np.testing.assert_array_equal(model.predict(X[:1]), wanted[:1])
        np.testing.assert_array_equal(predict(X[2]), wanted[2])
        # Weights that the user changes are rounded again.
        model.layers[0].weight *= 1.5
        changed = model.predict(X)
        assert not np.array_equal(changed, wanted)
        wanted = changed


def test_sparse_samples():
    sparse = pytest.importorskip("scipy.sparse")
    some = X * (RANDOM.random(X.shape) < 0.1)
    models = [network() for _ in range(2)]
    for model, samples in zip(models, (some, sparse.csr_array(some)), strict=True):
        model.fit(samples, Y, epochs=1, batch_size=40, verbose=0)
    assert equal(*models)
    np.testing.assert_array_equal(models[0].predict(some), models[0].predict(sparse.csr_array(some)))
    assert schema.SPARSE not in models[0].plan.operations["kind"]


def test_many_models_and_ensembles():
    alone, together, of_another_type = network(), network(), network("float32")
    alone.fit(X, Y, epochs=2, batch_size=40, verbose=0)
    fit_many([together, of_another_type], X, Y, epochs=2, batch_size=40, verbose=0)
    assert equal(alone, together)
    ensemble = Ensemble.of(network(), 2)
    ensemble.fit(X, Y, epochs=1, batch_size=40, verbose=0)
    assert ensemble.predict(X).dtype == np.float32


def test_estimators_take_it():
    pytest.importorskip("sklearn")
    from fastmlp.sklearn import MLPClassifier

    estimator = MLPClassifier(
        hidden_layer_sizes=(20,), dtype=MIXED, max_iter=3, tol=10.0, n_iter_no_change=1
    ).fit(X, Y)
    assert estimator.model_.dtype == MIXED
    with pytest.raises(
        ValueError, match="dtype: expected one of float32, float64, mixed_bfloat16, got 'bfloat16'"
    ):
        MLPClassifier(dtype="bfloat16").fit(X, Y)
