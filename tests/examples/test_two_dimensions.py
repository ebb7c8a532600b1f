"""The example that draws decision regions."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "examples" / "two_dimensions.py"


@pytest.mark.parametrize("seed", ["0", "1", "2"])
def test_all_three_problems_are_learnt(seed, tmp_path):
    command = [sys.executable, str(SCRIPT), "--seed", seed, "--output", "regions.png"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "XOR: 4 of 4\n" in done.stdout
    accuracies = dict(re.findall(r"(\w+): (\S+) % of the held-out points", done.stdout))
    assert accuracies.keys() == {"moons", "spiral"}
    assert all(float(accuracy) > 97 for accuracy in accuracies.values())
    assert (tmp_path / "regions.png").read_bytes().startswith(b"\x89PNG")
