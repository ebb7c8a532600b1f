"""The example with networks of any shape."""

import re

import pytest

from tests.examples.scripts import printed
from tests.mnist import FOLDER, needs_mnist

NAME = "s3_configurable.py"
XOR = r"XOR, 2-4-1: 4 of 4 for (\d+) of the (\d+) seeds from (\d+)\n"
DIGITS = r"digits, 784-128-64-10: test accuracy (\S+)% after (\S+) s of training\n"


def test_all_twenty_seeds_learn_xor(tmp_path):
    text = printed(NAME, "--more-seeds", "5", "--samples", "3000", "--epochs", "20", folder=tmp_path)
    assert re.findall(XOR, text) == [("20", "20", "0"), ("5", "5", "20")]
    assert float(re.search(DIGITS, text)[1]) > 90


@pytest.mark.slow
@needs_mnist
def test_mnist_itself(tmp_path):
    text = printed(NAME, "--seeds", "1", "--more-seeds", "1", "--data", str(FOLDER), folder=tmp_path)
    assert float(re.search(DIGITS, text)[1]) > 97.5
