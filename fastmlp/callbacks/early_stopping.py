"""Stop training when a quantity no longer improves."""

from __future__ import annotations

import math

from ..checks import COUNT_FROM_ZERO, Switch, checked
from ..kernels.schema import EPOCH_LOSS, EPOCH_SCORE, VAL_LOSS, VAL_SCORE
from .callback import Logs
from .memory import EARLY_STOPPING, Memory
from .monitor import Monitor
from .stop_rule import NO_PROGRESS, Followed, Progress, StopRule


class EarlyStopping(Monitor):
    """Stops training when no epoch was better than the best one for `patience` epochs.

    Parameters
    ----------
    monitor : str
        Which quantity: one of those in the history.
    min_delta : float
        By how much more than this an epoch has to be better than the best one so far.
    patience : int
        Epochs without a better one after which training stops; 0 counts as 1.
    mode : str
        `min` or `max`: which is better; `auto`: less of what is called loss or error, more of other metrics.
    restore_best_weights : bool
        Whether the model ends with the weights of the best epoch, to the last bit: also after Ctrl-C, and where
        training diverges. The optimizer keeps its state of the last epoch.
    start_from_epoch : int
        Epochs up to this one are not considered.

    Attributes
    ----------
    best, best_epoch : float, int
        The best value, and its epoch.
    stopped_epoch : int
        The epoch after which it stopped training; 0 if it did not.

    Notes
    -----
    A model that is saved in the course of a run keeps what this callback knows, the best weights too. Loaded and
    trained with `initial_epoch=model.epochs` and a callback with the same options, it stops where the uninterrupted
    run would have stopped, with the same bits.

    Examples
    --------
    >>> stopping = EarlyStopping(monitor="loss", patience=2, restore_best_weights=True)
    >>> model = Sequential([Dense(1)], optimizer=SGD(0.5))
    >>> history = model.fit([[1.0], [2.0]], [1.0, 2.0], epochs=100, callbacks=[stopping], verbose=0)
    >>> len(history) == stopping.stopped_epoch == stopping.best_epoch + 2
    True
    """

    kind = EARLY_STOPPING

    def __init__(
        self,
        monitor: str = "val_loss",
        *,
        min_delta: float = 0.0,
        patience: int = 0,
        mode: str = "auto",
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        owner = "EarlyStopping"
        self.patience: int = checked(owner, "patience", patience, COUNT_FROM_ZERO)
        self.start_from_epoch: int = checked(owner, "start_from_epoch", start_from_epoch, COUNT_FROM_ZERO)
        self.keeps_weights: bool = checked(owner, "restore_best_weights", restore_best_weights, Switch())
        self.stopped_epoch = 0

    def anew(self) -> EarlyStopping:
        """One with the same options, which has seen no epoch."""
        return EarlyStopping(
            self.monitor, min_delta=self.min_delta, patience=self.patience, mode=self.watched.mode,
            restore_best_weights=self.keeps_weights, start_from_epoch=self.start_from_epoch,
        )  # fmt: skip

    @property
    def restore_best_weights(self) -> bool:
        """Whether the model ends with the weights of the best epoch."""
        return self.keeps_weights

    def on_train_begin(self) -> None:
        """Go on with what the model remembers of this run, or begin again."""
        self.stopped_epoch = 0
        self.restored_epoch = 0
        super().on_train_begin()
        self._stop_if_waited()

    def earlier_memory(self) -> Memory | None:
        """What the model remembers, if no epoch is missing since."""
        memory = self.model.memories.get(self.watched)
        goes_on = self.resumes and memory is not None and memory.seen >= self.model.epochs - 1
        return memory if goes_on else None

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Look whether this epoch is better; keep its weights, or stop."""
        if epoch > self.start_from_epoch:
            if self.is_better(epoch, logs):
                weights = self.model.network.params.copy() if self.keeps_weights else None
                self._memory = self._memory._replace(waited=0, weights=weights)
            else:
                self._memory = self._memory._replace(waited=self._memory.waited + 1)
        self.remember(self._memory._replace(seen=epoch))
        self._stop_if_waited()

    def rule(self) -> StopRule | None:
        """The rule, if it is about a loss or its score; a subclass is called in each epoch."""
        score = self.metrics[1]
        recorded = {"loss": EPOCH_LOSS, score: EPOCH_SCORE, "val_loss": VAL_LOSS, f"val_{score}": VAL_SCORE}
        if type(self) is not EarlyStopping or self.monitor not in recorded:
            return None
        return StopRule(
            quantity=recorded[self.monitor],
            sign=self._sign,
            min_delta=self.min_delta,
            tolerance=self.min_delta,
            inclusive=False,
            patience=max(self.patience, 1) - 1,
            start_from_epoch=self.start_from_epoch,
            keeps_weights=self.keeps_weights,
        )

    def progress(self) -> Progress:
        """How far the rule has come."""
        best = self._memory.best
        return NO_PROGRESS._replace(
            best=-math.inf if best is None else self._sign * best, waited=self._memory.waited
        )

    def follow(self, followed: Followed) -> None:
        """Remember the best epoch, as `on_epoch_end` does epoch by epoch."""
        progress, memory = followed.progress, self._memory
        if progress.best_epoch:
            weights = followed.best.copy() if self.keeps_weights else None
            memory = memory._replace(
                best=self._sign * progress.best, best_epoch=progress.best_epoch, weights=weights
            )
        self.remember(memory._replace(waited=progress.waited, seen=followed.epoch))
        self._stop_if_waited()

    def _stop_if_waited(self) -> None:
        waited = self._memory.waited
        if waited and waited >= self.patience:
            self.stopped_epoch = self._memory.seen
            self.model.stop_training = True

    def on_train_end(self) -> None:
        """Go back to the best weights; what was remembered of a run that has come to its end is of no use any more."""
        weights = self._memory.weights
        if weights is not None:
            self.model.network.params[...] = weights
            self.restored_epoch = self.best_epoch
            self._memory = self._memory._replace(weights=None)
        if weights is not None or self.stopped_epoch:
            self.model.memories.pop(self.watched, None)
