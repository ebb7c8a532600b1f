"""A model that is saved and loaded; a file whose description does not go together."""

import copy

import numpy as np
import pytest

from fastmlp import SGD, Activation, Adam, Dense, Dropout, FileFormatError, Flatten, Sequential, load
from fastmlp.files.model_file import read_model, write_model

X = np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32)
Y = np.arange(8) % 3


def trained():
    model = Sequential([Dense(5, "tanh"), Dropout(0.2), Dense(3, "softmax")])
    model.fit(X, Y, epochs=2, batch_size=3, verbose=0)
    return model


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "rmsprop", Adam(0.01, beta1=0.5)], ids=str)
def test_a_file_keeps_everything(optimizer, dtype, tmp_path):
    layers = [
        Flatten(),
        Dense(6, "leaky_relu", slope=0.3, initializer="lecun_uniform"),
        Activation("tanh"),
        Dropout(0.1),
        Dense(1, "sigmoid"),
    ]
    images = X.reshape(8, 2, 2)
    model = Sequential(layers, optimizer=optimizer, dtype=dtype, seed=7)
    model.fit(images, Y > 1, epochs=3, verbose=0)
    first, second = tmp_path / "first", tmp_path / "second"
    model.save(first)
    loaded = load(first)
    assert repr(loaded.layers) == repr(model.layers)
    assert (loaded.loss, loaded.seed, loaded.dtype) == (model.loss, 7, dtype)
    assert loaded.optimizer == model.optimizer
    for name in ("params", "slots"):
        np.testing.assert_array_equal(getattr(loaded.network, name), getattr(model.network, name))
    assert loaded.network.steps == model.network.steps
    np.testing.assert_array_equal(loaded.predict(images), model.predict(images))
    loaded.save(second)
    assert first.read_bytes() == second.read_bytes()


def test_another_optimizer_after_training(tmp_path):
    model = trained()
    model.optimizer = SGD(0.1)
    model.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    for each in (model, loaded):
        each.fit(X, Y, epochs=1, verbose=0)
    np.testing.assert_array_equal(model.network.params, loaded.network.params)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Configuration and tensors of a good file."""
    path = tmp_path_factory.mktemp("model") / "model"
    trained().save(path)
    return read_model(path)


def in_config(**lies):
    return lambda config, tensors: config.update(lies)


def in_layer(**lies):
    return lambda config, tensors: config["layers"][0].update(lies)


def in_optimizer(**lies):
    return lambda config, tensors: config["optimizer"].update(lies)


def in_tensors(**lies):
    """Zeros of these shapes, of the type in their first place."""
    return lambda config, tensors: tensors.update(
        {name.replace("__", "."): np.zeros(shape, dtype) for name, (dtype, *shape) in lies.items()}
    )


LIES = {
    "unknown field": in_config(class_name="os.system"),
    "missing field": lambda config, tensors: config.pop("seed"),
    "unknown layer": in_layer(kind="lambda"),
    "layer without a kind": lambda config, tensors: config["layers"][0].pop("kind"),
    "kind that is no text": in_layer(kind=["dense"]),
    "unknown option": in_layer(module="os"),
    "missing option": lambda config, tensors: config["layers"][0].pop("units"),
    "layer that is a list": in_config(layers=[["dense"]]),
    "layers that are a number": in_config(layers=3),
    "no layers": in_config(layers=[]),
    "more layers": lambda config, tensors: config["layers"].append({"kind": "dense", "units": 3}),
    "huge layer": in_layer(units=10**15),
    "layer larger than any number": in_layer(units=10**30),
    "negative layer": in_layer(units=-5),
    "unknown activation": in_layer(activation="eval"),
    "slope beyond floats": in_layer(activation="leaky_relu", slope=10**400),
    "huge input": in_config(input_shape=[10**15]),
    "input of another shape": in_config(input_shape=[2, 2]),
    "input that is text": in_config(input_shape="4"),
    "input of floats": in_config(input_shape=[4.0]),
    "negative input": in_config(input_shape=[-4]),
    "no weights, huge input": in_config(layers=[{"kind": "flatten"}], input_shape=[2**62, 2**62]),
    "unknown loss": in_config(loss="zero"),
    "unknown optimizer": in_optimizer(name="lbfgs"),
    "unknown option of the optimizer": in_optimizer(callback="f"),
    "optimizer out of range": in_optimizer(beta1=2),
    "optimizer that is a list": in_config(optimizer=["adam"]),
    "rate beyond floats": in_optimizer(learning_rate=10**400),
    "state of another": in_config(state_of="momentum"),
    "no state": in_config(state_of=""),
    "another scale": in_config(sample_scale="words"),
    "seed": in_config(seed=-1),
    "unknown dtype": in_config(dtype="int8"),
    "another dtype": in_config(dtype="float64"),
    "negative epochs": in_config(epochs=-1),
    "endless epochs": in_config(epochs=10**30),
    "epochs that are true": in_config(epochs=True),
    "too few steps": in_config(steps=[1]),
    "negative steps": in_config(steps=[-1, 0, 0]),
    "endless steps": in_config(steps=[10**30] * 3),
    "steps that are a number": in_config(steps=3),
    "missing tensor": lambda config, tensors: tensors.pop("layer0.bias"),
    "another tensor": in_tensors(extra=("f4", 3)),
    "wrong shape": in_tensors(layer0__bias=("f4", 6)),
    "transposed": in_tensors(layer0__weight=("f4", 5, 4)),
    "wrong type": in_tensors(layer0__bias=("f8", 5)),
    "wrong shape of the state": in_tensors(layer0__bias__mean=("f4", 1)),
}


@pytest.mark.survives("R2", "R3", "R4", "R5")
@pytest.mark.parametrize("lie", LIES)
def test_files_that_lie(lie, saved, tmp_path):
    config, tensors = copy.deepcopy(saved.config), dict(saved.tensors)
    LIES[lie](config, tensors)
    write_model(tmp_path / "lie", config, tensors)
    with pytest.raises(FileFormatError, match=r"lie: not a model of fastmlp: ") as caught:
        load(tmp_path / "lie")
    assert "\n" not in str(caught.value)


def test_the_good_file_loads(saved, tmp_path):
    write_model(tmp_path / "good", *saved)
    np.testing.assert_array_equal(load(tmp_path / "good").predict(X), trained().predict(X))


@pytest.mark.survives("R12")
def test_numbers_that_are_not_finite(saved, tmp_path):
    tensors = saved.tensors | {"layer0.bias": np.full(5, np.nan, np.float32)}
    write_model(tmp_path / "nan", saved.config, tensors, allow_nonfinite=True)
    with pytest.raises(FileFormatError, match=r"layer0\.bias"):
        load(tmp_path / "nan")


def test_weights_that_are_not_finite_are_not_saved(tmp_path):
    model = trained()
    model.layers[0].weight[0, 0] = np.inf
    with pytest.raises(ValueError, match=r"layer0\.weight"):
        model.save(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []
