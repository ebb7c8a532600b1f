"""The example that compares with scikit-learn's perceptrons."""

import re
import runpy

import pytest

from tests.examples.scripts import EXAMPLES, printed

pytest.importorskip("sklearn")

NAME = "scikit_learn_tasks.py"
LINE = r"(?m)^(\w+(?: cancer)?) +(accuracy|R2) +(\S+) +(\S+) +(\S+) \+- (\S+) +(\S+) s +(\S+) s +(\S+)$"


def test_the_settings_are_among_those_that_are_tried():
    script = runpy.run_path(str(EXAMPLES / NAME))
    for task in script["TASKS"].values():
        assert all(
            chosen in tried for chosen, tried in zip(task.settings, script["GRID"].values(), strict=True)
        )


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
