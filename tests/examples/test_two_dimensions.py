"""The example that draws decision regions."""

import re

import pytest

from tests.examples.scripts import printed


@pytest.mark.parametrize("seed", ["0", "1", "2"])
def test_all_three_problems_are_learnt(seed, tmp_path):
    text = printed("two_dimensions.py", "--seed", seed, "--output", "regions.png", folder=tmp_path)
    assert "XOR: 4 of 4\n" in text
    accuracies = dict(re.findall(r"(\w+): (\S+) % of the held-out points", text))
    assert accuracies.keys() == {"moons", "spiral"}
    assert all(float(accuracy) > 97 for accuracy in accuracies.values())
    assert (tmp_path / "regions.png").read_bytes().startswith(b"\x89PNG")
