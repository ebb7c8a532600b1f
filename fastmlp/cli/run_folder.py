"""The folder with the results of `fastmlp train`: model, history and picture."""

from __future__ import annotations

import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from ..errors import UsageError
from ..model import Sequential
from ..plot import save_plot
from .paths import MODEL_NAME

MODEL, HISTORY, PICTURE = MODEL_NAME, "history.json", "history.png"


@dataclass(frozen=True)
class RunFolder:
    """A folder that exists and is writable.

    Attributes
    ----------
    path : Path
        The folder.
    """

    path: Path

    @classmethod
    def prepare(cls, asked: str | None, *, overwrite: bool) -> RunFolder:
        """Make the folder or check the existing one, before training.

        Parameters
        ----------
        asked : str or None
            The folder; None for a new one, `runs/DATE_TIME`.
        overwrite : bool
            Whether the folder may hold an earlier run.

        Raises
        ------
        UsageError
            If it holds an earlier run.
        OSError
            If it cannot be made or written.
        """
        path = _new_folder(Path("runs")) if asked is None else Path(asked)
        earlier = [name for name in (MODEL, HISTORY, PICTURE) if (path / name).exists()]
        if earlier and not overwrite:
            raise UsageError(
                f"--out: {path} holds an earlier run ({', '.join(earlier)}); "
                "give another folder, or --overwrite"
            )
        try:
            path.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=path):
                pass
        except FileExistsError as error:
            raise UsageError(f"--out: expected a folder, but {path} is a file") from error
        except OSError as error:
            raise _unwritable(path, error) from error
        return cls(path)

    def save(self, model: Sequential) -> list[Path]:
        """Write model, history and, once there is an epoch to show, the picture; return their paths."""
        written = [self.path / MODEL, self.path / HISTORY]
        model.save(written[0])
        model.history.save(written[1])
        if len(model.history):
            written.append(self.path / PICTURE)
            save_plot(model.history, written[2])
        return written

    def remove_if_empty(self) -> None:
        """Remove the folder if nothing was saved in it."""
        with suppress(OSError):
            self.path.rmdir()


def _unwritable(path: Path, error: OSError) -> OSError:
    return OSError(error.errno, f"cannot write results there: {error.strerror}; give --out", str(path))


def _new_folder(parent: Path) -> Path:
    """Make a new folder named after date and time."""
    name = time.strftime("%Y-%m-%d_%H-%M-%S")
    for number in count(1):
        path = parent / (name if number == 1 else f"{name}_{number}")
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise _unwritable(path, error) from error
        return path
    raise RuntimeError("unreachable: the loop ends by return")
