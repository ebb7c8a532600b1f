"""The command line: its commands and options, and how every failure becomes one line and an exit code.

The commands themselves are in `commands.py`, which imports Numba. It is imported when the arguments have been checked.
"""

from __future__ import annotations

import argparse
import difflib
import math
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn, TextIO

from .. import __version__
from ..errors import SIGNALLED, Interrupted, TrainingDiverged, UsageError
from .checks import check

FAILED, MISUSED = 1, 2  # exit codes
HANGUP = getattr(signal, "SIGHUP", None)  # the terminal was closed; Windows has no such signal
BROKEN_PIPE = getattr(signal, "SIGPIPE", 13)  # nor this one
INTERRUPTING = tuple(number for number in (signal.SIGINT, signal.SIGTERM, HANGUP) if number is not None)

# A path that is missing or of the wrong kind is a wrong argument, whichever part of the command finds it.
_MISUSES = (UsageError, FileNotFoundError, NotADirectoryError, IsADirectoryError)
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
        Exit code: 0; 1 if it failed, 2 if an argument is wrong, 128 + n if signal n ended it.
    """
    with _one_line_warnings(), _signals():
        try:
            options = _parse(sys.argv[1:] if arguments is None else arguments)
            check(options)
            from .commands import COMMANDS

            COMMANDS[options.command](options)
            sys.stdout.flush()
        except BrokenPipeError:
            return _silence()
        except _MISUSES as error:
            return _report(error, MISUSED)
        except _EXPECTED as error:
            return _report(error, FAILED)
        except KeyboardInterrupt as error:
            print("; ".join(["fastmlp: stopped", *getattr(error, "__notes__", ())]), file=sys.stderr)
            return error.exit_code if isinstance(error, Interrupted) else SIGNALLED + signal.SIGINT
    return 0


def _report(error: Exception, code: int) -> int:
    """Print what is wrong in one line; return the exit code."""
    if isinstance(error, OSError) and error.filename is not None:
        text = f"{error.filename}: {error.strerror}"
    else:
        text = str(error) or ("not enough memory" if isinstance(error, MemoryError) else type(error).__name__)
    lines = [*text.splitlines(), *getattr(error, "__notes__", ())]
    print("fastmlp: error: " + "; ".join(line.strip() for line in lines), file=sys.stderr)
    return code


def _silence() -> int:
    """End quietly, also at exit, when the reader of the output is gone, as in `predict ... | head`."""
    _write_nowhere(sys.stdout)
    return SIGNALLED + BROKEN_PIPE


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
    """Let some signals interrupt the command; a signal that is ignored already, as under nohup, stays ignored."""

    def interrupt(number: int, _: FrameType | None) -> NoReturn:
        if number == HANGUP:
            # Writing to a terminal that is gone would raise before the model is saved.
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
    """Prints errors in one line, and knows no abbreviations: a misspelt option is never taken for another one."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, **settings)
        self.commands: dict[str, _Parser] = {}

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message.removeprefix('argument ')} (see {self.prog} --help)")

    def options(self) -> list[str]:
        """The long options."""
        return [name for action in self._actions for name in action.option_strings if name.startswith("--")]


# What other programs call an option.
_OTHER_NAMES = {"--learning-rate": "--lr", "--learning_rate": "--lr", "--hidden": "--layers"}


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The options of a command; the help if there are no arguments.

    Raises
    ------
    UsageError
        If the arguments are wrong; the message suggests what a misspelt command or option may have meant.
    """
    top = parser()
    if not arguments:
        top.print_help()
        top.exit()
    first = arguments[0]
    if not first.startswith("-") and first not in top.commands:
        raise UsageError(
            f"unknown command {first!r}{_did_you_mean(first, top.commands)}; expected one of "
            f"{', '.join(top.commands)} (see fastmlp --help)"
        )
    options, unknown = top.parse_known_args(arguments)
    if unknown:
        name, command = unknown[0].partition("=")[0], top.commands[options.command]
        what = "unknown option" if name.startswith("-") else "unexpected argument"
        raise UsageError(
            f"{what} {name!r}{_did_you_mean(name, command.options())} (see {command.prog} --help)"
        )
    return options


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    found = (
        [_OTHER_NAMES[name]]
        if name in _OTHER_NAMES
        else difflib.get_close_matches(name, known, n=1, cutoff=0.7)
    )
    return f": did you mean {found[0]}?" if found and found[0] in known else ""


def parser() -> _Parser:
    """All commands with their options."""
    top = _Parser(
        prog="fastmlp", description="Train and run multilayer perceptrons on a CPU, fast and reproducibly."
    )
    top.add_argument("--version", action="version", version=f"fastmlp {__version__}")
    commands = top.add_subparsers(title="commands", dest="command", required=True, metavar="COMMAND")
    top.commands = commands.choices

    def command(name: str, summary: str) -> _Parser:
        return commands.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")

    _add_train(command("train", "train a network on images or a table, and save it with its history"))
    evaluate = command("evaluate", "print loss and scores of a saved model on test images or a whole table")
    _add_saved_model(evaluate)
    evaluate.add_argument("--json", action="store_true", help="print JSON")
    predict = command(
        "predict",
        "print the predicted class of each sample and its probability, or the predicted values, as CSV",
    )
    _add_saved_model(predict)
    predict.add_argument("--out", metavar="FILE", help="write to this file instead of standard output")
    predict.add_argument("--overwrite", action="store_true", help="replace that file if it exists")
    command("info", "print what fastmlp runs on: CPU, vectors, threads, cache, versions")
    warm = command("warm", "compile all kernels now, so that later commands need not")
    warm.add_argument("--float64", action="store_true", help="also for float64")
    warm.add_argument("--mixed", action="store_true", help="also for mixed_bfloat16")
    return top


def _add_train(train: _Parser) -> None:
    def add(name: str, help: str, **settings: Any) -> None:
        shown = "" if settings.get("default") is None else " (default: %(default)s)"
        train.add_argument(name, help=help + shown, **settings)

    _add_data(train, "training")
    add("--test", "the CSV file to test with (default: a part of --data)", metavar="FILE")
    add(
        "--test-split",
        "fraction of a CSV or NPZ file to test with (default: 0.2)",
        type=float,
        metavar="FRACTION",
    )
    add(
        "--scaler",
        "standard, min_max, max_abs or none (default: standard for CSV and NPZ files, else none)",
        metavar="NAME",
    )
    add(
        "--layers", "units of the hidden layers (default: 128 64)", type=_positive, nargs="+", metavar="UNITS"
    )
    add("--activation", "of the hidden layers; `fastmlp info` lists all", default="relu", metavar="NAME")
    add(
        "--dropout",
        "rate after each hidden layer, from 0 and below 1",
        type=_fraction,
        default=0,
        metavar="RATE",
    )
    add("--optimizer", "`fastmlp info` lists all", default="adam", metavar="NAME")
    add("--lr", "learning rate (default: the optimizer's)", type=_rate, metavar="RATE")
    add("--epochs", "passes over the training samples", type=_positive, default=5, metavar="N")
    add("--batch-size", "samples in a step", type=_positive, default=64, metavar="N")
    add(
        "--validation-split",
        "fraction of the training samples to hold out and evaluate after each epoch",
        type=_fraction, default=0, metavar="FRACTION",
    )  # fmt: skip
    add("--seed", "seed of all random numbers", type=_seed, default=0, metavar="N")
    add(
        "--engine",
        "kernels, or reference: the same in plain NumPy",
        choices=("kernels", "reference"),
        default="kernels",
        metavar="NAME",
    )
    _add_threads(train)
    add("--out", "folder for the results (default: runs/DATE_TIME)", metavar="FOLDER")
    train.add_argument("--overwrite", action="store_true", help="replace an earlier run in that folder")
    train.set_defaults(layers=[128, 64])


def _add_saved_model(command: _Parser) -> None:
    command.add_argument("model", metavar="MODEL", help="a file from `fastmlp train` or Sequential.save")
    _add_data(command, "test")
    _add_threads(command)


def _add_data(command: _Parser, which: str) -> None:
    command.add_argument(
        "--data", default="synthetic", metavar="NAME",
        help="synthetic: digits drawn by fastmlp, no files needed; mnist: downloaded once; a folder with the four "
        "IDX files of MNIST or of a similar data set; or a CSV or NPZ file (default: %(default)s)",
    )  # fmt: skip
    command.add_argument(
        "--samples", type=_positive, metavar="N", help=f"use only the first N {which} samples (default: all)"
    )
    table = command.add_argument_group("options for CSV files")
    table.add_argument(
        "--label", type=_column, metavar="COLUMN",
        help="column with the classes: its name, its number from 0, first or last",
    )  # fmt: skip
    table.add_argument(
        "--targets", type=_column, nargs="+", metavar="COLUMN", help="columns with values to learn instead of classes"
    )  # fmt: skip
    table.add_argument(
        "--drop", type=_column, nargs="+", default=[], metavar="COLUMN", help="columns to leave out"
    )
    table.add_argument(
        "--header", action=argparse.BooleanOptionalAction,
        help="whether the first line holds names (default: detected)",
    )  # fmt: skip
    table.add_argument(
        "--encoding", metavar="NAME", help="encoding of the text, such as cp1252 (default: utf-8)"
    )


def _add_threads(command: _Parser) -> None:
    command.add_argument(
        "--threads", type=_positive, metavar="N",
        help="number of threads; the result does not depend on it (default: chosen by the size of the network)",
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
    number = _whole(text)
    if number is None or number < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return number


def _seed(text: str) -> int:
    """A whole number from 0 that fits into 63 bits."""
    number = _whole(text)
    if number is None or not 0 <= number < 2**63:
        raise argparse.ArgumentTypeError(f"expected a whole number from 0 and below 2**63, got {text!r}")
    return number


def _whole(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def _rate(text: str) -> float:
    """A number above 0."""
    number = _number(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text!r}")
    return number


def _fraction(text: str) -> float:
    """A number from 0 and below 1."""
    number = _number(text)
    if not 0 <= number < 1:
        raise argparse.ArgumentTypeError(f"expected a number from 0 and below 1, got {text!r}")
    return number


def _number(text: str) -> float:
    """The number, or NaN, which is in no range."""
    try:
        return float(text)
    except ValueError:
        return math.nan
