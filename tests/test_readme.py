"""The README says what works: its Python runs, its commands are understood, and CI runs what it tells people to run."""

import re
import runpy
import shlex
import subprocess
from pathlib import Path

import numpy as np
import pytest

from fastmlp import Dense, Dropout, Flatten, Sequential, cli

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The code blocks of the README in this language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def test_python_runs_and_the_resumed_model_equals_an_uninterrupted_one(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (block,) = blocks("python")
    Path("example.py").write_text(block, encoding="utf-8")
    names = runpy.run_path("example.py")
    data, resumed = names["data"], names["resumed"]
    whole = Sequential([Flatten(), Dense(128, "relu"), Dropout(0.1), Dense(10, "softmax")], seed=7)
    whole.fit(data.x_train, data.y_train, epochs=5, batch_size=64, verbose=0)
    for one, other in zip(whole.layers, resumed.layers, strict=True):
        for name in one.parameters:
            np.testing.assert_array_equal(one.parameters[name], other.parameters[name])


def test_other_python_runs(tmp_path):
    (block,) = blocks("py")
    (tmp_path / "example.py").write_text(block, encoding="utf-8")
    assert runpy.run_path(str(tmp_path / "example.py"))["model"].optimizer.global_clip_norm == 1.0


COMMANDS = [
    shlex.split(command)
    for block in blocks("sh")
    for line in block.splitlines()
    for command in line.split("&&")
    if command.split()[0] == "fastmlp"
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_commands_are_understood(command):
    assert cli.parser().parse_args(command[1:]).command == command[1]


def test_every_command_is_mentioned():
    assert {command[1] for command in COMMANDS} | {"warm"} == {"train", "evaluate", "predict", "info", "warm"}
    assert "`fastmlp warm`" in README


def test_ci_runs_the_test_command_of_the_readme():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    (extraction,) = re.findall(r"^test_command=\$\((.*)\)$", script, re.MULTILINE)
    found = subprocess.run(["bash", "-c", extraction], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout == 'pip install -e ".[test]" && pytest\n'
    assert [line for block in blocks("sh") for line in block.splitlines() if "pytest" in line] == [
        found.stdout.rstrip("\n")
    ]


def test_links_lead_somewhere():
    for document in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / document).read_text(encoding="utf-8")):
            assert target.startswith("https://") or (ROOT / target).exists(), (document, target)


def test_speed_is_between_its_markers():
    """`python -m bench` or nobody writes figures: they stand only where a command puts them."""
    before, _, rest = README.partition("<!-- speed:begin -->\n")
    _, marker, after = rest.partition("<!-- speed:end -->\n")
    assert marker
    assert not re.search(r"\dx\b|\d (times|GFLOP|samples/s|images/s)\b", before + after)
