"""Save the model after epochs."""

from __future__ import annotations

import math
from os import PathLike, fspath
from pathlib import Path

from ..checks import Switch, checked
from .callback import Logs
from .memory import BEST_CHECKPOINT, Memory
from .monitor import Monitor


class ModelCheckpoint(Monitor):
    """Saves the model after each epoch, or after each that is the best so far.

    Parameters
    ----------
    path : path
        The file. Names in braces become the epoch or a quantity of it, e.g.
        `"{epoch:03d}-{val_loss:.2f}.safetensors"`.
    monitor : str
        Which quantity tells the best epoch.
    mode : str
        `min` or `max`: which is better; `auto`: less of what is called loss or error, more of other metrics.
    save_best_only : bool
        Whether only the best epochs are saved.

    Notes
    -----
    A saved model that is loaded and trained further gives the bits of the run that saved it. With `save_best_only`
    it also remembers the best value: a worse epoch never replaces the file, as long as the file is there.

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
        self.path = fspath(path)
        self.save_best_only: bool = checked("ModelCheckpoint", "save_best_only", save_best_only, Switch())
        self.kind = BEST_CHECKPOINT if save_best_only else ""

    def check_monitor(self) -> None:
        """Raise a ValueError if there is no such quantity in this run; where every epoch is saved, none is needed."""
        if self.save_best_only:
            super().check_monitor()

    def on_train_begin(self) -> None:
        """Check that the model can be saved, before an epoch is trained."""
        folder = self._path_of(1, dict.fromkeys(self.metrics, 0.0)).parent
        if not folder.is_dir():
            raise ValueError(
                f"ModelCheckpoint: {self.path!r}: there is no folder {str(folder)!r}; make it first"
            )
        self.model.optimizer.config()  # a ValueError if its learning rate is a function, which no file can hold
        if self.save_best_only:
            super().on_train_begin()

    def earlier_memory(self) -> Memory | None:
        """What the model remembers, as long as the file of the best epoch is there."""
        memory = self.model.memories.get(self.watched)
        if memory is None or memory.best is None:
            return None
        return memory if self._file_of(memory).is_file() else None

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Save the model."""
        before = self._memory
        better = not self.save_best_only or self.is_better(epoch, logs)
        self.remember(self._memory._replace(seen=epoch))
        if better:
            try:
                self.model.save(self._path_of(epoch, logs))
            except BaseException:
                self.remember(before)  # the best file is still that of before
                raise

    def _file_of(self, memory: Memory) -> Path:
        """The file of the best epoch."""
        history = self.model.history
        logs = dict.fromkeys(self.metrics, math.nan)
        if memory.best_epoch in history.epochs:
            place = history.epochs.index(memory.best_epoch)
            logs |= {name: history[name][place] for name in history}
        return self._path_of(memory.best_epoch, logs)

    def _path_of(self, epoch: int, logs: Logs) -> Path:
        try:
            return Path(self.path.format(**(dict(logs) | {"epoch": epoch})))
        except (LookupError, ValueError, AttributeError) as error:
            raise ValueError(
                f"ModelCheckpoint: {self.path!r}: cannot fill in what is in braces ({error}); known are epoch, "
                f"{', '.join(self.metrics)}"
            ) from None
