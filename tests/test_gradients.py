"""Gradients against central differences, in float64, through the kernels that train."""

import numpy as np
import pytest

from fastmlp import (
    SGD,
    Activation,
    BatchNorm,
    Dense,
    Dropout,
    Flatten,
    GaussianNoise,
    LayerNorm,
    Sequential,
)
from fastmlp.activations import ACTIVATIONS
from fastmlp.layers import LAYERS
from fastmlp.layers.scalers import SCALERS, Scaler
from fastmlp.losses import (
    LOSSES,
    BinaryCrossEntropy,
    CrossEntropy,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanSquaredError,
    Poisson,
    Quantile,
)

ROWS, SHAPE, OUTPUTS = 7, (2, 3), 3
STEP = 1e-5  # the cube root of eps: truncation and rounding of a central difference are then about equal
LARGEST_ERROR = 1e-6

# The layers before the last one, Dense(OUTPUTS).
NETWORKS = {
    **{f"dense-{name}": lambda name=name: [Flatten(), Dense(5, name)] for name in ACTIVATIONS},
    **{f"input-{name}": lambda name=name: [Flatten(), Activation(name)] for name in ACTIVATIONS},
    "slope": lambda: [Flatten(), Dense(5, "leaky_relu", slope=0.3), Activation("leaky_relu", slope=0.2)],
    "alpha": lambda: [Flatten(), Dense(5, "elu", alpha=0.3), Activation("elu", alpha=2.0)],
    # None may spoil what another one keeps.
    "in a row": lambda: [
        Flatten(),
        Dense(5, "tanh"),
        *map(Activation, ("gelu", "sigmoid", "softmax", "log_softmax")),
    ],
    "dropout": lambda: [Flatten(), Dense(9, "tanh"), Dropout(0.4), Dense(9, "sigmoid"), Dropout(0.2)],
    "input-dropout": lambda: [Flatten(), Dropout(0.4), Dense(5, "softmax"), Dropout(0.4)],
    **{scaler.kind: lambda scaler=scaler: [Flatten(), scaler(), Dense(5, "tanh")] for scaler in SCALERS},
    "noise": lambda: [Flatten(), GaussianNoise(0.3), Dense(9, "tanh"), GaussianNoise(0.2)],
    "layer-norm": lambda: [Flatten(), LayerNorm(), Dense(9), LayerNorm(epsilon=0.1), Activation("tanh")],
    # Without the first tanh nothing would depend on what is added before the second BatchNorm.
    "batch-norm": lambda: [
        Flatten(),
        BatchNorm(),
        Dense(9, "tanh"),
        BatchNorm(epsilon=0.1),
        Activation("tanh"),
    ],
    "none": lambda: [Flatten()],
}
RANDOM = np.random.default_rng(5)
X = RANDOM.normal(size=(ROWS, *SHAPE))
LABELS, VALUES = RANDOM.integers(0, OUTPUTS, ROWS), RANDOM.random((ROWS, OUTPUTS))
SHARES, WEIGHTS = VALUES / VALUES.sum(axis=1, keepdims=True), RANDOM.random(ROWS)

# A loss, its targets, other arguments of fit.
TASKS = {
    "cross_entropy": (CrossEntropy(), LABELS, {}),
    "cross_entropy smoothed": (CrossEntropy(label_smoothing=0.2), LABELS, {}),
    "cross_entropy of shares": (CrossEntropy(label_smoothing=0.1), SHARES, {}),
    "cross_entropy weighted": (
        CrossEntropy(),
        LABELS,
        {"class_weight": {0: 0.5, 2: 3.0}, "sample_weight": WEIGHTS},
    ),
    "binary_cross_entropy": (BinaryCrossEntropy(), VALUES, {}),
    "binary_cross_entropy smoothed": (BinaryCrossEntropy(label_smoothing=0.2), VALUES, {}),
    "mean_squared_error": (MeanSquaredError(), VALUES, {}),
    "mean_squared_error sum": (MeanSquaredError(reduction="sum"), VALUES, {}),
    "mean_squared_error weighted": (MeanSquaredError(), VALUES, {"sample_weight": WEIGHTS}),
    "mean_absolute_error": (MeanAbsoluteError(), VALUES, {}),
    "huber": (Huber(delta=0.4), VALUES, {}),
    "log_cosh": (LogCosh(), VALUES, {}),
    "quantile": (Quantile(tau=0.2), VALUES, {}),
    "poisson": (Poisson(), VALUES, {}),
}
COMMON = ("cross_entropy", "binary_cross_entropy", "mean_squared_error")


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


def step_from(model, params, task, samples):
    """The loss before one step of full-batch gradient descent with rate 1 from these parameters, an arena."""
    _, targets, options = TASKS[task]
    model.network.restart(params)
    model.network.draws = 0
    history = model.fit(
        samples, targets, epochs=1, initial_epoch=0, batch_size=None, threads=1, verbose=0, **options
    )
    return history["loss"][0]


def arrays(model, arena=None):
    """All trained arrays by name: views into the model's parameters, or into an arena like them."""
    return {
        f"{number}.{name}": array
        for number, layer in enumerate(model.layers)
        for name, array in layer.trained_in(model.network.params if arena is None else arena).items()
    }


@pytest.mark.parametrize("task", TASKS)
def test_losses(task):
    assert_training_step("dense-tanh", "identity", task, X)


@pytest.mark.parametrize("task", ["cross_entropy", "mean_squared_error"])
@pytest.mark.parametrize("layers", NETWORKS)
def test_layers(layers, task):
    assert_training_step(layers, "identity", task, X)


@pytest.mark.parametrize("task", COMMON)
@pytest.mark.parametrize("layers", ["dense-tanh", "slope", "none"])
def test_zeros(layers, task):
    """The first layer skips the zeros."""
    samples = np.where(np.random.default_rng(8).random(X.shape) < 0.7, 0, X)
    assert_training_step(layers, "identity", task, samples)


@pytest.mark.parametrize("task", [*COMMON, "cross_entropy smoothed", "cross_entropy of shares"])
@pytest.mark.parametrize("last", ACTIVATIONS)
def test_last_activation(last, task):
    assert_training_step("dense-tanh", last, task, X)


def assert_training_step(layers, last, task, samples):
    model = model_of(layers, last, loss=TASKS[task][0], optimizer=SGD(learning_rate=1.0))
    start = model.network.params.copy()
    step_from(model, start, task, samples)
    steps = {name: array - arrays(model)[name] for name, array in arrays(model, start).items()}
    for name, array in arrays(model, start).items():
        expected = differences(lambda: step_from(model, start, task, samples), array)
        assert_gradient(steps[name], expected, name)


def forward(model, inputs):
    """A forward pass by hand that draws the same random numbers each time."""
    model.network.draws = 0
    return model.forward(inputs)


@pytest.mark.parametrize("last", ["identity", "softmax"])
@pytest.mark.parametrize("layers", NETWORKS)
def test_by_hand(layers, last):
    model, inputs = model_of(layers, last), X.copy()
    d_y = np.random.default_rng(7).normal(size=(ROWS, OUTPUTS))
    forward(model, inputs)
    d_x = model.backward(d_y)
    checked = {"X": (inputs, d_x.reshape(X.shape))}
    for number, layer in enumerate(model.layers):
        gradients = layer.trained_in(model.network.gradients)
        for name, array in layer.parameters.items():
            checked[f"{number}.{name}"] = (array, gradients[name].copy())
    for name, (array, gradient) in checked.items():
        expected = differences(lambda: float((forward(model, inputs) * d_y).sum()), array)
        assert_gradient(gradient, expected, name)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_alone(name):
    """Without a parameter anywhere."""
    layer, inputs = Activation(name).build(4, dtype="float64"), np.random.default_rng(9).normal(size=(3, 4))
    d_y = np.random.default_rng(7).normal(size=(3, 4))
    layer.forward(inputs)
    d_x = layer.backward(d_y)
    expected = differences(lambda: float((layer.forward(inputs) * d_y).sum()), inputs)
    assert_gradient(d_x, expected, "X")


def test_every_loss_and_every_kind_of_layer_is_checked():
    assert {loss.name for loss, _, _ in TASKS.values()} == LOSSES.keys()
    assert {layer.kind for layers in NETWORKS.values() for layer in layers()} == LAYERS.keys()
