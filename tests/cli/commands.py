"""Commands, in this process or in one of their own."""

import os
import subprocess
import sys

from fastmlp.cli import parser

SMALL = ("--samples", "500", "--layers", "16", "--epochs", "2", "--batch-size", "50")
# A test runner in the background ignores SIGINT, and its children would inherit that.
PROGRAM = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from fastmlp.cli.parser import main; sys.exit(main())"
)


def call(*arguments: str) -> int:
    """Run a command in this process; return its exit code."""
    try:
        return parser.main(arguments)
    except SystemExit as exit:
        return exit.code


def start(*arguments: str, **environment: str) -> subprocess.Popen:
    """Run a command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | environment,
    )  # fmt: skip


def error_line(capsys) -> str:
    """The one line on standard error."""
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("fastmlp: error: ")
    return lines[0]
