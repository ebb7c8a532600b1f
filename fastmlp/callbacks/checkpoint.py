"""Save the model between the epochs."""

from __future__ import annotations

from os import PathLike, fspath
from pathlib import Path

from .callback import Logs
from .monitor import Monitor


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
