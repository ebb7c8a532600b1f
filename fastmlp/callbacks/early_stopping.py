"""Stop when it gets no better."""

from __future__ import annotations

import numpy as np

from ..checks import COUNT_FROM_ZERO, checked
from .callback import Logs
from .monitor import Monitor


class EarlyStopping(Monitor):
    """Stops when the best epoch lies `patience` epochs back.

    Parameters
    ----------
    monitor : str
        Which quantity: one of those in the history.
    min_delta : float
        By how much more than this an epoch has to be better than the best one so far.
    patience : int
        Epochs without a better one after which training stops; 0 is as 1.
    mode : str
        `min` or `max`: which is better; `auto`: less of what is called loss or error, more of other metrics.
    restore_best_weights : bool
        Whether the model ends with the weights of the best epoch, to the last bit. The state of the optimizer stays
        that of the last one.
    start_from_epoch : int
        Epochs up to this one are not looked at.

    Attributes
    ----------
    best, best_epoch : float, int
        The best value, and its epoch.
    stopped_epoch : int
        The epoch that was the last for lack of progress; 0 if there was none.

    Examples
    --------
    >>> stopping = EarlyStopping(monitor="loss", patience=2, restore_best_weights=True)
    >>> model = Sequential([Dense(1)], optimizer=SGD(0.5))
    >>> history = model.fit([[1.0], [2.0]], [1.0, 2.0], epochs=100, callbacks=[stopping], verbose=0)
    >>> len(history) == stopping.stopped_epoch == stopping.best_epoch + 2
    True
    """

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
        self.patience: int = checked("EarlyStopping", "patience", patience, COUNT_FROM_ZERO)
        self.start_from_epoch: int = checked(
            "EarlyStopping", "start_from_epoch", start_from_epoch, COUNT_FROM_ZERO
        )
        self.restore_best_weights = restore_best_weights
        self.stopped_epoch = 0
        self._waited = 0
        self._best_weights: np.ndarray | None = None

    def on_train_begin(self) -> None:
        """Forget earlier runs."""
        super().on_train_begin()
        self.stopped_epoch = self._waited = 0
        self._best_weights = None

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Look whether this epoch is better; keep its weights, or stop."""
        if epoch <= self.start_from_epoch:
            return
        if self.is_better(epoch, logs):
            self._waited = 0
            if self.restore_best_weights:
                self._best_weights = self.model.network.params.copy()
            return
        self._waited += 1
        if self._waited >= self.patience:
            self.stopped_epoch, self.model.stop_training = epoch, True

    def on_train_end(self) -> None:
        """Go back to the best weights."""
        if self._best_weights is not None:
            self.model.network.params[...] = self._best_weights
            self._best_weights = None
