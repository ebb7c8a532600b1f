"""The report, and the table in the README."""

import json
import re

import pytest

from bench import plots, readme, report
from bench.peers import OURS, PEERS

from .figures import entry, figures


def test_the_table_goes_between_the_markers():
    text = f"before\n{readme.BEGIN}\nold\n{readme.END}\nafter\n"
    written = readme.with_table(text, "new")
    assert written == f"before\n{readme.BEGIN}\nnew\n{readme.END}\nafter\n"
    assert readme.with_table(written, "new") == written


@pytest.mark.parametrize(
    "text", ["", readme.BEGIN, f"{readme.END}{readme.BEGIN}", f"{readme.BEGIN * 2}{readme.END}"]
)
def test_markers_that_are_not_there(text):
    with pytest.raises(ValueError, match="once each"):
        readme.with_table(text, "new")


def test_the_readme_has_the_markers():
    readme.with_table(readme.README.read_text(encoding="utf-8"), "new")


def test_the_table_has_the_best_mode_of_each_library():
    head, _, row = readme.table({"small": entry("small")}).splitlines()
    assert head == "| workload | fastmlp | vs NumPy | vs PyTorch | vs JAX |"
    assert row.endswith("| 60,000 rows/s | 4.00 | 2.00 (fused) | 0.50 |")


def test_the_line_below_the_table_names_the_machine_and_the_versions():
    facts = {"date": "today", "CPU": "a CPU", "cores used": "2", "fastmlp": "0.1", "packages": "numpy 2.4"}
    assert readme.machine(facts) == "Measured on today: a CPU, 2 cores; fastmlp 0.1, numpy 2.4."


def test_the_report_has_everything_in_one_file():
    page = report.as_html(json.loads(json.dumps(figures())))
    assert re.findall(r'(?:src|href)="(?!data:)', page) == []
    assert "<script" not in page
    assert page.count("data:image/svg+xml;base64,") == 9
    for words in ("a CPU", "4.00 of 5", "cold 15.00 s", "99.00% of the test images", "ONNX Runtime"):
        assert words in page
    assert "&lt;it&gt; broke" in page


def test_the_report_warns_of_a_busy_machine():
    run = figures()
    assert "was busy" not in report.as_html(run)
    run["facts"]["load before the run"] = "1.70"
    assert "was busy" in report.as_html(run)


def test_a_peer_that_wins_stays_in_the_report():
    assert '<td class="number wins">0.50' in report.as_html(figures())


@pytest.mark.parametrize(
    "missing", [key for key in figures() if key not in {"facts", "quick", "failures", "race"}]
)
def test_what_was_not_measured_is_left_out(missing):
    run = figures()
    del run[missing]
    report.as_html(run)
    report.as_text(run)


def test_a_run_without_any_figure_still_gives_a_report():
    empty = {"facts": figures()["facts"], "quick": True, "failures": [["race", "all", "Ctrl-C"]], "race": {}}
    assert "Ctrl-C" in report.as_html(empty)
    assert "failed  race, all: Ctrl-C" in report.as_text(empty)


def test_the_terminal_tells_what_passed():
    lines = report.as_text(figures()).splitlines()
    assert "PASS  row: 4.00x of NumPy, goal 2.5x NumPy" in lines
    assert "FAIL  small: 0.50x of JAX, goal 3x JAX" in lines
    assert "FAIL  memory: much; goal: little" in lines
    assert any(line.startswith("PASS  test accuracy on MNIST") for line in lines)


def test_accuracy_counts_on_mnist_alone():
    run = figures()
    run["accuracy"]["data"] = "synthetic digits"
    assert not report.checks_of(run)[-1]["met"]


def test_every_library_has_a_colour():
    assert plots.COLORS.keys() == {peer.library for peer in (OURS, *PEERS)}
