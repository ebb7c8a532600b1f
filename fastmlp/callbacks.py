"""What happens between the epochs of a training run: stop early, keep the best weights, save, or call a function.

The names are those of Keras. There are no hooks between the steps of an epoch, which is one run of compiled code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .counts import is_count
from .metrics import METRICS
from .names import look_up

if TYPE_CHECKING:
    from .model import Sequential

Logs = Mapping[str, float]


class Callback:
    """Something to do in the course of `Sequential.fit`: a subclass says what, in one or more of these methods.

    Epochs count from 1, as in the history. Setting `self.model.stop_training = True` ends the training after the epoch.

    Attributes
    ----------
    model : Sequential
        The model that is trained.
    metrics : tuple of str
        What `logs` will hold: the quantities of one epoch, as in the history.

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

    model: Sequential
    metrics: tuple[str, ...]

    def on_train_begin(self) -> None:
        """Before the first epoch; an error here leaves the model as it is."""

    def on_epoch_begin(self, epoch: int) -> None:
        """Before each epoch."""

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """After each epoch and its validation, once it is in the history."""

    def on_train_end(self) -> None:
        """After the last epoch, or Ctrl-C; not after an error."""


class _Function(Callback):
    """Calls a function after each epoch."""

    def __init__(self, function: Callable[[int, Logs], object]) -> None:
        self._function = function

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        self._function(epoch, logs)


class Monitor(Callback):
    """What callbacks share that look for the best epoch.

    Parameters
    ----------
    monitor : str
        Which quantity: one of those in the history.
    mode : str
        `min` or `max`: which is better; `auto`: less of what is called loss or error, more of other metrics.
    min_delta : float
        By how much more than this an epoch has to be better than the best one so far, at least 0.

    Attributes
    ----------
    best : float or None
        The best value so far.
    best_epoch : int
        Its epoch; 0 if there is none.
    """

    def __init__(self, monitor: str, mode: str, min_delta: float = 0.0) -> None:
        self.monitor = monitor
        self._sign = look_up("mode", mode, {"auto": 0, "min": -1, "max": 1}) or _direction(monitor)
        number = isinstance(min_delta, (int, float)) and not isinstance(min_delta, bool)
        if not number or not 0 <= min_delta < np.inf:
            raise ValueError(f"min_delta: expected a number of at least 0, got {min_delta!r}")
        self.min_delta = float(min_delta)
        self.best: float | None = None
        self.best_epoch = 0

    def on_train_begin(self) -> None:
        """Forget earlier runs."""
        if self.monitor not in self.metrics:
            hint = "; give validation_data or validation_split" if self.monitor.startswith("val_") else ""
            raise ValueError(
                f"monitor: expected one of {', '.join(self.metrics)}, got {self.monitor!r}{hint}"
            )
        self.best, self.best_epoch = None, 0

    def is_better(self, epoch: int, logs: Logs) -> bool:
        """Whether this epoch is the best so far; it is remembered then."""
        value = logs[self.monitor]
        least = -np.inf if self.best is None else self._sign * self.best + self.min_delta
        if not self._sign * value > least:
            return False
        self.best, self.best_epoch = value, epoch
        return True


def _direction(monitor: str) -> int:
    """1 if more of it is better, -1 if less is."""
    if monitor.endswith(("loss", "error")):
        return -1
    if monitor.removeprefix("val_") in METRICS:
        return 1
    raise ValueError(f"mode: give 'min' or 'max', as the name {monitor!r} does not say which is better")


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
        for name, number in (("patience", patience), ("start_from_epoch", start_from_epoch)):
            if not is_count(number):
                raise ValueError(f"{name}: expected a whole number of at least 0, got {number!r}")
        self.patience, self.start_from_epoch = patience, start_from_epoch
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


class ModelCheckpoint(Monitor):
    """Saves the model after each epoch, or after each that is the best so far.

    Parameters
    ----------
    path : path
        The file. What stands in braces becomes the epoch or a quantity of it, e.g.
        `"{epoch:03d}-{val_loss:.2f}.safetensors"`.
    monitor : str
        Which quantity tells the best epoch.
    mode : str
        `min` or `max`: which is better; `auto`: less of what is called loss or error, more of other metrics.
    save_best_only : bool
        Whether only the best epochs are saved.

    Notes
    -----
    Loaded, such a model goes on with the bits of the run that saved it.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     checkpoint = ModelCheckpoint(f"{folder}/best.safetensors", monitor="loss", save_best_only=True)
    ...     model = Sequential([Dense(1)])
    ...     history = model.fit([[1.0], [2.0]], [1.0, 2.0], epochs=3, callbacks=[checkpoint], verbose=0)
    ...     load(checkpoint.path).epochs
    3
    """

    def __init__(
        self,
        path: str | PathLike[str],
        *,
        monitor: str = "val_loss",
        mode: str = "auto",
        save_best_only: bool = False,
    ) -> None:
        super().__init__(monitor, mode)
        self.path, self.save_best_only = fspath(path), save_best_only

    def on_train_begin(self) -> None:
        """Check the path, so that no epoch is trained in vain."""
        if self.save_best_only:
            super().on_train_begin()
        folder = self._path_of(1, dict.fromkeys(self.metrics, 0.0)).parent
        if not folder.is_dir():
            raise ValueError(
                f"ModelCheckpoint: {self.path!r}: there is no folder {str(folder)!r}; make it first"
            )

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Save the model."""
        if not self.save_best_only or self.is_better(epoch, logs):
            self.model.save(self._path_of(epoch, logs))

    def _path_of(self, epoch: int, logs: Logs) -> Path:
        try:
            return Path(self.path.format(**(dict(logs) | {"epoch": epoch})))
        except (LookupError, ValueError, AttributeError) as error:
            raise ValueError(
                f"ModelCheckpoint: {self.path!r}: cannot fill in what is in braces ({error}); known are epoch, "
                f"{', '.join(self.metrics)}"
            ) from None


class CallbackList:
    """The callbacks of one run, called in their order."""

    def __init__(
        self,
        callbacks: Iterable[Callback | Callable[[int, Logs], object]],
        model: Sequential,
        metrics: Iterable[str],
    ) -> None:
        if not isinstance(callbacks, Iterable):
            raise _unexpected(callbacks)
        self._model = model
        self._callbacks = [_as_callback(each) for each in callbacks]
        for callback in self._callbacks:
            callback.model, callback.metrics = model, tuple(metrics)

    @property
    def stopped(self) -> bool:
        """Whether one of them has asked to stop."""
        return self._model.stop_training

    def on_train_begin(self) -> None:
        """Before the first epoch."""
        self._model.stop_training = False
        for callback in self._callbacks:
            callback.on_train_begin()

    def on_epoch_begin(self, epoch: int) -> None:
        """Before each epoch."""
        for callback in self._callbacks:
            callback.on_epoch_begin(epoch)

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """After each epoch."""
        for callback in self._callbacks:
            callback.on_epoch_end(epoch, logs)

    def on_train_end(self) -> None:
        """After the last epoch."""
        for callback in self._callbacks:
            callback.on_train_end()


def _as_callback(given: Callback | Callable[[int, Logs], object]) -> Callback:
    if isinstance(given, Callback):
        return given
    if not callable(given) or isinstance(given, type):
        raise _unexpected(given)
    return _Function(given)


def _unexpected(given: object) -> TypeError:
    return TypeError(
        "callbacks: expected a list of callbacks such as EarlyStopping(), or of functions of (epoch, logs), "
        f"got {given!r}"
    )
