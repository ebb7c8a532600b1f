"""Runs the scripts of examples/ as a user does."""

import os
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name: str, *options: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """What a script printed, run in this folder, with these variables of the environment."""
    command = [sys.executable, str(EXAMPLES / name), *options]
    environment = {key: value for key, value in os.environ.items() if key != "FASTMLP_MNIST"} | variables
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment)


def printed(name: str, *options: str, folder: Path, **variables: str) -> str:
    """The same of a script that must succeed and warn of nothing."""
    done = run(name, *options, folder=folder, **variables)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout
