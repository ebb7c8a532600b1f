"""Twenty steps with each loss give PyTorch's parameters."""

from functools import partial

import numpy as np
import pytest

from fastmlp import SGD, losses
from fastmlp.losses import LOSSES
from tests.peers.twenty_steps import (
    CLASSES,
    LABELS,
    SAMPLES,
    F,
    Row,
    build,
    gradients,
    largest_difference,
    tensors_of,
    torch,
)

RATE = 0.05
RANDOM = np.random.default_rng(9)
VALUES = RANDOM.normal(size=(SAMPLES, CLASSES))
SHARES = np.exp(VALUES) / np.exp(VALUES).sum(axis=1, keepdims=True)
TRUE, COUNTS = RANDOM.random((SAMPLES, CLASSES)), RANDOM.poisson(2.0, (SAMPLES, CLASSES))
WEIGHTS, OF_CLASS = RANDOM.random(SAMPLES), np.linspace(0.5, 2.5, CLASSES)


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


def compare(loss, targets, theirs, dtype, **options):
    """Of targets, the first is ours; PyTorch's loss may take more."""
    targets = [array if array is LABELS else array.astype(dtype) for array in targets]
    model = build(dtype, loss=loss, optimizer=SGD(RATE))
    tensors = tensors_of(model)
    optimizer = torch.optim.SGD(tensors, lr=RATE)
    for _ in gradients(tensors, theirs, targets):
        optimizer.step()
    return largest_difference(model, tensors, targets[0], **options)


def compare_weights(dtype):
    """Of classes and of samples."""

    def theirs(z, t, w):
        of_class = torch.tensor(OF_CLASS.astype(dtype))
        return (F.cross_entropy(z, t, weight=of_class, reduction="none") * w).mean()

    options = {"class_weight": dict(enumerate(OF_CLASS)), "sample_weight": WEIGHTS}
    return compare(losses.CrossEntropy(), (LABELS, WEIGHTS), theirs, dtype, **options)


ROWS = {
    name: Row("PyTorch", partial(compare, loss, (y,), theirs)) for name, (loss, y, theirs) in TASKS.items()
} | {"cross_entropy weighted": Row("PyTorch", compare_weights)}


def test_every_loss_is_compared():
    assert {loss.name for loss, _, _ in TASKS.values()} == LOSSES.keys()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ROWS)
def test_loss(name, dtype):
    ROWS[name].largest_difference(dtype)
