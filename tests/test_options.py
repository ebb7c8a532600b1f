"""What users describe: options that are assigned later, and classes that are derived from fastmlp's."""

import copy
import pickle
from dataclasses import dataclass

import numpy as np
import pytest

from fastmlp import (
    L1L2,
    SGD,
    Activation,
    Adam,
    BatchNorm,
    Dense,
    Dropout,
    GaussianNoise,
    LayerNorm,
    Sequential,
    StandardScaler,
    optimizers,
)
from fastmlp.initializers import Normal
from fastmlp.losses import MeanSquaredError
from fastmlp.schedules import Constant, CosineDecay, Function, Schedule, WarmUp

X, Y = [[1.0], [2.0]], [1.0, 2.0]

# Options of optimizers: what is set, and what the message says.
ASSIGNED = [
    ("learning_rate", -1, "Adam: learning_rate: expected a number above 0, or a schedule, got -1"),
    ("learning_rate", "fast", "Adam: learning_rate: expected .*, got 'fast'"),
    ("learning_rate", None, "Adam: learning_rate: expected .*, got None"),
    ("beta1", 2.0, "Adam: beta1: expected a number of at least 0 and below 1, got 2.0"),
    ("beta1", "x", "Adam: beta1: expected .*, got 'x'"),
    ("clip_norm", -1, "Adam: clip_norm: expected a number above 0, or None, got -1"),
    ("ema_momentum", 5, "Adam: ema_momentum: expected .*, or None, got 5"),
    ("epsilon", 0, "Adam: epsilon: expected a number above 0, got 0"),
    ("weight_decay", np.nan, "Adam: weight_decay: expected a number of at least 0, got nan"),
    ("clip_value", 1.0, "Adam: expected at most one of .*, got clip_value and global_clip_norm"),
]


@pytest.mark.parametrize(("name", "value", "message"), ASSIGNED)
def test_an_option_that_is_assigned_is_checked(name, value, message):
    model = Sequential([Dense(1)], optimizer=Adam(global_clip_norm=3.0))
    before = copy.copy(model.optimizer)
    with pytest.raises(ValueError, match=message):
        setattr(model.optimizer, name, value)
    assert model.optimizer == before


def test_an_integer_that_is_no_float():
    with pytest.raises(ValueError, match=r"Adam: decay: expected .*, got an integer of thousands of digits"):
        Adam(decay=10**5000)


def test_an_option_that_no_optimizer_has():
    with pytest.raises(
        AttributeError, match=r"Adam: expected one of the options learning_rate, .*, got 'lr'"
    ):
        Adam().lr = 0.1


def test_a_rate_between_two_calls_of_fit():
    model = Sequential([Dense(1)], optimizer=SGD(0.5))
    model.fit(X, Y, epochs=1, verbose=0)
    model.optimizer.learning_rate = np.float32(0.25)
    assert type(model.optimizer.learning_rate) is float
    other = Sequential([Dense(1)], optimizer=SGD(0.5))
    other.fit(X, Y, epochs=1, verbose=0)
    other.optimizer = SGD(0.25)
    for each in (model, other):
        each.fit(X, Y, epochs=1, verbose=0)
    np.testing.assert_array_equal(model.network.params, other.network.params)
    model.optimizer.learning_rate = lambda step: 0.1
    assert isinstance(model.optimizer.learning_rate, Function)


def test_options_that_exclude_each_other_later():
    optimizer = SGD(momentum=0.9, nesterov=True)
    with pytest.raises(ValueError, match="SGD: nesterov: expected momentum above 0"):
        optimizer.momentum = 0
    assert optimizer.momentum == 0.9


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, lambda given: pickle.loads(pickle.dumps(given))])  # noqa: S301
def test_copies_of_optimizers(way):
    optimizer = Adam(CosineDecay(0.1, steps=3), clip_norm=1.0)
    assert way(optimizer) == optimizer


# Layers


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "trainable",
            "Dense: expected one of the attributes activation, .*, got 'trainable', which would have no",
        ),
        ("units", "Dense: units: cannot be changed; make a new layer"),
        ("slope", "Dense: expected one of the attributes .*, got 'slope'"),
    ],
)
def test_attributes_of_layers_that_would_have_no_effect(name, message):
    layer = Dense(2, "leaky_relu")
    with pytest.raises(AttributeError, match=message):
        setattr(layer, name, 3)
    layer.build(1)
    with pytest.raises(AttributeError, match=message):
        setattr(layer, name, 3)


def test_options_of_all_layers_stay():
    layers = [Dropout(0.5), GaussianNoise(0.5), BatchNorm(), LayerNorm(), Activation("elu"), StandardScaler()]
    for layer in layers:
        for name in layer.options() or {"axis": 0}:
            with pytest.raises(AttributeError, match=f"{name}: cannot be changed|got '{name}'"):
                setattr(layer, name, 0.25)


# What no file could hold

UNFIT = {
    "rate": lambda model: setattr(model.optimizer, "learning_rate", 1e-60),
    "seed": lambda model: setattr(model, "seed", -1),
    "names of features": lambda model: setattr(model, "feature_names", [1, 2]),
    "names of classes": lambda model: setattr(model, "class_names", ["a", "b", "c"]),
    "scale": lambda model: setattr(model, "sample_scale", "words"),
    "layers": lambda model: model.layers.append(Dense(3)),
    "history": lambda model: model.history.metrics.update(loss=["low"]),
}


@pytest.mark.parametrize("what", UNFIT)
def test_what_load_would_refuse_is_not_saved(what, tmp_path):
    model = Sequential([Dense(2, "softmax")])
    model.fit(X, [0, 1], epochs=1, verbose=0)
    UNFIT[what](model)
    with pytest.raises((ValueError, TypeError, RuntimeError)):
        model.save(tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_a_rate_that_is_too_small_for_the_network():
    model = Sequential([Dense(1)])
    model.optimizer.learning_rate = 1e-60
    with pytest.raises(
        ValueError, match=r"Adam: learning_rate: expected at least .* in a network of float32"
    ):
        model.fit(X, Y, verbose=0)
    assert model.epochs == 0


@pytest.mark.parametrize("names", [["a", "a"], "ab", [1, 2], None])
def test_names_of_classes_that_are_assigned(names):
    model = Sequential([Dense(2, "softmax")], class_names=["a", "b"])
    with pytest.raises(ValueError, match="class_names: expected different strings"):
        model.class_names = names
    assert model.class_names == ("a", "b")


# Classes that are derived


class OwnError(MeanSquaredError):
    def formula(self, *, labels):
        raise NotImplementedError


class OwnPenalty(L1L2):
    def penalty(self, weight):
        return 0.0


class OwnInitializer(Normal):
    def __call__(self, fan_in, fan_out, random):
        return np.zeros(random.shape)


class OwnOptimizer(SGD):
    def step(self, target):
        raise NotImplementedError


class OwnRate(Constant):
    def __call__(self, steps):
        return np.zeros(steps.shape)


@dataclass(frozen=True)
class NewSchedule(Schedule):
    def __call__(self, steps):
        return np.zeros(steps.shape)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Sequential(loss=OwnError()), "loss: expected one of .*, got a OwnError, whose own methods"),
        (lambda: Dense(1, regularizer=OwnPenalty()), "regularizer: expected one of L1L2, got a OwnPenalty"),
        (lambda: Dense(1, initializer=OwnInitializer()), "initializer: .* OwnInitializer.*FromArray"),
        (lambda: Dense(1, bias_initializer=OwnInitializer()), "initializer: .* OwnInitializer"),
        (lambda: Sequential(optimizer=OwnOptimizer()), "optimizer: expected one of .*, got a OwnOptimizer"),
        (lambda: SGD(OwnRate(0.1)), "SGD: learning_rate: .* OwnRate.* a function of the step"),
        (lambda: SGD(NewSchedule()), "SGD: learning_rate: .* NewSchedule"),
        (lambda: WarmUp(OwnRate(0.1), 3), "WarmUp: rate: .* OwnRate"),
    ],
)
def test_methods_that_would_not_be_called_are_refused(make, message):
    with pytest.raises(TypeError, match=message):
        make()


def test_all_optimizers_have_names_for_their_options():
    assert all(copy.copy(make()) == make() for make in optimizers.OPTIMIZERS.values())
