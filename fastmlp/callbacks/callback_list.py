"""All callbacks of one run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from .callback import Callback, Logs

if TYPE_CHECKING:
    from ..model import Sequential


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


class _Function(Callback):
    """Calls a function after each epoch."""

    def __init__(self, function: Callable[[int, Logs], object]) -> None:
        self._function = function

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        self._function(epoch, logs)


def _as_callback(given: Callback | Callable[[int, Logs], object]) -> Callback:
    """A callback, or a function as one."""
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
