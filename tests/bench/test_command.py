"""`python -m bench`: its parts, what fails, Ctrl-C."""

import importlib.util
import json

import pytest

import bench.__main__ as command
from bench import checks, kernel_cases, report, suites, sweeps
from bench.settings import Settings

from .figures import figures


class Part:
    """Two steps; then perhaps an error."""

    def __init__(self, error=None):
        self.error = error

    def steps(self, settings):
        return 2

    def run(self, settings, figures):
        yield "one"
        figures["done"] = figures.get("done", 0) + 1
        yield "two"
        if self.error:
            raise self.error


def measured(monkeypatch, *parts):
    """What is in the figures, and what was saved at last."""
    saved = []
    monkeypatch.setattr(command, "PARTS", {str(number): part for number, part in enumerate(parts)})
    found = command.measure(list(command.PARTS), Settings(), lambda run: saved.append(json.dumps(run)))
    assert json.loads(saved[-1]) == found
    return found


def test_a_part_that_fails_is_named_and_the_next_one_runs(monkeypatch):
    found = measured(monkeypatch, Part(OSError("no disk")), Part())
    assert found["done"] == 2
    assert found["failures"] == [["0", "the whole part", "OSError: no disk"]]


def test_of_a_suite_whole_results_count_and_failures_are_named(tmp_path):
    results, found = tmp_path / "results.json", {"failures": []}
    benchmarks = [
        {"extra_info": {"kernel": "product"}, "stats": {"median": 1.0}},
        {"extra_info": {}, "stats": {"median": 1.0}},  # interrupted
        {"extra_info": {"start": "cold"}, "stats": {"median": 9.0}},
    ]
    results.write_text(json.dumps({"benchmarks": benchmarks, "peaks": [1]}), encoding="utf-8")
    lines = [
        "bench/a.py::test_a[one, x] PASSED [50%]\n",
        "FAILED bench/a.py::test_a[one, y] - AssertionError: off\n",
    ]
    suites.KERNELS.keep(results, lines, found)
    assert found["kernels"] == [{"kernel": "product"}, {"start": "cold", "median": 9.0}]
    assert found["peaks"] == [1]
    assert found["failures"] == [["kernels", "bench/a.py::test_a[one, y]", "AssertionError: off"]]


def test_a_suite_that_did_not_run_says_why(tmp_path):
    found = {"failures": []}
    suites.KERNELS.keep(tmp_path / "nothing", ["ERROR: unrecognized arguments\n"], found)
    assert found == {"failures": [["kernels", "pytest", "ERROR: unrecognized arguments"]]}


def test_ctrl_c_keeps_what_was_measured(monkeypatch):
    found = measured(monkeypatch, Part(), Part(KeyboardInterrupt()), Part())
    assert found["done"] == 2
    assert found["failures"][-1][-1] == "ended by Ctrl-C"


def test_the_command_writes_a_past_run_again(tmp_path, monkeypatch, capsys):
    source, target = tmp_path / "figures.json", tmp_path / "new" / "report.html"
    source.write_text(json.dumps(figures()), encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["bench", "--from", str(source), "--output", str(target)])
    command.main()
    assert target.read_text(encoding="utf-8") == report.as_html(figures())
    assert "vs NumPy" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["nothing"], ["--workloads", "nothing"], ["--readme", "--quick"]])
def test_what_the_command_does_not_know_is_one_line(arguments, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["bench", *arguments])
    with pytest.raises(SystemExit) as stop:
        command.main()
    assert stop.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("python -m bench: error: ")


def test_progress_knows_how_many_steps_the_checks_take():
    quick, whole = Settings(2, quick=True), Settings(5)
    assert checks.steps(quick) < checks.steps(whole)
    assert sweeps.steps(quick) < sweeps.steps(whole)


@pytest.mark.skipif(
    importlib.util.find_spec("pytest_benchmark") is None, reason="pytest-benchmark is not installed"
)
def test_the_suites_are_found_by_their_tests():
    settings = Settings(workloads=["small"])
    assert command.PARTS["epochs"].steps(settings) == 3
    assert command.PARTS["kernels"].steps(settings) == 2 * len(kernel_cases.CASES)
