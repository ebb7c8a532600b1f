"""Each activation, its gradient, and twenty steps with it against PyTorch."""

from functools import partial

import numpy as np
import pytest

from fastmlp import SGD, Activation
from fastmlp.activations import ACTIVATIONS
from fastmlp.kernels.loops import activations
from fastmlp.kernels.tables import ACTIVATION_CODES
from tests.peers.twenty_steps import F, Row, build, gradients, largest_difference, tensors_of, torch
from tests.tolerance import assert_close

# PyTorch's of the same name but for these.
THEIRS = {
    "identity": lambda x: x,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "softplus": lambda x: F.softplus(x, threshold=1000),  # from there on it takes x itself
    "hard_sigmoid": lambda x: F.relu6(x + 3) / 6,  # the slope of F.hardsigmoid is a sixth in float32 always
    "hard_swish": F.hardswish,
    "softmax": lambda x: F.softmax(x, dim=1),
    "log_softmax": lambda x: F.log_softmax(x, dim=1),
}
SHAPE = (40, 50)
THEIR_ULP, RATE = 4, 0.02  # one at which training is stable with each
DERIVATIVE_ROUNDINGS = 16  # operations of the longest formula of a derivative, on numbers of the size of 1


def peer_of(name):
    return THEIRS.get(name) or getattr(F, name)


def inputs(dtype):
    """All from -12 to 12, shuffled; and the gradient by the outputs."""
    random = np.random.default_rng(0)
    x = np.linspace(-12, 12, SHAPE[0] * SHAPE[1]).reshape(SHAPE).astype(dtype)
    random.shuffle(x.reshape(-1))
    return x, random.normal(size=x.shape).astype(dtype)


def compare_values(name, dtype):
    x, _ = inputs(dtype)
    values = Activation(name).build(SHAPE[1], dtype=dtype).forward(x)
    expected = peer_of(name)(torch.from_numpy(x)).numpy()
    if name in ACTIVATION_CODES:
        # PyTorch's are off by units of the last place of x or of 1 where the values come close to 0.
        _, formula = activations.ACTIVATIONS[ACTIVATION_CODES[name]]
        terms = int(2 * (formula.max_ulp + THEIR_ULP))
        assert_close(values, expected, terms=terms, scale=np.maximum(1, np.abs(x)))
    else:
        terms = SHAPE[1] + DERIVATIVE_ROUNDINGS
        assert_close(values, expected, terms=terms, scale=np.abs(expected) + np.abs(x).max())
    return float(np.abs(values - expected).max())


def compare_gradients(name, dtype):
    x, d_y = inputs(dtype)
    layer = Activation(name).build(SHAPE[1], dtype=dtype)
    layer.forward(x)
    gradient = layer.backward(d_y)
    given = torch.tensor(x, requires_grad=True)
    peer_of(name)(given).backward(torch.from_numpy(d_y))
    expected = given.grad.numpy()
    if name in ACTIVATION_CODES:
        assert_close(gradient, expected, terms=DERIVATIVE_ROUNDINGS, scale=2 * np.abs(d_y))
    else:
        mass = np.abs(d_y).sum(axis=1, keepdims=True) + np.zeros_like(d_y)
        assert_close(gradient, expected, terms=SHAPE[1] + DERIVATIVE_ROUNDINGS, scale=mass)
    return float(np.abs(gradient - expected).max())


def compare_steps(name, dtype):
    """Of a network with it in its hidden layer."""
    model = build(dtype, activation=name, optimizer=SGD(RATE))
    tensors = tensors_of(model)
    optimizer = torch.optim.SGD(tensors, lr=RATE)
    for _ in gradients(tensors, activation=peer_of(name)):
        optimizer.step()
    return largest_difference(model, tensors)


ROWS = {name: Row("PyTorch", partial(compare_steps, name)) for name in ACTIVATIONS}
VALUE_ROWS = {f"{name}, values": Row("PyTorch", partial(compare_values, name)) for name in ACTIVATIONS} | {
    f"{name}, gradients": Row("PyTorch", partial(compare_gradients, name)) for name in ACTIVATIONS
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", VALUE_ROWS)
def test_value_and_gradient(name, dtype):
    VALUE_ROWS[name].largest_difference(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ROWS)
def test_steps(name, dtype):
    ROWS[name].largest_difference(dtype)
