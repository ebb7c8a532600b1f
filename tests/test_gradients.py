"""Gradients against central differences, in float64, through the kernels that train."""

import numpy as np
import pytest

from fastmlp import SGD, Activation, Dense, Dropout, Flatten, Sequential
from fastmlp.kernels.losses import LOSSES
from fastmlp.layers import _LAYERS, ACTIVATIONS
from fastmlp.scalers import SCALERS, Scaler

ROWS, SHAPE, OUTPUTS = 7, (2, 3), 3
STEP = 1e-5  # the cube root of eps: truncation and rounding of a central difference are then about equal
LARGEST_ERROR = 1e-6

# The layers before the last one, Dense(OUTPUTS).
NETWORKS = {
    **{f"dense-{name}": lambda name=name: [Flatten(), Dense(5, name)] for name in ACTIVATIONS},
    **{f"input-{name}": lambda name=name: [Flatten(), Activation(name)] for name in ACTIVATIONS},
    "slope": lambda: [Flatten(), Dense(5, "leaky_relu", slope=0.3), Activation("leaky_relu", slope=0.2)],
    "dropout": lambda: [Flatten(), Dense(9, "tanh"), Dropout(0.4), Dense(9, "sigmoid"), Dropout(0.2)],
    "input-dropout": lambda: [Flatten(), Dropout(0.4), Dense(5, "softmax"), Dropout(0.4)],
    **{scaler.kind: lambda scaler=scaler: [Flatten(), scaler(), Dense(5, "tanh")] for scaler in SCALERS},
    "none": lambda: [Flatten()],
}
RANDOM = np.random.default_rng(5)
X = RANDOM.normal(size=(ROWS, *SHAPE))
LABELS, VALUES = RANDOM.integers(0, OUTPUTS, ROWS), RANDOM.random((ROWS, OUTPUTS))


def model_of(layers, last, **options):
    """A model in float64 whose biases are not 0."""
    model = Sequential([*NETWORKS[layers](), Dense(OUTPUTS, last)], dtype="float64", **options).build(SHAPE)
    random = np.random.default_rng(6)
    for layer in model.layers:
        if isinstance(layer, Dense):
            layer.bias = random.normal(size=layer.bias.shape)
        elif isinstance(layer, Scaler):
            layer.adapt(X.reshape(ROWS, -1))
    return model


def differences(function, array):
    """Central differences of a function of what is in this array."""
    gradient = np.empty(array.shape)
    for place in np.ndindex(array.shape):
        kept = array[place]
        array[place] = kept + STEP
        above = function()
        array[place] = kept - STEP
        gradient[place] = (above - function()) / (2 * STEP)
        array[place] = kept
    return gradient


def assert_gradient(actual, expected, name):
    error = np.abs(actual - expected).max() / np.abs(expected).max()
    assert error <= LARGEST_ERROR, f"{name}: relative error {error:.2g}"


def train_once(parameters, layers, last, loss, samples):
    """One step of full-batch gradient descent with rate 1 from these parameters; the loss before it."""
    model = model_of(layers, last, loss=loss.name, optimizer=SGD(learning_rate=1.0))
    for view, values in zip(arrays(model).values(), parameters, strict=True):
        view[...] = values
    targets = LABELS if loss.takes_labels else VALUES
    history = model.fit(samples, targets, epochs=1, batch_size=None, threads=1, verbose=0)
    return history["loss"][0], model


def arrays(model):
    """All trained arrays by name."""
    return {
        f"{number}.{name}": array
        for number, layer in enumerate(model.layers)
        for name, array in layer.parameters.items()
    }


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
@pytest.mark.parametrize("layers", NETWORKS)
def test_training_step(layers, loss):
    assert_training_step(layers, "identity", loss, X)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
@pytest.mark.parametrize("layers", ["dense-tanh", "slope", "none"])
def test_training_step_on_zeros(layers, loss):
    """The first layer skips the zeros."""
    samples = np.where(np.random.default_rng(8).random(X.shape) < 0.7, 0, X)
    assert_training_step(layers, "identity", loss, samples)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
@pytest.mark.parametrize("last", ACTIVATIONS)
def test_last_activation(last, loss):
    assert_training_step("dense-tanh", last, loss, X)


def assert_training_step(layers, last, loss, samples):
    before = [array.copy() for array in arrays(model_of(layers, last)).values()]
    _, trained = train_once(before, layers, last, loss, samples)
    for number, (name, array) in enumerate(arrays(trained).items()):
        expected = differences(lambda: train_once(before, layers, last, loss, samples)[0], before[number])
        assert_gradient(before[number] - array, expected, name)


@pytest.mark.parametrize("last", ["identity", "softmax"])
@pytest.mark.parametrize("layers", NETWORKS)
def test_by_hand(layers, last):
    model, inputs = model_of(layers, last), X.copy()
    d_y = np.random.default_rng(7).normal(size=(ROWS, OUTPUTS))
    model.forward(inputs)
    d_x = model.backward(d_y)
    checked = {"X": (inputs, d_x.reshape(X.shape))}
    for number, layer in enumerate(model.layers):
        if isinstance(layer, Dense):
            checked[f"{number}.weight"] = (layer.weight, layer.d_weight.copy())
            checked[f"{number}.bias"] = (layer.bias, layer.d_bias.copy())
    for name, (array, gradient) in checked.items():
        expected = differences(lambda: float((model.forward(inputs) * d_y).sum()), array)
        assert_gradient(gradient, expected, name)


def test_every_kind_of_layer_is_checked():
    assert {layer.kind for layers in NETWORKS.values() for layer in layers()} == _LAYERS.keys()
