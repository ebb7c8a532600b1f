"""Each activation and its gradient against PyTorch's; `pytest tests/peers -s` prints the largest differences."""

import numpy as np
import pytest

from fastmlp import Activation
from fastmlp.activations import ACTIVATIONS
from fastmlp.kernels import activations
from tests.tolerance import assert_close

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
F = torch.nn.functional

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
ROWS, COLUMNS = 40, 50
THEIR_ULP = 4
DERIVATIVE_ROUNDINGS = 16  # operations of the longest formula of a derivative, on numbers of the size of 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_value_and_gradient(name, dtype, record_property):
    random = np.random.default_rng(0)
    x = np.linspace(-12, 12, ROWS * COLUMNS).reshape(ROWS, COLUMNS).astype(dtype)
    random.shuffle(x.reshape(-1))
    d_y = random.normal(size=x.shape).astype(dtype)
    layer = Activation(name).build(COLUMNS, dtype=dtype)
    values, slopes = layer.forward(x), layer.backward(d_y)
    given = torch.tensor(x, requires_grad=True)
    theirs = THEIRS.get(name) or getattr(F, name)
    expected = theirs(given)
    expected.backward(torch.from_numpy(d_y))
    expected, gradient = expected.detach().numpy(), given.grad.numpy()

    differences = [float(np.abs(a - b).max()) for a, b in ((values, expected), (slopes, gradient))]
    record_property("largest differences", differences)
    print(f"{name} {dtype}: largest difference {differences[0]:.3g}, of the gradient {differences[1]:.3g}")
    if name in activations.CODES:
        # PyTorch's are off by units of the last place of x or of 1 where the values come close to 0.
        terms = int(2 * (activations.ACTIVATIONS[activations.CODES[name]].max_ulp + THEIR_ULP))
        assert_close(values, expected, terms=terms, scale=np.maximum(1, np.abs(x)))
        assert_close(slopes, gradient, terms=DERIVATIVE_ROUNDINGS, scale=2 * np.abs(d_y))
    else:
        terms = COLUMNS + DERIVATIVE_ROUNDINGS
        assert_close(values, expected, terms=terms, scale=np.abs(expected) + np.abs(x).max())
        mass = np.abs(d_y).sum(axis=1, keepdims=True) + np.zeros_like(d_y)
        assert_close(slopes, gradient, terms=terms, scale=mass)
