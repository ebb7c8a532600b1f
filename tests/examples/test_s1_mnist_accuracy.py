"""The example on the accuracy on MNIST: on drawn digits, on a part of MNIST, and, slow, all of its promise."""

import re
import runpy

import pytest

from fastmlp import synthetic_digits
from tests.examples.scripts import EXAMPLES, printed
from tests.mnist import FOLDER, needs_mnist

NAME = "s1_mnist_accuracy.py"
SEED = r"seed (\d+): test accuracy (\S+)% after (\S+) s"
TOTAL = r"(\d+) seeds on \d+ cores: mean test accuracy (\S+)%, lowest (\S+)%, (\S+) s of training"


def accuracies(text):
    """Accuracy of each seed, in percent, and the mean, which is checked."""
    seeds = [(int(seed), float(accuracy)) for seed, accuracy, _ in re.findall(SEED, text)]
    count, mean, lowest, _ = map(float, re.search(TOTAL, text).groups())
    of_seeds = [accuracy for _, accuracy in seeds]
    assert [seed for seed, _ in seeds] == list(range(int(count)))
    assert mean == pytest.approx(sum(of_seeds) / count, abs=0.011)
    assert lowest == min(of_seeds)
    return of_seeds, mean


@pytest.fixture(scope="module")
def script():
    return runpy.run_path(str(EXAMPLES / NAME))


def test_assess(script, capsys):
    script["assess"](synthetic_digits(3000), synthetic_digits(500, start=3000), epochs=12, seeds=2)
    of_seeds, _ = accuracies(capsys.readouterr().out)
    assert len(of_seeds) == 2 and min(of_seeds) > 90


def test_tune_leaves_no_choice_out(script, capsys):
    script["tune"](*synthetic_digits(1200), epochs=2, seeds=1)
    found = re.findall(r"(\S+)% held out: (Choice\(.*\))", capsys.readouterr().out)
    assert [choice for _, choice in found] == [repr(choice) for choice in script["CHOICES"]]
    assert all(30 < float(accuracy) <= 100 for accuracy, _ in found)


def test_the_learning_rate_ends_at_zero(script):
    model = script["build"](script["Choice"](), 100, seed=0)
    rates = model.optimizer.learning_rate
    assert rates.rate == script["Choice"]().learning_rate
    assert rates.steps == 100 and rates.end == 0


@needs_mnist
def test_part_of_mnist(tmp_path):
    text = printed(
        NAME, "--data", str(FOLDER), "--samples", "5000", "--epochs", "10", "--seeds", "2", folder=tmp_path
    )
    assert re.match(r"compiling, or loading what was compiled: \S+ s\n", text)
    of_seeds, _ = accuracies(text)
    assert len(of_seeds) == 2 and min(of_seeds) > 92


@pytest.mark.slow
@needs_mnist
def test_the_promise(tmp_path):
    """Mean of ten seeds on the official test set."""
    of_seeds, mean = accuracies(printed(NAME, "--data", str(FOLDER), folder=tmp_path))
    assert len(of_seeds) == 10
    assert mean >= 98.42
