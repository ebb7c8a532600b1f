"""Penalties, weight decay, clipping, norms and averages through the public API."""

import numpy as np
import pytest

from fastmlp import (
    L1,
    L1L2,
    L2,
    SGD,
    Adam,
    AdamW,
    Dense,
    FileFormatError,
    Lion,
    Sequential,
    StandardScaler,
    load,
)
from fastmlp.files.model_file import read_model, write_model

X = np.random.default_rng(0).normal(size=(24, 4)).astype(np.float32)
Y = np.arange(24) % 3
RULES = {
    "weight_decay": {"weight_decay": 0.1},
    "clip_value": {"clip_value": 0.01},
    "clip_norm": {"clip_norm": 0.02},
    "global_clip_norm": {"global_clip_norm": 0.02},
    "ema_momentum": {"ema_momentum": 0.9},
}


def small(optimizer, dtype="float32", **options):
    layers = [Dense(5, "tanh", **options), Dense(3, "softmax", **options)]
    return Sequential(layers, optimizer=optimizer, seed=2, dtype=dtype)


def parameters(model):
    return np.concatenate([array.ravel() for layer in model.layers for array in layer.parameters.values()])


def numbers(model):
    """All that a file has to keep."""
    return np.concatenate([model.network.params, model.network.slots, model.network.averages])


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_changes_the_training(rule):
    plain, ruled = small(SGD(0.5)), small(SGD(0.5, **RULES[rule]))
    for model in (plain, ruled):
        model.fit(X, Y, epochs=3, batch_size=6, verbose=0)
    assert np.array_equal(parameters(plain), parameters(ruled)) == (rule == "ema_momentum")


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("kind", [SGD, AdamW, Lion])
def test_resumed_training(rule, kind, tmp_path):
    options, layers = {"batch_size": 6, "verbose": 0}, {"regularizer": L1L2(0.01, 0.02), "max_norm": 0.8}
    whole, half = (small(kind(0.01, **RULES[rule]), **layers) for _ in range(2))
    whole.fit(X, Y, epochs=5, **options)
    half.fit(X, Y, epochs=2, **options)
    half.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert loaded.optimizer == half.optimizer
    assert repr(loaded.layers) == repr(half.layers)
    np.testing.assert_array_equal(numbers(loaded), numbers(half))
    loaded.fit(X, Y, epochs=3, **options)
    np.testing.assert_array_equal(numbers(loaded), numbers(whole))


@pytest.mark.parametrize("rule", [*RULES, "layers"])
def test_a_step_by_hand_is_a_step_of_fit(rule):
    layers = {"regularizer": L1L2(0.01, 0.02), "max_norm": 0.5} if rule == "layers" else {}
    optimizer = SGD(0.5, **RULES.get(rule, {}))
    fitted, by_hand = (small(optimizer, "float64", **layers).build(4) for _ in range(2))
    fitted.fit(X, Y, epochs=1, batch_size=None, shuffle=False, verbose=0)
    # The output layer's delta of softmax and cross-entropy, through the softmax that is a layer by hand.
    outputs = by_hand.forward(X)
    by_hand.backward(-np.eye(3)[Y] / outputs / len(X))
    optimizer.step(by_hand)
    np.testing.assert_allclose(parameters(by_hand), parameters(fitted), rtol=1e-10)
    np.testing.assert_allclose(by_hand.network.averages, fitted.network.averages, rtol=1e-10)


@pytest.mark.parametrize("engine", ["kernels", "reference"])
def test_gradient_of_a_penalty(engine):
    """A step of gradient descent with rate 1, against central differences of loss and penalties."""
    penalty = L1L2(0.03, 0.05)

    def total(model):
        return model.evaluate(X, Y)["loss"] + sum(penalty.penalty(layer.weight) for layer in model.layers)

    model = small(SGD(1.0), "float64", regularizer=penalty).build(4)
    trained = small(SGD(1.0), "float64", regularizer=penalty)
    trained.fit(X, Y, epochs=1, batch_size=None, engine=engine, verbose=0)
    for layer, other in zip(model.layers, trained.layers, strict=True):
        for name, array in layer.parameters.items():
            gradient = array - other.parameters[name]
            for place in np.ndindex(array.shape):
                kept, differences = array[place], []
                for step in (1e-5, -1e-5):
                    array[place] = kept + step
                    differences.append(total(model))
                array[place] = kept
                assert gradient[place] == pytest.approx((differences[0] - differences[1]) / 2e-5, abs=1e-8)


def test_gradients_that_are_seen_are_those_of_the_loss():
    plain, ruled = (
        small(SGD(0.5)),
        small(SGD(0.5, global_clip_norm=0.01, weight_decay=0.1), regularizer=L2(0.1)),
    )
    for model in (plain, ruled):
        model.fit(X, Y, epochs=1, batch_size=None, keep_gradients=True, verbose=0)
    for layer, other in zip(plain.layers, ruled.layers, strict=True):
        np.testing.assert_array_equal(layer.d_weight, other.d_weight)
        np.testing.assert_array_equal(layer.d_bias, other.d_bias)


def test_norm_of_a_clipped_step():
    model = small(SGD(1.0, global_clip_norm=0.01), "float64").build(4)
    before = parameters(model)
    model.fit(X, Y, epochs=1, batch_size=None, verbose=0)
    assert np.linalg.norm(parameters(model) - before) == pytest.approx(0.01)


def test_sparse_weights_come_from_l1():
    plain, penalised = small(SGD(0.1)), small(SGD(0.1), regularizer=L1(0.05))
    for model in (plain, penalised):
        model.fit(X, Y, epochs=200, verbose=0)
    size = [np.abs(model.layers[0].weight).sum() for model in (plain, penalised)]
    assert size[1] < size[0] / 4


# Averages


def averaging():
    model = small(Adam(0.05, ema_momentum=0.9))
    model.fit(X, Y, epochs=4, batch_size=6, verbose=0)
    return model


def test_averages_in_the_place_of_parameters(tmp_path):
    model = averaging()
    before, predict = parameters(model), model.predictor()
    with model.averaged():
        averages, outputs, score = parameters(model), model.predict(X), model.evaluate(X, Y)
        np.testing.assert_array_equal(predict(X[0]), outputs[0])
        model.save(tmp_path / "model")
        for use in (
            lambda: model.fit(X, Y, verbose=0),
            lambda: model.optimizer.step(model),
            lambda: model.averaged().__enter__(),
        ):
            with pytest.raises(RuntimeError, match="not while averaged"):
                use()
    np.testing.assert_array_equal(parameters(model), before)
    assert (averages != before).all()
    loaded = load(tmp_path / "model")
    np.testing.assert_array_equal(parameters(loaded), averages)
    assert loaded.evaluate(X, Y) == score
    assert loaded.network.steps == [0, 0]
    loaded.fit(X, Y, epochs=1, verbose=0)


def test_averages_behind_a_scaler(tmp_path):
    """What scales is no parameter: it stays as it is, also in a model that comes from a file."""
    model = Sequential([StandardScaler(), Dense(3, "softmax")], optimizer=SGD(0.5, ema_momentum=0.5), seed=2)
    model.fit(3 * X + 1, Y, epochs=2, verbose=0)
    model.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    with model.averaged(), loaded.averaged():
        np.testing.assert_array_equal(model.predict(X), loaded.predict(X))
        outputs = loaded.predict(3 * X + 1)
        weight, bias = (array.astype(np.float64) for array in model.layers[1].parameters.values())
    scaled = (3 * X + 1 - (3 * X + 1).mean(axis=0)) / (3 * X + 1).std(axis=0)
    logits = np.exp(scaled @ weight + bias)
    np.testing.assert_allclose(outputs, logits / logits.sum(axis=1, keepdims=True), rtol=1e-4)


def test_parameters_come_back_after_an_error():
    model = averaging()
    before = parameters(model)
    with pytest.raises(ZeroDivisionError), model.averaged():
        raise ZeroDivisionError
    np.testing.assert_array_equal(parameters(model), before)
    model.fit(X, Y, epochs=1, verbose=0)


def test_averages_start_at_the_initial_parameters():
    model = small(SGD(0.5, ema_momentum=0.75)).build(4)
    before = parameters(model)
    model.fit(X, Y, epochs=1, batch_size=None, verbose=0)
    with model.averaged():
        np.testing.assert_allclose(
            parameters(model), before + 0.25 * (parameters_of(model) - before), rtol=1e-5
        )


def parameters_of(model):
    """The trained parameters, seen from within a block of averages."""
    other = small(SGD(0.5)).build(4)
    other.fit(X, Y, epochs=1, batch_size=None, verbose=0)
    return parameters(other)


def test_without_averages():
    model = small("adam")
    with pytest.raises(RuntimeError, match="no parameters yet"):
        model.averaged()
    model.fit(X, Y, epochs=1, verbose=0)
    with pytest.raises(RuntimeError, match=r"there are no averages: .* Adam\(ema_momentum=0.99\)"):
        model.averaged().__enter__()


def test_another_optimizer_gives_up_averages(tmp_path):
    model = averaging()
    model.optimizer = Adam(0.05)
    model.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    for each in (model, loaded):
        each.fit(X, Y, epochs=1, verbose=0)
        assert each.network.averages.size == 0
    np.testing.assert_array_equal(parameters(model), parameters(loaded))


# What is refused


@pytest.mark.parametrize("lie", [{"averages": 1}, {"averages": False}, {"averages": "yes"}])
def test_averages_that_lie(lie, tmp_path):
    averaging().save(tmp_path / "model")
    config, tensors = read_model(tmp_path / "model")
    write_model(tmp_path / "lie", config | lie, tensors)
    with pytest.raises(FileFormatError, match=r"lie: not a model of fastmlp: .*expected"):
        load(tmp_path / "lie")


@pytest.mark.parametrize("lie", [{"l1": 0.1}, {"l1": 0.1, "l2": "x"}, [1], "l2"])
def test_penalties_that_lie(lie, tmp_path):
    small("sgd", regularizer=L2(0.1)).build(4).save(tmp_path / "model")
    config, tensors = read_model(tmp_path / "model")
    config["layers"][0]["regularizer"] = lie
    write_model(tmp_path / "lie", config, tensors)
    with pytest.raises(FileFormatError, match=r"lie: not a model of fastmlp: (regularizer|L1L2): "):
        load(tmp_path / "lie")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD(clip_value=0), "SGD: clip_value: expected a number above 0, or None, got 0"),
        (lambda: SGD(clip_norm=-1), "SGD: clip_norm: expected a number above 0, or None, got -1"),
        (
            lambda: SGD(clip_norm=1, global_clip_norm=1),
            "expected at most one of clip_value, clip_norm, global_clip_norm, got clip_norm and global_clip_norm",
        ),
        (lambda: SGD(weight_decay=-0.1), "SGD: weight_decay: expected a number of at least 0, got -0.1"),
        (lambda: SGD(weight_decay=None), "SGD: weight_decay: expected a"),
        (lambda: SGD(decay=np.inf), "SGD: decay: expected a"),
        (
            lambda: Adam(ema_momentum=1),
            "Adam: ema_momentum: expected a number of at least 0 and below 1, or None, got 1",
        ),
        (
            lambda: SGD(nesterov=True),
            "SGD: nesterov: expected momentum above 0 and no dampening, got momentum=",
        ),
        (lambda: SGD(momentum=0.9, nesterov=1), "SGD: nesterov: expected True or False, got 1"),
        (
            lambda: SGD(dampening=0.5),
            "SGD: momentum: expected a number above 0 where there is dampening, got 0",
        ),
        (lambda: Dense(3, regularizer=0.1), r"Dense: regularizer: expected one such as L2\(1e-4\)"),
        (lambda: Dense(3, max_norm=0), "Dense: max_norm: expected a number above 0, or None, got 0"),
        (lambda: L1(-1), "L1L2: l1: expected a number of at least 0, got -1"),
        (lambda: L2(np.nan), "L1L2: l2: expected .*, got nan"),
    ],
)
def test_bad_descriptions(make, message):
    with pytest.raises(ValueError, match=message):
        make()
