"""The example that computes by hand what layers do: it stops by itself where a number differs."""

import re
import runpy

import numpy as np
import pytest

from tests.examples.scripts import EXAMPLES, printed

NAME = "s2_by_hand.py"


def test_all_numbers_agree(tmp_path):
    text = printed(NAME, folder=tmp_path)
    assert text.startswith("a neuron: 4.8\na layer, one sample: [4.8   1.21  2.385]\n")
    losses = re.findall(r"loss from (?:classes|one-hot rows): (\S+)", text)
    assert losses == ["3.279", "3.279"]
    assert text.count("weights after a step") == 2


def test_a_difference_stops_it():
    same = runpy.run_path(str(EXAMPLES / NAME))["same"]
    with pytest.raises(AssertionError, match="a layer"):
        same("a layer", np.array([1.0, 2.0]), np.array([1.0, 2.0001]))
