"""Twenty steps of one small network, ours and PyTorch's, from the same weights and the same batches."""

from typing import NamedTuple

import numpy as np
import pytest

from fastmlp import Dense, Sequential
from tests.tolerance import assert_close

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
F = torch.nn.functional

STEPS, BATCH, WIDTHS = 20, 16, (12, 24, 5)
SAMPLES, CLASSES = STEPS * BATCH, WIDTHS[-1]
RANDOM = np.random.default_rng(8)
X = RANDOM.normal(size=(SAMPLES, WIDTHS[0]))
LABELS = RANDOM.integers(0, CLASSES, SAMPLES)

# Roundings on the longest path through a step: the sums forward (with the bias) and backward, of the loss over the
# outputs and of the gradient over the batch; some for the activations, for the loss and for the update.
ROUNDINGS = sum(width + 1 for width in WIDTHS) + WIDTHS[2] + WIDTHS[1] + BATCH + 3 * 10


class Row(NamedTuple):
    """A row of the table that `python -m tests.peers` prints: a comparison, which is a test too."""

    peer: str
    # A function of the dtype, which fails where the difference is larger than roundings can make it.
    largest_difference: object


def build(dtype, *, activation="tanh", loss="cross_entropy", optimizer="sgd", **of_layers):
    layers = [Dense(WIDTHS[1], activation, **of_layers), Dense(WIDTHS[2], **of_layers)]
    return Sequential(layers, loss=loss, optimizer=optimizer, dtype=dtype, seed=9).build(WIDTHS[0])


def arrays_of(model):
    return [array for layer in model.layers for array in layer.parameters.values()]


def tensors_of(model):
    """The parameters of a model as PyTorch's: weights and biases of the first layer, then of the second."""
    return [torch.tensor(array.copy(), requires_grad=True) for array in arrays_of(model)]


def gradients(tensors, loss=F.cross_entropy, targets=(LABELS,), activation=torch.tanh):
    """Before each of the steps, fill the gradients of the loss, of outputs and targets; to step is the caller's."""
    first, first_bias, second, second_bias = tensors
    samples = X.astype(first.detach().numpy().dtype)
    for x, *true in zip(
        *(torch.from_numpy(array).split(BATCH) for array in (samples, *targets)), strict=True
    ):
        for tensor in tensors:
            tensor.grad = None
        loss(activation(x @ first + first_bias) @ second + second_bias, *true).backward()
        yield


def largest_difference(model, tensors, y=LABELS, **options):
    """Train the model for the same steps, and compare its parameters with these."""
    model.fit(X.astype(model.dtype), y, epochs=1, batch_size=BATCH, shuffle=False, verbose=0, **options)
    return difference(arrays_of(model), tensors)


def difference(arrays, tensors):
    """The largest, of parameters after 20 steps."""
    pairs = [(array, tensor.detach().numpy()) for array, tensor in zip(arrays, tensors, strict=True)]
    for array, expected in pairs:
        assert_close(array, expected, terms=STEPS * ROUNDINGS, scale=np.ones(array.shape))
    return max(float(np.abs(array - expected).max()) for array, expected in pairs)
