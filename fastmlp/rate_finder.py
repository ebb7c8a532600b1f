"""Which learning rate to train with: a short training in which it grows from step to step."""

from __future__ import annotations

import math
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from .checks import COUNT, POSITIVE, Number, WholeNumber, checked
from .errors import TrainingDiverged
from .inputs.arrays import as_numbers
from .inputs.frames import is_series, series_values
from .inputs.samples import Inputs
from .inputs.sparse_matrix import is_sparse_matrix
from .kernels.loops import rng
from .model import Sequential
from .training.fit_arguments import SILENT, check_fit_arguments

FEWEST_STEPS = 20
KEPT = 0.9  # of the running loss that decides when to stop
TOO_HIGH = 3.0  # it stops where the running loss is so many times the first loss above it
WINDOW = 0.04  # standard deviation of the smoothing, as a share of all steps
CLEAR = 6.0  # standard errors of the smoothed loss: it wanders over four of them by chance


@dataclass(frozen=True, eq=False)
class LearningRates:
    """What `find_learning_rate` found; `plot_learning_rates` draws it.

    Attributes
    ----------
    rates : ndarray, shape (steps,)
        Learning rate of each step, ascending; up to where the loss had grown too far.
    losses : ndarray, shape (steps,)
        Loss of each step's batch, before its update.
    smoothed : ndarray, shape (steps,)
        The same, averaged over neighbouring steps.
    suggestion : float or None
        Where the smoothed loss falls most steeply; None if it does not fall by more than chance.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.linspace(-1, 1, 200)[:, None]
    >>> found = find_learning_rate(Sequential([Dense(1)]), X, 2 * X)
    >>> model = Sequential([Dense(1)], optimizer=Adam(found.suggestion))
    """

    rates: np.ndarray
    losses: np.ndarray
    smoothed: np.ndarray
    suggestion: float | None

    def __repr__(self) -> str:
        low, high = self.rates[0], self.rates[-1]
        return f"<LearningRates of {len(self.rates)} steps from {low:.3g} to {high:.3g}: suggestion {self.suggestion}>"


def find_learning_rate(
    model: Sequential,
    X: Inputs,
    y: ArrayLike,
    *,
    lowest: float = 1e-6,
    highest: float = 10.0,
    steps: int = 200,
    batch_size: int = 64,
) -> LearningRates:
    """Train a copy of the model with a learning rate that grows from step to step, and see where the loss falls.

    The learning rate range test of Smith (2017). The model itself stays as it is: its weights, the state of its
    optimizer, its history. It ends before `highest` where the loss has grown far above that of the start.

    Parameters
    ----------
    model : Sequential
        With the optimizer that shall train it; built or not, trained or not.
    X, y : array_like
        As `Sequential.fit` takes them.
    lowest, highest : float
        The first and the last learning rate; those between are equally far apart on a logarithmic scale.
    steps : int
        Number of learning rates, at least 20.
    batch_size : int
        Samples of a step, as it shall be in training.

    Returns
    -------
    LearningRates
        Rates, losses, and a suggestion.

    Raises
    ------
    ValueError
        If an argument is not acceptable, or the loss grows too far within the first 20 steps.

    Examples
    --------
    >>> images, labels = synthetic_digits(2_000)
    >>> model = Sequential([Flatten(), Dense(32, "relu"), Dense(10, "softmax")], optimizer=Adam())
    >>> found = find_learning_rate(model, images, labels)
    >>> 1e-4 < found.suggestion < 1e-1
    True
    """
    if not isinstance(model, Sequential):
        raise TypeError(f"find_learning_rate: expected a Sequential, got {type(model).__name__}")
    rates = _growing_rates(lowest, highest, steps)
    batch_size = checked("", "batch_size", batch_size, COUNT)
    trial = deepcopy(model)
    count = _prepare(trial, X, y)
    first = running = trial.evaluate(X, y)["loss"]
    losses: list[float] = []
    for loss in _train(trial, X, y, rates, _batches(count, min(batch_size, count), model.seed)):
        running = KEPT * running + (1 - KEPT) * loss
        if running > first + TOO_HIGH * abs(first):
            break
        losses.append(loss)
    if len(losses) < FEWEST_STEPS:
        raise ValueError(
            f"find_learning_rate: the loss grew from {first:g} too far within {len(losses)} steps, from the "
            f"learning rate {lowest:g} on; expected at least {FEWEST_STEPS} steps: give a lower `lowest`, more "
            "`steps`, or scale X"
        )
    return _judge(rates[: len(losses)], np.array(losses))


def _growing_rates(lowest: float, highest: float, steps: int) -> np.ndarray:
    steps = checked("", "steps", steps, WholeNumber(FEWEST_STEPS))
    lowest = checked("", "lowest", lowest, POSITIVE)
    highest = checked("", "highest", highest, Number(lowest, open=True))
    return np.geomspace(lowest, highest, steps)


def _prepare(trial: Sequential, X: Inputs, y: ArrayLike) -> int:
    """Build the copy for these samples; their number."""
    arguments = check_fit_arguments(
        trial.data_spec, X, y, optimizer=trial.optimizer, batch_size=None, shuffle=False, threads=None,
        engine="kernels", verbose=SILENT,
    )  # fmt: skip
    trial.prepare_for(arguments)
    return arguments.training.samples.count


def _batches(count: int, size: int, seed: int) -> Iterator[np.ndarray]:
    """Batches without end, all of the same size: pass after pass, each in an order of its own."""
    waiting, epoch = np.zeros(0, np.int64), 0
    while True:
        if len(waiting) < size:
            order = np.arange(count)
            rng.shuffle(order, np.uint64(seed), epoch)
            waiting, epoch = np.concatenate([waiting, order]), epoch + 1
        yield waiting[:size]
        waiting = waiting[size:]


def _train(
    trial: Sequential, X: Inputs, y: ArrayLike, rates: np.ndarray, batches: Iterator[np.ndarray]
) -> Iterator[float]:
    """A step with each learning rate, and the loss before it, as long as it is finite."""
    samples = X.tocsr() if is_sparse_matrix(X) else as_numbers(X, "X")
    targets = series_values(y) if is_series(y) else np.asarray(y)
    for rate, batch in zip(rates, batches, strict=False):
        trial.optimizer = replace(trial.optimizer, learning_rate=float(rate), decay=0.0)
        try:
            loss = trial.train_on_batch(samples[batch], targets[batch])
        except TrainingDiverged:
            return
        yield loss


def _judge(rates: np.ndarray, losses: np.ndarray) -> LearningRates:
    """Smooth the losses, and suggest the rate of the steepest fall before the least of them."""
    width = max(1.0, WINDOW * len(losses))
    smoothed = _smooth(losses, width)
    falling = smoothed[: int(smoothed.argmin()) + 1]
    scatter = float(np.std(losses[: len(falling)] - falling))
    error = scatter / math.sqrt(2 * math.sqrt(math.pi) * width)  # of a mean with such weights
    suggestion = None
    if len(falling) > 1 and falling.max() - falling[-1] > CLEAR * error:
        slopes = np.gradient(falling, np.log(rates[: len(falling)]))
        suggestion = float(rates[slopes.argmin()])
    return LearningRates(rates, losses, smoothed, suggestion)


def _smooth(losses: np.ndarray, width: float) -> np.ndarray:
    """Means over neighbours on both sides, weighted by a normal distribution: unlike running means, they do not lag."""
    reach = min(int(3 * width), (len(losses) - 1) // 2)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    return np.convolve(losses, weights, "same") / np.convolve(np.ones(len(losses)), weights, "same")
