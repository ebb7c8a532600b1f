"""The example that trains on MNIST as CSV: from CSV files, or from IDX files by way of CSV files that go away."""

import re

import numpy as np
import pytest

from fastmlp import synthetic_digits
from tests.examples.scripts import printed
from tests.mnist import FOLDER, needs_mnist

LINE = r"epoch +(\d+)  cost: train (\S+), test (\S+)  accuracy: train (\S+), test (\S+)"


def run(folder, spare, *options):
    """Lines of numbers (epoch, costs, accuracies) that the script prints, and the last two lines."""
    spare.mkdir(exist_ok=True)
    text = printed("s4_mnist_csv.py", "--data", str(folder), *options, folder=spare, TMPDIR=str(spare))
    assert list(spare.iterdir()) == []
    return [tuple(map(float, numbers)) for numbers in re.findall(LINE, text)], text.splitlines()


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """A folder with two CSV files of drawn digits."""
    folder = tmp_path_factory.mktemp("digits")
    for name, start, count in (("mnist_train.csv", 0, 1000), ("mnist_test.csv", 5000, 200)):
        images, labels = synthetic_digits(count, start=start)
        table = np.column_stack([labels, images.reshape(count, -1)])
        np.savetxt(folder / name, table, fmt="%d", delimiter=",")
    return folder


def test_csv_files(digits, tmp_path):
    numbers, lines = run(digits, tmp_path / "spare", "--samples", "900", "--epochs", "25")
    assert lines[0].startswith("read 1,000 and 200 samples in ")
    assert [epoch for epoch, *_ in numbers] == [10, 20, 25]
    assert numbers[-1][1] < numbers[0][1] < 2.4
    assert re.fullmatch(r"trained on 900 samples for 25 epochs in \d+\.\d s", lines[-2])
    assert lines[-1] == f"test accuracy {numbers[-1][4]:.4f}"


def test_compare_trains_the_same_with_both_engines(digits, tmp_path):
    _, lines = run(digits, tmp_path / "spare", "--samples", "900", "--epochs", "7", "--compare")
    line = r"(\w+): (\S+) s an epoch, median of 7; cost (\S+) at the end"
    engines, seconds, costs = zip(*(re.fullmatch(line, text).groups() for text in lines[1:3]), strict=True)
    assert engines == ("kernels", "reference")
    assert float(costs[0]) == pytest.approx(float(costs[1]), abs=2e-4)
    ratio = float(re.fullmatch(r"the kernels are (\S+) times as fast", lines[3])[1])
    assert ratio == pytest.approx(float(seconds[1]) / float(seconds[0]), rel=0.2)


@pytest.mark.slow
@needs_mnist
def test_mnist_itself(tmp_path):
    """The promise of the example: above 90 % on the official test set."""
    numbers, lines = run(FOLDER, tmp_path / "spare")
    assert lines[0].startswith("read 60,000 and 10,000 samples in ")
    assert len(numbers) == 20
    assert numbers[-1][4] > 0.9
