"""All callbacks of one run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .callback import Callback, Logs
from .memory import EARLY_STOPPING
from .monitor import Monitor
from .stop_rule import NO_PROGRESS, Followed, Progress, StopRule

_HOOKS = ("on_train_begin", "on_epoch_begin", "on_epoch_end", "on_train_end")


class CallbackList:
    """The callbacks of one run, called in their order."""

    def __init__(
        self,
        callbacks: Iterable[Callback | Callable[[int, Logs], object]],
        model: Any,
        metrics: Iterable[str],
        *,
        resumes: bool = False,
    ) -> None:
        if not isinstance(callbacks, Iterable):
            raise _unexpected(callbacks)
        self._model = model
        self._callbacks = [_as_callback(each) for each in callbacks]
        for callback in self._callbacks:
            callback.model = model
            callback.metrics = tuple(metrics)
            callback.resumes = resumes
            if isinstance(callback, Monitor):
                callback.check_monitor()

    @property
    def stopped(self) -> bool:
        """Whether one of them has asked to stop."""
        return self._model.stop_training

    def on_train_begin(self) -> None:
        """Before the first epoch."""
        self._model.stop_training = False
        for callback in self._callbacks:
            callback.on_train_begin()
        self._forget_other_runs()

    def _forget_other_runs(self) -> None:
        """Drop what callbacks for early stopping remember that are not part of this run."""
        used = {callback.watched for callback in self._callbacks if isinstance(callback, Monitor)}
        for watched in [
            key for key in self._model.memories if key.kind == EARLY_STOPPING and key not in used
        ]:
            del self._model.memories[watched]

    def restored_epoch(self) -> int:
        """The epoch whose weights a callback put back at the end; 0 if none did."""
        restored = [each.restored_epoch for each in self._callbacks if isinstance(each, Monitor)]
        return max(restored, default=0)

    @property
    def needs_each_epoch(self) -> bool:
        """Whether there is one that has to be called in each epoch: not a single one whose rule the program follows."""
        return len(self._callbacks) > 1 or any(callback.rule() is None for callback in self._callbacks)

    def rule(self) -> tuple[StopRule | None, Progress]:
        """The rule that the program is to follow, and how far it has come."""
        if self.needs_each_epoch or not self._callbacks:
            return None, NO_PROGRESS
        (callback,) = self._callbacks
        return callback.rule(), callback.progress()

    def follow(self, followed: Followed) -> None:
        """After some epochs in which the program followed the rule."""
        for callback in self._callbacks:
            callback.follow(followed)

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
        _check_hooks(given)
        return given
    if not callable(given) or isinstance(given, type):
        raise _unexpected(given)
    return _Function(given)


def _check_hooks(callback: Callback) -> None:
    """Refuse methods that look like hooks and would never be called."""
    unknown = [name for name in dir(callback) if name.startswith("on_") and name not in _HOOKS]
    if unknown:
        raise TypeError(
            f"callbacks: {type(callback).__name__}: expected methods among {', '.join(_HOOKS)}, got {unknown[0]}, "
            "which fit would never call; for something after each batch, call train_on_batch in a loop"
        )


def _unexpected(given: object) -> TypeError:
    return TypeError(
        "callbacks: expected a list of callbacks such as EarlyStopping(), or of functions of (epoch, logs), "
        f"got {given!r}"
    )
