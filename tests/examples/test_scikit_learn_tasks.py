"""The example that compares with scikit-learn's perceptrons."""

import re
import runpy

import numpy as np
import pytest

from tests.examples.scripts import EXAMPLES, printed

pytest.importorskip("sklearn")

NAME = "scikit_learn_tasks.py"
LINE = r"(?m)^(\w+(?: cancer)?) +(accuracy|R2) +(\S+) +(\S+) +(\S+) \+- (\S+) +(\S+) s +(\S+) s +(\S+)$"


@pytest.fixture(scope="module")
def script():
    return runpy.run_path(str(EXAMPLES / NAME))


def test_a_line_for_each_task(tmp_path):
    text = printed(NAME, "--tasks", "wine", "breast cancer", "diabetes", "--repeats", "1", folder=tmp_path)
    lines = {name: numbers for name, *numbers in re.findall(LINE, text)}
    assert [(name, numbers[0]) for name, numbers in lines.items()] == [
        ("wine", "accuracy"),
        ("breast cancer", "accuracy"),
        ("diabetes", "R2"),
    ]
    for name, least in (("wine", 0.95), ("breast cancer", 0.95), ("diabetes", 0.35)):
        ours, theirs, difference = map(float, lines[name][1:4])
        assert min(ours, theirs) > least
        assert difference == pytest.approx(ours - theirs, abs=2e-4)


def outputs(predict, X, regression):
    """What the network behind a `predict` gives out: numbers, or probabilities."""
    if regression:
        return predict(X)
    model = predict.__self__
    return model.predict_proba(X)[:, 1:] if hasattr(model, "predict_proba") else model.predict(X)[:, -9:]


@pytest.mark.parametrize("name", ["digits", "breast cancer", "diabetes"])
def test_both_have_the_same_penalty(script, name):
    """Without hidden layers the best weights are unique, so both find them; with twice the penalty, others."""
    task = script["TASKS"][name]
    settings = task.settings._replace(hidden=(), alpha=32.0, learning_rate=0.002)
    X, y, *_ = next(script["folds"](task, repeats=1, seed=0))
    whole = len(X) // script["BATCH"] * script["BATCH"]
    X, y = X[:whole], y[:whole]  # no smaller batch at the end
    theirs = outputs(script["train_scikit_learn"](task, settings, X, y, 0), X, task.regression)

    def apart(alpha):
        predict = script["train_fastmlp"](task, settings._replace(alpha=alpha), X, y, 0)
        return np.abs(outputs(predict, X, task.regression) - theirs).mean()

    same, double, half = map(apart, (32.0, 64.0, 16.0))
    assert same < 0.4 * min(double, half)
