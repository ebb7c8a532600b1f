"""The command line: what can be asked for, and how every failure becomes one line and an exit code.

The commands themselves are in `commands.py`, which is imported only once there is one to run.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn, TextIO

from .. import __version__
from ..errors import SIGNALLED, Interrupted, TrainingDiverged, UsageError

FAILED, MISUSED = 1, 2  # exit codes
HANGUP = getattr(signal, "SIGHUP", None)  # the terminal was closed; Windows has no such signal
INTERRUPTING = tuple(number for number in (signal.SIGINT, signal.SIGTERM, HANGUP) if number is not None)

_EXPECTED = (ValueError, OSError, TrainingDiverged, MemoryError, OverflowError, ImportError)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows the name of the program; by default that of this process.

    Returns
    -------
    int
        Exit code: 0; 1 if it failed, 2 if it was called wrongly, 128 + n if signal n ended it.
    """
    with _one_line_warnings(), _signals():
        try:
            options = parser().parse_args(arguments)
            from . import commands

            getattr(commands, options.command)(options)
            sys.stdout.flush()
        except BrokenPipeError:
            return _silence()
        except UsageError as error:
            return _report(error, MISUSED)
        except _EXPECTED as error:
            return _report(error, FAILED)
        except KeyboardInterrupt as error:
            print("; ".join(["fastmlp: stopped", *getattr(error, "__notes__", ())]), file=sys.stderr)
            return error.exit_code if isinstance(error, Interrupted) else SIGNALLED + signal.SIGINT
    return 0


def _report(error: Exception, code: int) -> int:
    """Say what is wrong in one line."""
    if isinstance(error, OSError) and error.filename is not None:
        text = f"{error.filename}: {error.strerror}"
    else:
        text = str(error) or ("not enough memory" if isinstance(error, MemoryError) else type(error).__name__)
    lines = [*text.splitlines(), *getattr(error, "__notes__", ())]
    print("fastmlp: error: " + "; ".join(line.strip() for line in lines), file=sys.stderr)
    return code


def _silence() -> int:
    """The reader of our output has gone, as in `predict ... | head`: say nothing more, also at exit."""
    _write_nowhere(sys.stdout)
    return SIGNALLED + signal.SIGPIPE


def _write_nowhere(stream: TextIO) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


@contextmanager
def _one_line_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_: print(
            f"fastmlp: warning: {str(message).removeprefix('fastmlp: ')}", file=sys.stderr
        )
        yield


@contextmanager
def _signals() -> Iterator[None]:
    """Some signals interrupt a command where it stands; what somebody else ignores, as nohup does, stays ignored."""

    def interrupt(number: int, _: FrameType | None) -> NoReturn:
        if number == HANGUP:
            # Writing to a terminal that is gone would fail before what was trained is saved.
            _write_nowhere(sys.stdout)
            _write_nowhere(sys.stderr)
        raise Interrupted(number)

    ours = INTERRUPTING if threading.current_thread() is threading.main_thread() else ()
    caught = [number for number in ours if signal.getsignal(number) is not signal.SIG_IGN]
    earlier = {number: signal.signal(number, interrupt) for number in caught}
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(MISUSED, f"fastmlp: error: {message} (see {self.prog} --help)\n")


def parser() -> argparse.ArgumentParser:
    """All commands with their options."""
    top = _Parser(
        prog="fastmlp", description="Train and run multilayer perceptrons on a CPU, fast and reproducibly."
    )
    top.add_argument("--version", action="version", version=f"fastmlp {__version__}")
    commands = top.add_subparsers(title="commands", dest="command", required=True, metavar="COMMAND")

    def command(name: str, summary: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")

    _add_train(command("train", "train a network on images or a table, and save it with its history"))
    evaluate = command("evaluate", "loss and scores of a saved model on the test samples")
    _add_saved_model(evaluate)
    evaluate.add_argument("--json", action="store_true", help="print JSON")
    predict = command(
        "predict",
        "of each test sample the class, as CSV: index,class,probability; or the values: index,value",
    )
    _add_saved_model(predict)
    predict.add_argument("--out", metavar="FILE", help="write to this file; without it, to standard output")
    command("info", "what fastmlp runs on: CPU, vectors, threads, cache, versions")
    warm = command("warm", "compile all kernels now, so that nothing has to wait for it later")
    warm.add_argument("--float64", action="store_true", help="also for float64")
    return top


def _add_train(train: argparse.ArgumentParser) -> None:
    def add(name: str, help: str, **settings: Any) -> None:
        shown = "" if settings.get("default") is None else " (default: %(default)s)"
        train.add_argument(name, help=help + shown, **settings)

    _add_data(train, "training")
    add("--test", "the CSV file to test with (default: a part of the first)", metavar="FILE")
    add("--test-split", "share of a CSV or NPZ file to test with (default: 0.2)", type=float, metavar="SHARE")
    add(
        "--scaler",
        "standard, min_max, max_abs or none (default: standard for CSV and NPZ files, else none)",
        metavar="NAME",
    )
    train.add_argument(
        "--layers", type=_positive, nargs="+", default=[128, 64], metavar="UNITS",
        help="units of the hidden layers (default: 128 64)",
    )  # fmt: skip
    add("--activation", "of the hidden layers; `fastmlp info` lists all", default="relu", metavar="NAME")
    add("--dropout", "after each hidden layer, from 0 and below 1", type=float, default=0, metavar="RATE")
    add("--optimizer", "`fastmlp info` lists all", default="adam", metavar="NAME")
    add("--lr", "learning rate (default: the optimizer's)", type=float, metavar="RATE")
    add("--epochs", "passes over the training samples", type=_positive, default=5, metavar="N")
    add("--batch-size", "samples of a step", type=_positive, default=64, metavar="N")
    add(
        "--validation-split",
        "share of the training samples, drawn by the seed, to evaluate after each epoch and not to train on",
        type=float, default=0, metavar="SHARE",
    )  # fmt: skip
    add("--seed", "key of all random numbers", type=int, default=0, metavar="N")
    add("--engine", "kernels, or reference: the same in plain NumPy", default="kernels", metavar="NAME")
    _add_threads(train)
    add("--out", "folder for the results (default: runs/DATE_TIME)", metavar="FOLDER")
    train.add_argument("--overwrite", action="store_true", help="replace an earlier run in that folder")


def _add_saved_model(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "model", metavar="MODEL", help="a file that `fastmlp train` or Sequential.save wrote"
    )
    _add_data(command, "test")
    _add_threads(command)


def _add_data(command: argparse.ArgumentParser, which: str) -> None:
    command.add_argument(
        "--data", default="synthetic", metavar="NAME",
        help="synthetic: drawn digits, no files needed; mnist: downloaded once; a folder with the four "
        "files of MNIST, or of a set in its format; or a CSV or NPZ file (default: %(default)s)",
    )  # fmt: skip
    command.add_argument(
        "--label", type=_column, metavar="COLUMN",
        help="of a CSV file: the column with the classes: its name, its number from 0, first or last",
    )  # fmt: skip
    command.add_argument(
        "--targets", type=_column, nargs="+", metavar="COLUMN",
        help="of a CSV file: columns with values to learn, in place of classes (of an NPZ file: y of floats)",
    )  # fmt: skip
    command.add_argument(
        "--drop",
        type=_column,
        nargs="+",
        default=[],
        metavar="COLUMN",
        help="of a CSV file: columns to leave out",
    )
    command.add_argument(
        "--header", action=argparse.BooleanOptionalAction,
        help="of a CSV file: its first line holds names, or does not (default: found out)",
    )  # fmt: skip
    command.add_argument(
        "--samples", type=_positive, metavar="N", help=f"use the first N {which} samples only (default: all)"
    )


def _add_threads(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--threads", type=_positive, metavar="N",
        help="number of threads; the result does not depend on it (default: as many as help)",
    )  # fmt: skip


def _column(text: str) -> str | int:
    """A column of a file, by number or by name."""
    words = {"first": 0, "last": -1}
    if text in words:
        return words[text]
    try:
        return int(text)
    except ValueError:
        return text


def _positive(text: str) -> int:
    """A whole number of at least 1."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return number
