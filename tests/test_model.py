"""The model: its structure, its description, what it refuses."""

import numpy as np
import pytest

from fastmlp import SGD, Activation, Adam, Dense, Dropout, Flatten, RMSprop, Sequential
from fastmlp.checks import look_up
from fastmlp.engine.run_arguments import team_rows

X = np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32)
Y = np.arange(8) % 3


def small(**options):
    return Sequential([Dense(5, "tanh"), Dropout(0.2), Dense(3, "softmax")], **options)


def trained(**options):
    model = small(**options)
    model.fit(X, Y, epochs=2, batch_size=3, verbose=0)
    return model


# Structure


def test_layers_can_be_added_one_by_one():
    model = Sequential().add(Dense(5, "tanh")).add(Dropout(0.2)).add(Dense(3, "softmax"))
    model.fit(X, Y, epochs=2, batch_size=3, verbose=0)
    np.testing.assert_array_equal(model.predict(X), trained().predict(X))


def test_nothing_is_added_to_a_built_model():
    model = trained()
    with pytest.raises(RuntimeError, match=r"cannot add Dense\(units=2, .*the model is built"):
        model.add(Dense(2))
    assert len(model.layers) == 3


@pytest.mark.parametrize("layer", [Dense, "dense", None, 3])
def test_only_layers_are_added(layer):
    with pytest.raises(TypeError, match="expected a layer such as Dense"):
        Sequential([layer])


def test_a_layer_serves_once():
    layer = Dense(4)
    with pytest.raises(ValueError, match=r"Dense\(units=4.* already belongs to a network"):
        Sequential([layer, Dense(4), layer]).build(4)
    Sequential([layer]).build(4)
    with pytest.raises(ValueError, match="already belongs to a network"):
        Sequential([layer]).build(4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Sequential(loss="l3"), "loss: expected one of .*mean_squared_error"),
        (lambda: Sequential(optimizer="lbfgs"), "optimizer: expected one of adadelta, "),
        (lambda: Sequential(dtype="float16"), "dtype: expected one of float32, float64"),
        (lambda: Sequential(seed=-1), "seed: expected a whole number from 0 .* got -1"),
        (lambda: Sequential(seed=0.5), "seed: .* got 0.5"),
        (lambda: Sequential(seed=2**63), "seed: .* got 9223372036854775808"),
        (
            lambda: Sequential(class_names="ab"),
            "class_names: expected different strings, got 'ab'",
        ),
        (lambda: Sequential(class_names=["a", "a"]), "class_names: "),
        (lambda: Sequential(class_names=["a", 1]), "class_names: "),
        (lambda: Sequential(class_names=3), "class_names: .* got 3"),
        (lambda: Dense(3, "swishy"), "activation: expected one of .*relu, .*tanh"),
        (lambda: Dense(3, initializer="twos"), "initializer: expected one of .*he_uniform"),
        (lambda: Dense(0), "Dense: units: expected a whole number of at least 1, got 0"),
        (lambda: Dense(2.0), "Dense: units: expected .*, got 2.0"),
        (lambda: Dense(True), "Dense: units: expected .*, got True"),
        (lambda: Dense(2, "leaky_relu", slope=-1), "Dense: slope: expected a number above 0, got -1"),
        (lambda: Activation("relu6"), "activation: expected one of .*, got 'relu6'"),
        (lambda: Activation("leaky_relu", slope=np.inf), "Activation: slope: expected .*, got inf"),
        (lambda: Dropout(1), "Dropout: rate: expected a number of at least 0 and below 1, got 1"),
        (lambda: Dropout(-0.1), "Dropout: rate: expected .*, got -0.1"),
        (lambda: Dropout(np.nan), "Dropout: rate: expected .*, got nan"),
        (
            lambda: Adam(learning_rate=0),
            "Adam: learning_rate: expected a number above 0, or a schedule, got 0",
        ),
        (lambda: Adam(beta1=1.0), "Adam: beta1: expected a number of at least 0 and below 1, got 1.0"),
        (lambda: SGD(learning_rate="fast"), "SGD: learning_rate: expected a"),
        (lambda: SGD(momentum=np.nan), "SGD: momentum: expected .*, got nan"),
        (lambda: RMSprop(epsilon=0), "RMSprop: epsilon: expected a number above 0, got 0"),
        (lambda: Sequential().build(3), "the model has no layers"),
        (lambda: Sequential().fit(np.eye(3), [0, 1, 2]), "the model has no layers"),
        (lambda: Sequential([Activation("relu")]).build((2, 2)), r"shape \(2, 2\).*add Flatten\(\)"),
        (lambda: Sequential([Dense(2)]).build((2, 2)), r"Dense\(units=2, .*: .* add Flatten\(\) before it"),
    ],
)
def test_bad_descriptions(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    "optimizer", [Adam(epsilon=1e-40), RMSprop(epsilon=1e-300), SGD(1e-46), SGD(clip_norm=1e-39)], ids=repr
)
def test_an_optimizer_with_a_number_that_float32_takes_for_zero(optimizer):
    message = r"expected at least 1\.1754943508222875e-38 in a network of float32, got 1e-\d+"
    with pytest.raises(ValueError, match=message):
        small(optimizer=optimizer)
    model = small().build(4)
    with pytest.raises(ValueError, match=message):
        model.optimizer = optimizer
    model.forward(X)
    model.backward(np.ones((len(X), 3)))
    with pytest.raises(ValueError, match=message):
        optimizer.step(model)
    assert model.optimizer.name == "adam"
    model.fit(X, Y, epochs=1, verbose=0)
    small(optimizer=optimizer, dtype="float64").fit(X, Y, epochs=1, verbose=0)


def test_the_smallest_numbers_of_an_optimizer():
    """Padding, whose gradients are 0, stays 0."""
    least = 1.1754943508222875e-38
    model = small(optimizer=Adam(epsilon=least))
    model.fit(X, Y, epochs=2, verbose=0)
    assert np.isfinite(model.network.params).all()


@pytest.mark.parametrize("shape", [0, -1, 2.5, True, (), (3, 0), "ab", None, (2**63, 2)])
def test_bad_shapes(shape):
    with pytest.raises(ValueError, match="build: expected a number of features or a shape"):
        Sequential([Flatten(), Dense(2)]).build(shape)


@pytest.mark.parametrize("shape", [4, np.int32(4), (4,), [4], (np.int64(4),)])
def test_good_shapes(shape):
    assert small().build(shape).parameters == 5 * 5 + 6 * 3


def test_a_model_says_what_it_is():
    model = Sequential([Dense(2, "softmax")], optimizer=SGD(0.5), seed=3)
    expected = (
        "Sequential([Dense(units=2, activation='softmax')], loss='cross_entropy', optimizer=SGD(learning_rate=0.5, "
        "momentum=0.0, dampening=0.0, nesterov=False), seed=3)"
    )
    assert repr(model) == repr(model.build(4)) == expected
    assert repr(Sequential()).startswith("Sequential([], loss='mean_squared_error'")


def test_use_before_build():
    model = small()
    for use in (model.predict, model.forward, model.backward, model.save):
        with pytest.raises(RuntimeError, match="no parameters yet: call fit or build"):
            use(X)
    with pytest.raises(RuntimeError, match=r"Dense\(units=5, activation='tanh'\) is not built"):
        _ = model.layers[0].weight


def test_names():
    assert look_up("thing", "b", {"a": 1, "b": 2}) == 2
    for name in ("c", None, 3, ["a"]):
        with pytest.raises(ValueError, match=r"thing: expected one of a, b, got "):
            look_up("thing", name, {"b": 2, "a": 1})


def test_summary():
    lines = small().build(4).summary().splitlines()
    assert [line.split()[-1] for line in lines] == ["parameters", "25", "0", "18", "43"]
    assert lines[2].startswith("Dropout(rate=0.2)")
    assert len({len(line) for line in lines}) == 1
    large = Sequential([Flatten(), Dense(100)]).build((30, 40)).summary()
    assert "120,100" in large
    assert "(1200,)" in large


def test_one_sample_alone():
    model = trained()
    np.testing.assert_array_equal(model.predict(X[2]), model.predict(X)[2])
    assert model.predict_classes(X[2]) == model.predict_classes(X)[2]
    assert model.forward(X[2]).shape == (3,)
    assert model.backward(np.ones(3)).shape == (4,)
    images, image = Sequential([Flatten(), Dense(3)]).build((2, 2)), X[0].reshape(2, 2)
    np.testing.assert_array_equal(images.forward(image), images.forward(X.reshape(8, 2, 2))[0])
    np.testing.assert_array_equal(images.predict(image), images.predict(X.reshape(8, 2, 2))[0])


def test_classes_of_one_output():
    sigmoid, linear = Sequential([Dense(1, "sigmoid")]).build(4), Sequential([Dense(1)]).build(4)
    assert sigmoid.predict_classes(X).tolist() == (sigmoid.predict(X)[:, 0] > 0.5).astype(int).tolist()
    assert linear.predict_classes(X).tolist() == (linear.predict(X)[:, 0] > 0).astype(int).tolist()
    assert set(sigmoid.predict_classes(X)) == {0, 1}


@pytest.mark.parametrize(("width", "rows"), [(10, 256), (1000, 256), (20_000, 48), (10**9, 8)])
def test_wide_samples_are_predicted_in_short_chunks(width, rows):
    model = Sequential([Flatten(), Activation("relu")]).build(width)
    assert team_rows(model.network.widths, model.network.dtype, 3) == 3 * rows
