"""The part `small`: every section runs, small and without its peers' heavy tasks, and its lines reach the report."""

import math
import re
import sys

import pytest

from bench import report, small
from bench.settings import Settings
from bench.small import epochs, estimators, loop_of_fits, many, rows, turns

from .figures import figures

SETTINGS = Settings(rounds=1, quick=True)


@pytest.fixture(autouse=True)
def little(monkeypatch):
    """A few epochs, models and calls."""
    table, iris = (
        task._replace(samples=40, epochs=2, batch=task.batch and 16)
        for task in (loop_of_fits.TABLE, loop_of_fits.IRIS)
    )
    for module in (loop_of_fits, many):
        monkeypatch.setattr(module, "TABLE", table)
        monkeypatch.setattr(module, "IRIS", iris)
    for module, name, value in (
        (epochs, "EPOCHS", 3),
        (epochs, "NAMES", ("iris",)),
        (estimators, "NAMES", ("iris",)),
        (estimators, "CALLS", 2),
        (estimators, "GRID", {"alpha": [1e-4]}),
        (many, "QUICK", 10),
        (rows, "CALLS", 2),
        (rows, "SETUPS", 2),
    ):
        monkeypatch.setattr(module, name, value)


@pytest.mark.parametrize("section", small.SECTIONS)
def test_each_section(section, monkeypatch):
    monkeypatch.setitem(sys.modules, "jax", None)  # whether it is installed or not
    part = {"tables": [], "checks": []}
    try:
        steps = sum(1 for _ in section.run(SETTINGS, part))
        assert steps == section.steps(SETTINGS)
    except RuntimeError as error:
        assert section is many
        assert "JAX" in str(error)
    assert part["checks"]
    assert all(check.keys() == {"name", "goal", "reached", "met"} for check in part["checks"])
    assert all(len(row) == len(table["head"]) for table in part["tables"] for row in table["rows"])


def test_a_section_that_fails_is_named(monkeypatch):
    def broken(settings, part):
        yield "one"
        raise OSError("no disk")

    for section in small.SECTIONS:
        monkeypatch.setattr(section, "run", broken)
    found = {"failures": []}
    list(small.run(SETTINGS, found))
    assert found["failures"][0] == ["small", "epochs", "no disk"]


def test_another_version_runs_its_own_loop():
    seconds = many._elsewhere(sys.executable, loop_of_fits.IRIS, 2)()
    assert seconds > 0


def test_functions_in_turn():
    calls = []
    seconds = turns.in_turn({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, 2)
    assert "".join(calls) == "ababab"
    assert [len(found) for found in seconds.values()] == [2, 2]
    assert math.isclose(turns.times_faster([1.0, 2.0, 4.0], [2.0, 8.0, 4.0]), 2.0)


def test_the_report_has_the_tables_and_checks():
    run = figures()
    assert re.search(r"^iris +41\.5$", report.as_text(run), re.MULTILINE)
    assert "PASS  a row: 6.5 us; goal: at most 8 us" in report.as_text(run)
    page = report.as_html(run)
    assert "<h3>Epochs</h3>" in page
    assert "41.5" in page
