"""Models that are copied or pickled: what comes along, and that both go on with the same bits."""

import copy
import io
import math
import pickle
import threading

import numpy as np
import pytest

from fastmlp import (
    L2,
    SGD,
    Adam,
    BatchNorm,
    Callback,
    Dense,
    Dropout,
    FileFormatError,
    RMSprop,
    Sequential,
    StandardScaler,
    find_learning_rate,
)
from fastmlp.schedules import CosineDecay, ReduceOnPlateau

X = np.random.default_rng(0).normal(size=(48, 5)).astype(np.float32)
Y = np.arange(48) % 3


def by_joblib(model):
    joblib = pytest.importorskip("joblib")
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    return joblib.load(file)


def through_pickle(protocol):
    return lambda model: pickle.loads(pickle.dumps(model, protocol))  # noqa: S301  # our own


WAYS = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": through_pickle(pickle.HIGHEST_PROTOCOL),
    "oldest pickle": through_pickle(0),
    "joblib": by_joblib,
}
all_ways = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


def falling(step):
    """A learning rate that is a function, as a pickle can name it."""
    return 0.05 / (1 + step)


def network(optimizer="adam", **options):
    layers = [
        StandardScaler(),
        Dense(7, "tanh", regularizer=L2(0.01)),
        BatchNorm(),
        Dropout(0.3),
        Dense(3, "softmax"),
    ]
    return Sequential(layers, optimizer=optimizer, seed=5, **options)


def trained(optimizer="adam", **options):
    model = network(optimizer, **options)
    model.fit(X, Y, epochs=3, batch_size=10, verbose=0)
    return model


def averages_of(model):
    """The averages of all trained arrays; others have none."""
    arena = model.network.averages
    layers = [layer for layer in model.layers if layer.parameters and arena.size]
    return [array.tobytes() for layer in layers for array in layer.trained_in(arena).values()]


def assert_same_bits(one, other):
    assert one.network.params.tobytes() == other.network.params.tobytes()
    assert one.network.slots.tobytes() == other.network.slots.tobytes()
    assert averages_of(one) == averages_of(other)
    assert (one.network.steps, one.epochs) == (other.network.steps, other.epochs)
    timeless = [
        {name: curve for name, curve in model.history.metrics.items() if "second" not in name}
        for model in (one, other)
    ]
    assert one.history.epochs == other.history.epochs
    assert timeless[0] == timeless[1]


OPTIMIZERS = [
    "sgd",
    SGD(0.1, momentum=0.9, nesterov=True),
    RMSprop(0.01, centered=True),
    Adam(0.01, ema_momentum=0.9),
    Adam(CosineDecay(0.01, steps=20)),
    Adam(ReduceOnPlateau(0.01, monitor="loss", patience=1)),
    Adam(falling),
]


@all_ways
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_both_go_on_with_the_same_bits(way, optimizer):
    model = trained(optimizer)
    other = way(model)
    assert_same_bits(model, other)
    model.fit(X, Y, epochs=2, batch_size=10, verbose=0)
    assert other.epochs == 3 and len(other.history) == 3  # it has memory of its own
    other.fit(X, Y, epochs=2, batch_size=10, verbose=0, threads=2)
    assert_same_bits(model, other)
    assert model.history.metrics.keys() == other.history.metrics.keys()
    np.testing.assert_array_equal(model.predict(X), other.predict(X))


@all_ways
def test_what_is_not_built_yet(way):
    model = network(loss="cross_entropy", class_names=["a", "b", "c"])
    other = way(model)
    assert repr(other) == repr(model) and other.class_names == ("a", "b", "c")
    assert other.layers[1] is not model.layers[1]
    for each in (model, other):
        each.fit(X, Y, epochs=1, verbose=0)
    assert_same_bits(model, other)


@all_ways
def test_built_but_not_trained(way):
    model = Sequential([Dense(4, "relu"), Dense(3, "softmax")], seed=2, dtype="float64").build(5)
    other = way(model)
    assert other.dtype == "float64" and other.parameters == model.parameters
    for each in (model, other):
        each.fit(X, Y, epochs=1, verbose=0)
    assert_same_bits(model, other)


class Named(Sequential):
    """A user's own kind, made in another way."""

    def __init__(self, units):
        super().__init__([Dense(units, "relu"), Dense(3, "softmax")])
        self.purpose = ["test"]


@all_ways
def test_kind_and_attributes_come_along(way):
    model = Named(4)
    model.fit(X, Y, epochs=1, verbose=0)
    other = way(model)
    assert type(other) is Named and other.purpose == ["test"] and other.purpose is not model.purpose
    assert other.sample_scale == "numbers"
    assert_same_bits(model, other)


@all_ways
def test_another_optimizer_than_the_one_that_trained(way):
    model = trained()
    model.optimizer = SGD(0.1)
    other = way(model)
    for each in (model, other):
        each.fit(X, Y, epochs=1, verbose=0)
    assert_same_bits(model, other)


@all_ways
def test_numbers_that_are_not_finite(way):
    """A file refuses them, but whoever looks for what went wrong copies what is there."""
    model = trained()
    model.layers[1].weight[0, 0] = math.nan
    assert math.isnan(way(model).layers[1].weight[0, 0])


def test_within_averaged_the_copy_has_the_averages():
    model = trained(Adam(0.01, ema_momentum=0.9))
    with model.averaged():
        averaged = model.predict(X)
        other = copy.deepcopy(model)
    np.testing.assert_array_equal(other.predict(X), averaged)
    assert other.network.averages.size == 0


def test_copies_by_a_callback_are_those_of_their_epoch():
    copies = []

    class Keep(Callback):
        def on_epoch_end(self, epoch, logs):
            copies.append(copy.deepcopy(self.model))

    model = network()
    model.fit(X, Y, epochs=3, batch_size=10, callbacks=[Keep()], verbose=0)
    assert [(each.epochs, len(each.history)) for each in copies] == [(1, 1), (2, 2), (3, 3)]
    copies[0].fit(X, Y, epochs=2, batch_size=10, verbose=0)
    assert_same_bits(model, copies[0])


def test_a_copy_waits_for_the_fit_of_another_thread():
    model, started = network(), threading.Event()
    fit = threading.Thread(
        target=lambda: model.fit(
            X, Y, epochs=60, batch_size=10, callbacks=[lambda epoch, logs: started.set()], verbose=0
        )
    )
    fit.start()
    started.wait()
    other = copy.deepcopy(model)
    fit.join()
    assert other.epochs == 60
    assert_same_bits(model, other)


def test_a_damaged_pickle_is_refused():
    content = bytearray(pickle.dumps(trained()))
    weights = trained().layers[1].weight[0].tobytes()
    content[content.index(weights)] ^= 1
    with pytest.raises(FileFormatError, match=r"^bytes of a model: the checksum does not fit"):
        pickle.loads(content)  # noqa: S301


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_built_layer_alone_is_not_copied(way):
    way(Dense(3))
    with pytest.raises(TypeError, match="copy the model that it belongs to"):
        way(trained().layers[1].network)
    with pytest.raises(TypeError, match="copy the model that it belongs to"):
        pickle.dumps(trained().layers[1])


def test_the_rate_finder_takes_a_function_for_a_rate():
    """It trains a copy."""
    model = trained(Adam(falling))
    before = model.network.params.copy()
    find_learning_rate(model, X, Y, steps=20, highest=1e-3)
    np.testing.assert_array_equal(model.network.params, before)
