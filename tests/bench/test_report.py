"""The report, and the table in the README."""

import json
import re

import pytest

from bench import plots, readme, report
from bench.machines import keep, kept
from bench.peers import OURS, PEERS
from bench.workloads import WORKLOADS

from .figures import entry, facts, figures


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


@pytest.mark.parametrize("path", [readme.README, readme.BENCHMARKS], ids=lambda path: path.name)
def test_the_pages_have_the_markers(path):
    readme.with_table(path.read_text(encoding="utf-8"), "new")


def full(cpu):
    """A run of all workloads on this processor."""
    return figures() | {"facts": facts(cpu), "race": {name: entry(name) for name in WORKLOADS}}


def test_the_table_of_all_workloads_has_the_best_mode_of_each_library():
    head, _, row = readme.long({"AMD": {"race": {"small": entry("small")}}}).splitlines()
    assert head == "| workload | fastmlp | vs NumPy | vs PyTorch | vs JAX |"
    assert row.endswith("| 60,000 rows/s | 4.00 | 2.00 (fused) | 0.50 |")


def test_the_tables_have_two_kinds_of_processors_side_by_side():
    one, other = full("AMD EPYC"), full("Intel Xeon")
    other["race"]["small"]["seconds"] = {"fastmlp": [0.5], "PyTorch fused": [2.0]}
    del one["race"]["huge"]
    head, _, *rows = readme.short({"AMD": one, "Intel": other}).splitlines()
    kinds = "(AMD / Intel)"
    assert head == f"| workload | fastmlp {kinds} | vs NumPy {kinds} | vs PyTorch {kinds} | vs JAX {kinds} |"
    assert [row.split(":")[0].removeprefix("| ") for row in rows] == list(readme.HEADLINES)
    by_name = dict(zip(readme.HEADLINES, rows, strict=True))
    assert by_name["small"].endswith("| 60,000 rows/s / 120,000 rows/s | 4.00 / - | 2.00 / 4.00 | 0.50 / - |")
    assert by_name["huge"].endswith("| - / 10,240 rows/s | - / 4.00 | - / 2.00 | - / 0.50 |")


def test_the_lines_below_the_table_name_the_samples_the_machines_and_the_versions():
    samples, _, *machines = readme.below({"AMD": full("AMD EPYC"), "Intel": full("Intel Xeon")}).splitlines()
    assert samples == (
        "Samples of `small`, `medium`, `large`, `stochastic`, `row`, `rows`: MNIST, as bytes. "
        "All others: Gaussian noise in float32."
    )
    assert machines == [
        "- AMD: today, AMD EPYC, 2 cores, 8 float32; fastmlp 0.1; numpy 2.4.",
        "- Intel: today, Intel Xeon, 2 cores, 8 float32; fastmlp 0.1; numpy 2.4.",
    ]


def test_a_race_replaces_the_last_one_of_its_kind_of_processor(tmp_path):
    folder = tmp_path / "results"
    assert kept(folder) == {}
    keep(full("Intel Xeon"), folder)
    keep(full("AMD EPYC 1"), folder)
    keep(full("AMD EPYC 2"), folder)
    found = kept(folder)
    assert {name: run["facts"]["CPU"] for name, run in found.items()} == {
        "AMD": "AMD EPYC 2", "Intel": "Intel Xeon"
    }  # fmt: skip
    assert found["AMD"]["race"] == full("AMD EPYC 2")["race"]
    assert keep(full("Neoverse"), folder).name == "aarch64.json"


@pytest.mark.parametrize("change", [{"quick": True}, {"race": {"small": entry("small")}}], ids=str)
def test_a_part_of_a_race_is_not_kept(change, tmp_path):
    with pytest.raises(ValueError, match="results: expected a full run of all workloads, got"):
        keep(full("AMD EPYC") | change, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_kept_races_are_those_in_the_tables():
    """Nobody has edited a table or a result by hand."""
    if runs := kept():
        for path, table in ((readme.README, readme.short), (readme.BENCHMARKS, readme.long)):
            text = path.read_text(encoding="utf-8")
            assert readme.with_table(text, f"{table(runs)}\n\n{readme.below(runs)}") == text


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


def test_goals_that_need_what_the_machine_lacks_do_not_apply():
    run = figures() | {"race": {"large-bf16": entry("large-bf16")}}
    run["race"]["large-bf16"]["seconds"]["fastmlp float32"] = [0.7, 0.7]
    lines = report.as_text(run).splitlines()
    assert "PASS  large-bf16: 0.70x of fastmlp float32, goal 0.6x fastmlp float32" in lines
    assert "n/a   large-bf16: this machine has no AMX, goal 2x PyTorch" in lines
    assert "n/a   large-bf16: this machine has no AMX, goal 4x fastmlp float32" in lines
    assert "no AMX: 2 does not apply" in report.as_html(run)
    run["race"]["large-bf16"]["amx"] = True
    lines = report.as_text(run).splitlines()
    assert "PASS  large-bf16: 2.00x of PyTorch fused, goal 2x PyTorch" in lines
    assert "FAIL  large-bf16: 0.70x of fastmlp float32, goal 4x fastmlp float32" in lines


def test_accuracy_counts_on_mnist_alone():
    run = figures()
    for part in ("accuracy", "mixed"):
        run[part]["data"] = "synthetic digits"
    assert [check["met"] for check in report.checks_of(run)[-2:]] == [False, False]


def test_accuracies_of_mixed_precision_are_means_over_all_seeds():
    (check,) = (check for check in report.checks_of(figures()) if "mixed_bfloat16" in check["name"])
    assert check["met"]
    assert check["reached"] == "98.475%, float32 98.500%; means of 2 seeds"
    for wrong in ([0.98, 0.985], [0.985], [0.99, 0.99]):
        run = figures()
        run["mixed"]["accuracy"]["mixed_bfloat16"] = wrong
        run["mixed"]["accuracy"]["float32"] = [0.98, 0.99][: len(wrong)]
        assert not report.checks_of(run)[-1]["met"]


def test_every_library_has_a_colour():
    assert plots.COLORS.keys() == {peer.library for peer in (OURS, *PEERS)}
