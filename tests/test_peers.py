"""Twenty steps of each optimizer from the same weights and batches give PyTorch's parameters."""

import numpy as np
import pytest

from fastmlp import SGD, Adam, Dense, RMSprop, Sequential
from tests.tolerance import assert_close

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

STEPS, BATCH, WIDTHS = 20, 16, (12, 24, 5)

# Ours, and PyTorch's of the same numbers.
OPTIMIZERS = {
    "sgd": (SGD(0.1), lambda p: torch.optim.SGD(p, lr=0.1)),
    "momentum": (SGD(0.05, momentum=0.9), lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9)),
    "rmsprop": (
        RMSprop(0.001, rho=0.9, epsilon=1e-7),
        lambda p: torch.optim.RMSprop(p, lr=0.001, alpha=0.9, eps=1e-7),
    ),
    "adam": (
        Adam(0.001, beta1=0.9, beta2=0.999, epsilon=1e-8),
        lambda p: torch.optim.Adam(p, lr=0.001, betas=(0.9, 0.999), eps=1e-8),
    ),
}

# Roundings on the longest path through a step: the sums forward (with the bias) and backward, of the loss over the
# outputs and of the gradient over the batch; some for the activations, for the loss and for the update.
ROUNDINGS = sum(width + 1 for width in WIDTHS) + WIDTHS[2] + WIDTHS[1] + BATCH + 3 * 10


def problem(dtype):
    """Samples and classes."""
    random = np.random.default_rng(8)
    samples = random.normal(size=(STEPS * BATCH, WIDTHS[0])).astype(dtype)
    return samples, random.integers(0, WIDTHS[-1], len(samples))


def peer(model, make_optimizer):
    """PyTorch's network with the parameters of a model; its optimizer after 20 steps."""
    tensors = [
        torch.tensor(array.copy(), requires_grad=True)
        for layer in model.layers
        for array in layer.parameters.values()
    ]
    first, first_bias, second, second_bias = tensors
    optimizer = make_optimizer(tensors)
    for X, y in zip(*(np.split(array, STEPS) for array in problem(model.dtype)), strict=True):
        optimizer.zero_grad()
        logits = torch.tanh(torch.from_numpy(X) @ first + first_bias) @ second + second_bias
        torch.nn.functional.cross_entropy(logits, torch.from_numpy(y)).backward()
        optimizer.step()
    return tensors, optimizer


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_pytorch(name, dtype, record_property):
    ours, theirs = OPTIMIZERS[name]
    model = Sequential(
        [Dense(WIDTHS[1], "tanh"), Dense(WIDTHS[2], "softmax")], optimizer=ours, dtype=dtype, seed=9
    ).build(WIDTHS[0])
    tensors, optimizer = peer(model, theirs)
    model.fit(*problem(dtype), epochs=1, batch_size=BATCH, shuffle=False, verbose=0)

    # A gradient's error reaches a parameter times the learning rate and, with Adam and RMSprop, over the root of
    # the mean square. The bound below takes it for no larger than that of a number of size 1: true where the
    # learning rate is below these roots.
    for state in optimizer.state.values():
        for slot in {"square_avg", "exp_avg_sq"} & state.keys():
            correction = 1 - 0.999**STEPS if slot == "exp_avg_sq" else 1.0
            assert (state[slot] / correction).sqrt().min() > ours.learning_rate
    actual = [array for layer in model.layers for array in layer.parameters.values()]
    largest = 0.0
    for array, tensor in zip(actual, tensors, strict=True):
        expected = tensor.detach().numpy()
        largest = max(largest, float(np.abs(array - expected).max()))
        assert_close(array, expected, terms=STEPS * ROUNDINGS, scale=np.ones(array.shape))
    record_property("largest difference", largest)
    print(f"{name} {dtype}: largest difference {largest:.3g}")
