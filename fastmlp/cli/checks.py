"""Checks of a command's arguments that need neither data nor compiled code, so that a mistake is answered at once."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

from ..errors import UsageError
from .network import chosen_optimizer, hidden_layers
from .paths import MODEL_NAME, is_npz, is_table

_IMAGES = ("synthetic", "mnist")
# The options that only a CSV file has, with their defaults.
_CSV_OPTIONS: dict[str, Any] = {
    "label": None,
    "targets": None,
    "drop": [],
    "header": None,
    "encoding": None,
    "test": None,
    "test_split": None,
}


def check(options: Namespace) -> None:
    """Check paths, the description of the network, and options that exclude each other.

    Raises
    ------
    UsageError
        If a file is missing or of the wrong kind, a value is refused, or options do not go together.
    """
    if hasattr(options, "model"):
        _check_model(options.model)
    if hasattr(options, "data"):
        _check_data(options)
    if options.command == "train":
        hidden_layers(options)
        chosen_optimizer(options)
    if options.command == "predict" and options.out is not None:
        _check_output(Path(options.out), options.overwrite)


def _check_model(path: str) -> None:
    if Path(path).is_dir():
        raise UsageError(
            f"MODEL: expected the file of a model, but {path} is a folder; give {Path(path) / MODEL_NAME}"
        )
    if not Path(path).exists():
        raise UsageError(f"MODEL: there is no file {path!r}; expected one that `fastmlp train` wrote")


def _check_data(options: Namespace) -> None:
    name = options.data
    if is_table(name):
        if is_npz(name):
            _refuse_csv_options(options, "an NPZ file", allowed=("test_split",))
    elif name in _IMAGES or Path(name).is_dir():
        _refuse_csv_options(options, "images")
    else:
        raise UsageError(
            f"--data: there is no file or folder {name!r}; expected synthetic, mnist, a folder with the four files of "
            "a data set, or a CSV or NPZ file"
        )
    if options.label is not None and options.targets is not None:
        raise UsageError("--label: expected --label (classes) or --targets (values), got both; leave one out")
    test = getattr(options, "test", None)
    if test is not None and not Path(test).is_file():
        raise UsageError(f"--test: there is no file {test!r}; expected a CSV file")


def _refuse_csv_options(options: Namespace, what: str, allowed: tuple[str, ...] = ()) -> None:
    for name, default in _CSV_OPTIONS.items():
        if name not in allowed and getattr(options, name, default) != default:
            raise UsageError(
                f"--{name.replace('_', '-')}: expected with a CSV file only, got with {what}; leave it out"
            )


def _check_output(path: Path, overwrite: bool) -> None:
    """The rule of `train --out`, too: only --overwrite replaces what is there."""
    if path.is_file() and not overwrite:
        raise UsageError(f"--out: {path} exists already; give another file, or --overwrite")
