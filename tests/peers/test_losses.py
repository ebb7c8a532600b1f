"""Twenty steps with each loss from the same weights and batches give PyTorch's parameters.

`pytest tests/peers -s` prints the largest differences.
"""

import numpy as np
import pytest

from fastmlp import SGD, Dense, Sequential, losses
from fastmlp.losses import LOSSES
from tests.tolerance import assert_close

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
F = torch.nn.functional

STEPS, BATCH, WIDTHS, RATE = 20, 16, (12, 24, 5), 0.05
ROWS, CLASSES = STEPS * BATCH, WIDTHS[-1]
RANDOM = np.random.default_rng(8)
X = RANDOM.normal(size=(ROWS, WIDTHS[0]))
LABELS, VALUES = RANDOM.integers(0, CLASSES, ROWS), RANDOM.normal(size=(ROWS, CLASSES))
SHARES = np.exp(VALUES) / np.exp(VALUES).sum(axis=1, keepdims=True)
TRUE, COUNTS = RANDOM.random((ROWS, CLASSES)), RANDOM.poisson(2.0, (ROWS, CLASSES))
WEIGHTS, OF_CLASS = RANDOM.random(ROWS), np.linspace(0.5, 2.5, CLASSES)


def _log_cosh(z, t):
    return torch.log(torch.cosh(z - t)).mean()


def _quantile(z, t):
    return torch.maximum(0.8 * (t - z), -0.2 * (t - z)).mean()


def _smoothed(z, t):
    return F.binary_cross_entropy_with_logits(z, t * 0.8 + 0.1)


# Ours; the targets; PyTorch's of the same numbers, of outputs and targets.
TASKS = {
    "cross_entropy": (losses.CrossEntropy(), LABELS, F.cross_entropy),
    "cross_entropy smoothed": (
        losses.CrossEntropy(label_smoothing=0.2),
        LABELS,
        lambda z, t: F.cross_entropy(z, t, label_smoothing=0.2),
    ),
    "cross_entropy of shares": (losses.CrossEntropy(), SHARES, F.cross_entropy),
    "cross_entropy of shares, smoothed": (
        losses.CrossEntropy(label_smoothing=0.2),
        SHARES,
        lambda z, t: F.cross_entropy(z, t, label_smoothing=0.2),
    ),
    "binary_cross_entropy": (losses.BinaryCrossEntropy(), TRUE, F.binary_cross_entropy_with_logits),
    "binary_cross_entropy smoothed": (losses.BinaryCrossEntropy(label_smoothing=0.2), TRUE, _smoothed),
    "mean_squared_error": (losses.MeanSquaredError(), VALUES, F.mse_loss),
    "mean_squared_error, sum": (
        losses.MeanSquaredError(reduction="sum"),
        VALUES,
        lambda z, t: F.mse_loss(z, t, reduction="sum") / len(z),
    ),
    "mean_absolute_error": (losses.MeanAbsoluteError(), VALUES, F.l1_loss),
    "huber": (losses.Huber(delta=0.5), VALUES, lambda z, t: F.huber_loss(z, t, delta=0.5)),
    "log_cosh": (losses.LogCosh(), VALUES, _log_cosh),
    "quantile": (losses.Quantile(tau=0.8), VALUES, _quantile),
    "poisson": (losses.Poisson(), COUNTS, F.poisson_nll_loss),
}
# Roundings on the longest path through a step: the sums forward (with the bias) and backward, of the loss over the
# outputs and of the gradient over the batch; some for the activations, for the loss and for the update.
ROUNDINGS = sum(width + 1 for width in WIDTHS) + WIDTHS[2] + WIDTHS[1] + BATCH + 3 * 10


def model_of(loss, dtype):
    layers = [Dense(WIDTHS[1], "tanh"), Dense(WIDTHS[2])]
    return Sequential(layers, loss=loss, optimizer=SGD(RATE), dtype=dtype, seed=9).build(WIDTHS[0])


def arrays(model):
    return [array for layer in model.layers for array in layer.parameters.values()]


def peer(model, y, loss, weights):
    """PyTorch's parameters after the steps, from those of a model."""
    tensors = [torch.tensor(array.copy(), requires_grad=True) for array in arrays(model)]
    first, first_bias, second, second_bias = tensors
    optimizer = torch.optim.SGD(tensors, lr=RATE)
    batches = (np.split(array, STEPS) for array in (X.astype(model.dtype), y, weights))
    for x, t, w in zip(*batches, strict=True):
        optimizer.zero_grad()
        outputs = torch.tanh(torch.from_numpy(x) @ first + first_bias) @ second + second_bias
        loss(outputs, torch.from_numpy(t), torch.from_numpy(w)).backward()
        optimizer.step()
    return [tensor.detach().numpy() for tensor in tensors]


def compare(name, dtype, loss, y, theirs, weights, record_property, **options):
    model = model_of(loss, dtype)
    targets = y if y is LABELS else y.astype(dtype)
    expected = peer(model, targets, theirs, weights.astype(dtype))
    model.fit(X.astype(dtype), targets, epochs=1, batch_size=BATCH, shuffle=False, verbose=0, **options)
    largest = max(float(np.abs(a - b).max()) for a, b in zip(arrays(model), expected, strict=True))
    record_property("largest difference", largest)
    print(f"{name} {dtype}: largest difference {largest:.3g}")
    for array, other in zip(arrays(model), expected, strict=True):
        assert_close(array, other, terms=STEPS * ROUNDINGS, scale=np.ones(array.shape))


def test_every_loss_is_compared():
    assert {loss.name for loss, _, _ in TASKS.values()} == LOSSES.keys()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", TASKS)
def test_loss(name, dtype, record_property):
    loss, y, theirs = TASKS[name]
    compare(name, dtype, loss, y, lambda z, t, w: theirs(z, t), np.ones(ROWS), record_property)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weights_of_classes_and_samples(dtype, record_property):
    def theirs(z, t, w):
        of_class = torch.tensor(OF_CLASS.astype(dtype))
        return (F.cross_entropy(z, t, weight=of_class, reduction="none") * w).mean()

    compare(
        "cross_entropy weighted", dtype, losses.CrossEntropy(), LABELS, theirs, WEIGHTS, record_property,
        class_weight=dict(enumerate(OF_CLASS)), sample_weight=WEIGHTS,
    )  # fmt: skip
