"""The README: its example keeps its promise, its commands run, CI runs its test command."""

import re
import subprocess

import numpy as np

from fastmlp import Dense, Dropout, Flatten, Sequential
from fastmlp.cli import parser
from tests.pages import ROOT, blocks, commands, run


def test_python_runs_and_the_resumed_model_equals_an_uninterrupted_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = run("README.md")
    data, resumed = names["data"], names["resumed"]
    whole = Sequential([Flatten(), Dense(128, "relu"), Dropout(0.1), Dense(10, "softmax")], seed=7)
    whole.fit(data.x_train, data.y_train, epochs=5, batch_size=64, verbose=0)
    for one, other in zip(whole.layers, resumed.layers, strict=True):
        for name in one.parameters:
            np.testing.assert_array_equal(one.parameters[name], other.parameters[name])


def test_commands_run_in_a_fresh_clone(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    for command in commands("README.md"):
        if command[0] == "fastmlp":
            assert parser.main(command[1:]) == 0, command
    last = capsys.readouterr().out.partition("index,class,probability\n")[2]
    assert [line.split(",")[1] for line in last.splitlines()] == [
        species for species in ("setosa", "versicolor", "virginica") for _ in range(2)
    ]


def test_ci_runs_the_test_command_of_the_readme():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    (extraction,) = re.findall(r"^test_command=\$\((.*)\)$", script, re.MULTILINE)
    found = subprocess.run(["bash", "-c", extraction], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout == 'pip install -e ".[test]" && pytest\n'
    assert [
        line for block in blocks("README.md") for line in block.code.splitlines() if "pytest" in line
    ] == [found.stdout.rstrip("\n")]
