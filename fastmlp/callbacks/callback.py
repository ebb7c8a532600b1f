"""What happens in the course of a training run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .stop_rule import NO_PROGRESS, Followed, Progress, StopRule

Logs = Mapping[str, float]


class Callback:
    """Something to do in the course of `Sequential.fit`: a subclass defines one or more of these methods.

    Epochs count from 1, as in the history. Setting `self.model.stop_training = True` ends the training after the epoch.
    There are no methods for single batches: an epoch is one run of compiled code. `fit` refuses a callback with a
    method `on_...` that it would never call.

    Attributes
    ----------
    model : Sequential
        The model that is trained.
    metrics : tuple of str
        What `logs` will hold: the quantities of one epoch, as in the history.
    resumes : bool
        Whether `fit` was called with `initial_epoch` equal to the epochs that the model has, to go on with a run.

    Examples
    --------
    >>> class Target(Callback):
    ...     def on_epoch_end(self, epoch, logs):
    ...         self.model.stop_training = logs["loss"] < 0.5
    >>> model = Sequential([Dense(2, "softmax")], optimizer=Adam(0.1))
    >>> history = model.fit([[0.0], [1.0]], [0, 1], epochs=500, callbacks=[Target()], verbose=0)
    >>> len(history) < 500 and history["loss"][-1] < 0.5 <= history["loss"][-2]
    True
    """

    model: Any
    metrics: tuple[str, ...]
    resumes = False

    def rule(self) -> StopRule | None:
        """What the program can do by itself in the place of this callback; None: `fit` calls it in each epoch."""
        return None

    def progress(self) -> Progress:
        """How far the rule has come before the next epoch."""
        return NO_PROGRESS

    def follow(self, followed: Followed) -> None:
        """Take over what came of some epochs in which the program followed the rule."""

    def on_train_begin(self) -> None:
        """Before the first epoch; an error here leaves the model as it is."""

    def on_epoch_begin(self, epoch: int) -> None:
        """Before each epoch."""

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """After each epoch and its validation, once it is in the history."""

    def on_train_end(self) -> None:
        """After the last epoch, after Ctrl-C, and where training diverges; not after another error."""
