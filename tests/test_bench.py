"""The benchmarks' own parts: what they run, how they compare, what they check, and how they report it."""

import importlib.util
import json
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import bench.__main__ as command
from bench import checks, goals, kernel_cases, peaks, plots, readme, report, shares, suites, sweeps, worker
from bench.peers import NUMPY, OURS, PEERS, ours, plain_numpy
from bench.problems import Output, Problem, blank, numbers
from bench.rivals import Race, ratio
from bench.settings import Settings
from bench.workloads import WORKLOADS, Workload, as_floats, bounded, data, outputs
from fastmlp.kernels.activations import ACTIVATIONS
from fastmlp.kernels.losses import LOSSES
from fastmlp.kernels.optimizers import OPTIMIZERS

SMALL = Workload("small one", (6, 5, 4), 8, samples=40)
PREDICTIONS = [
    SMALL._replace(task="predict", batch_size=rows, classes=c) for rows in (1, 40) for c in (True, False)
]


# The README's table


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
    assert head == "| workload | fastmlp | times NumPy | times PyTorch | times JAX |"
    assert row.endswith("| 60,000 rows/s | 4.00 | 2.00 (fused) | 0.50 |")


# Workloads and rivals


@pytest.mark.parametrize("workload", WORKLOADS.values(), ids=lambda workload: workload.name)
def test_data_fits_the_network(workload, monkeypatch):
    monkeypatch.delenv("FASTMLP_MNIST", raising=False)
    small = workload._replace(samples=500)
    X, y = data(small)
    assert X.shape == (500, workload.layers[0])
    assert as_floats(X).dtype == np.float32
    assert as_floats(X).max() <= 1 or workload.inputs == "Gaussian"
    if workload.classes:
        assert y.shape == (500,)
        assert set(y.tolist()) <= set(range(workload.layers[-1]))
    else:
        assert y.shape == (500, workload.layers[-1])


def test_the_work_of_a_step_is_that_of_its_products():
    batch, layers = 8, (6, 5, 4)
    products = [(batch, inputs, units) for inputs, units in pairwise(layers)]  # forward
    products += [(inputs, batch, units) for inputs, units in pairwise(layers)]  # weight gradient
    products += [(batch, units, inputs) for inputs, units in pairwise(layers[1:])]  # deltas
    assert SMALL.flops * batch == sum(2 * np.prod(shape) for shape in products)
    assert SMALL.parameters == ours.model(SMALL).parameters


@pytest.mark.parametrize("width", sweeps.WIDTHS)
@pytest.mark.parametrize("batch", [sweeps.BATCHES[0], sweeps.BATCHES[-1]])
def test_a_bounded_epoch_has_whole_steps_and_a_bounded_size(width, batch):
    workload = bounded("point", (width, width, width, 10), batch)
    assert workload.samples % batch == 0
    assert workload.samples >= min(16 * batch, 200_000 - batch)
    assert workload.samples <= 200_000


@pytest.mark.parametrize("workload", PREDICTIONS, ids=str)
@pytest.mark.parametrize("module", [ours, plain_numpy])
def test_predictions_are_those_of_the_network(module, workload):
    expected = outputs(workload, data(workload)[0][: workload.batch_size])
    given = module.predict(workload, "kernels")(1)
    np.testing.assert_allclose(given.reshape(expected.shape), expected, atol=1e-5)


def test_wrong_outputs_are_found_before_anything_is_timed(monkeypatch):
    fields = json.loads(json.dumps(PREDICTIONS[0]._asdict()))
    assert worker.prepare("plain_numpy", "", fields)(1).shape == (4,)
    monkeypatch.setattr(plain_numpy, "_forward", lambda layers, values, classes: np.full(4, 0.25))
    with pytest.raises(ArithmeticError, match="off by"):
        worker.prepare("plain_numpy", "", fields)


def test_a_run_is_repeated_until_its_calls_or_its_time_are_over():
    calls = []
    assert worker.measure(calls.append, 5, 1e9).keys() == {"seconds", "cpu_seconds"}
    assert calls == [1, 4]  # the time is up after many more, so what is left is one block
    worker.measure(calls.append, 10**9, 0.0)
    assert calls == [1, 4, 1]


@pytest.mark.parametrize("peer", [OURS, *PEERS], ids=lambda peer: peer.name)
def test_each_peer_has_a_file_with_its_tasks(peer):
    path = Path(command.__file__).parent / "peers" / f"{peer.module}.py"
    for task in peer.tasks:
        assert f"\ndef {task}(workload: Workload, mode: str)" in path.read_text(encoding="utf-8")


def test_a_rival_that_fails_is_named_and_the_others_go_on():
    missing = NUMPY._replace(name="missing", package="no_such_package")
    broken = NUMPY._replace(name="broken", module="no_such_module")
    with Race([missing, broken, NUMPY], settle=0.0) as race:
        race.prepare(PREDICTIONS[0])
        race.round(calls=3)
    assert race.failures.keys() == {"missing", "broken"}
    assert race.failures["missing"] == "no_such_package is not installed"
    assert "no_such_module" in race.failures["broken"]
    assert race.series("seconds").keys() == {"NumPy"}


# Ratios and goals


def test_the_ratio_is_the_median_of_the_rounds_that_both_have_run():
    assert ratio([1.0, 2.0, 1.0], [3.0, 2.0, 9.0]) == 3.0
    assert ratio([1.0, 1.0, 1.0], [4.0]) == 4.0


def test_the_best_mode_of_a_library_is_the_one_that_is_hardest_to_beat():
    best = goals.best_modes(entry("small")["seconds"])
    assert best["PyTorch"] == ("PyTorch fused", "fused", 2.0)
    assert best["JAX"] == ("JAX", "", 0.5)
    assert goals.best_modes({"NumPy": [1.0]}) == {}


def test_every_workload_has_goals_for_libraries_that_there_are():
    assert goals.GOALS.keys() == WORKLOADS.keys()
    libraries = {(peer.library, task) for peer in PEERS for task in peer.tasks}
    for name, wanted in goals.GOALS.items():
        assert {(library, WORKLOADS[name].task) for library in wanted} <= libraries


def test_a_goal_is_met_from_its_figure_on_and_not_without_a_measurement():
    met = {goal.library: goal.met for goal in goals.outcomes({"tiny": entry("tiny")})}
    assert met == {"NumPy": True, "PyTorch": False, "JAX": False}
    seconds = {"fastmlp": [1.0], "NumPy": [9.0]}
    assert [goal.met for goal in goals.outcomes({"tiny": {"seconds": seconds}})] == [True, False, False]


@pytest.mark.parametrize(
    ("gains", "noises", "met"),
    [
        ((1.0, 1.9), (1.0, 1.0), True),
        ((0.97, 1.9), (1.0, 1.02), False),  # slower than noise explains
        ((0.97, 1.9), (1.0, 0.96), True),
        ((0.8, 1.9), (1.5, 1.0), False),  # so noisy that nothing can be told
        ((1.2, 1.9), (1.5, 1.0), False),
    ],
)
def test_all_threads_are_compared_within_the_noise_of_one(gains, noises, met):
    grid = [
        {"width": 8, "batch": 1, "gain": gain, "noise": noise}
        for gain, noise in zip(gains, noises, strict=True)
    ]
    assert checks.never_slower(grid)[1] == met


# Kernels


def test_every_row_of_the_kernels_tables_is_timed():
    timed = {(case.kernel, case.row.split()[0]) for case in kernel_cases.CASES}
    for table, kernels in (
        (ACTIVATIONS, ("activation forward", "activation backward")), (LOSSES, ("loss",)), (OPTIMIZERS, ("optimizer",)),
    ):  # fmt: skip
        assert {(kernel, row.name) for kernel in kernels for row in table} <= timed
    names = [str(case) for case in kernel_cases.CASES]
    assert len(set(names)) == len(names)


def doubling(factor):
    """A problem whose kernel multiplies by `factor`, and whose twin doubles."""
    (x, ld), y = numbers(3, 5), blank(3, 5)

    def kernel(times, arguments):
        arguments[0][:] = factor * arguments[1]

    def twin(y, x):
        np.multiply(x, 2, out=y)

    return Problem(kernel, twin, (y, x), [Output(0, 3, 5, ld)], terms=1, traffic=1, footprint=1)


def test_a_kernel_that_is_wrong_is_not_timed():
    doubling(2).verify()
    with pytest.raises(AssertionError, match="differ by more"):
        doubling(np.float32(2.0001)).verify()


@pytest.mark.parametrize("case", kernel_cases.CASES, ids=str)
def test_every_case_of_a_kernel_is_right(case):
    case.build().verify()


def test_kernel_and_twin_share_no_memory():
    problem = doubling(2)
    for one, other in zip(problem._arguments, problem._copies, strict=True):
        assert not np.shares_memory(one, other)


# Peaks


def machine(threads=1, arithmetic=100e9):
    """Peaks of round figures."""
    speeds = {"L1": 200e9, "L2": 100e9, "L3": 50e9, "DRAM": 10e9}
    sizes = {"L1": 1000, "L2": 10_000, "L3": 100_000, "DRAM": None}
    memory = {
        name: {"bytes": sizes[name]} | {stream.name: speed for stream in peaks.STREAMS}
        for name, speed in speeds.items()
    }
    return {"threads": threads, "arithmetic": arithmetic, "memory": memory}


@pytest.mark.parametrize(
    ("flops", "traffic", "footprint", "seconds"),
    [
        (1000, 0, 0, 10e-9),  # arithmetic
        (1, 2000, 1000, 10e-9),  # through the registers
        (0, 1000, 6000, 50e-9),  # what is beyond the first level
        (0, 1000, 1_100_000, 100e-6),  # from DRAM
    ],
)
def test_the_least_time_is_that_of_the_narrowest_way(flops, traffic, footprint, seconds):
    assert peaks.least_seconds(machine(), flops, traffic, footprint) == pytest.approx(seconds)


def test_the_larger_peak_counts():
    one, other = machine(arithmetic=1e9), machine(arithmetic=2e9)
    one["memory"]["L2"]["read"] = 300e9
    larger = peaks.larger(one, other)
    assert larger["arithmetic"] == 2e9
    assert larger["memory"]["L2"] == one["memory"]["L2"]


def test_a_share_belongs_to_a_kernel_and_its_twin():
    (found,) = shares.shares(kernel_figures(), [machine()])
    assert found.unit == "GFLOP/s"
    assert found.speed == pytest.approx(50)
    assert found.peak == pytest.approx(0.5)
    assert found.ratio == pytest.approx(3)


# The report


def entry(name):
    """What a race over a workload leaves: seconds of two rounds."""
    seconds = {
        "fastmlp": [1.0, 1.0], "NumPy": [4.0, 4.0], "PyTorch eager": [3.0, 3.0], "PyTorch fused": [2.0, 2.0],
        "JAX": [0.5, 0.5],
    }  # fmt: skip
    workload = WORKLOADS[name]
    return {
        "rows": workload.rows, "title": workload.title, "inputs": workload.inputs,
        "seconds": seconds, "cpu_seconds": seconds,
    }  # fmt: skip


def kernel_figures():
    """Of one product, and of a kernel whose twin failed."""
    common = {
        "kernel": "product",
        "row": "2 x 2",
        "threads": 1,
        "flops": 1000,
        "traffic": 10,
        "footprint": 10,
    }
    return [
        common | {"side": "kernel", "seconds": 20e-9},
        common | {"side": "NumPy", "seconds": 60e-9},
        common | {"row": "3 x 3", "side": "kernel", "seconds": 1e-9},
    ]


def figures():
    """A small run with something of everything."""
    point = {"at": 8, "layers": [8, 8], "batch": 4, "samples": 100, "flops": 1e6}
    point |= {"seconds": entry("tiny")["seconds"], "cpu_seconds": entry("tiny")["cpu_seconds"]}
    sizes = {"peak": 9e6, "workspace": 1e6, "parameters": 2e6, "data": 3e6}
    return {
        "facts": {"date": "today", "CPU": "a CPU", "fastmlp": "0.1", "load before the run": "0.1"},
        "quick": False,
        "failures": [["small", "ONNX Runtime", "<it> broke"]],
        "race": {"small": entry("small"), "row": entry("row")},
        "checks": [{"name": "memory", "goal": "little", "reached": "much", "met": False}],
        "threads": [{"width": w, "batch": b, "gain": 0.9 + w / 10, "noise": 1.0} for w in (8, 16) for b in (1, 4)],
        "growth": {"rows": [[16, 1e-4], [160, 9e-4]], "parameters": [[1000, 1e-4], [10_000, 9e-4]]},
        "accuracy": {"title": "a network", "data": "MNIST", "accuracy": [0.9, 0.99], "seconds": 2.0, "goal": 0.98},
        "kernels": kernel_figures(),
        "peaks": [machine()],
        "sweeps": {name: [point, point | {"at": 16}] for name in ("width", "batch", "cores, small")},
        "epochs": [
            {"workload": "small", "title": "a network", "seconds": 1.0, "cpu_seconds": 2.0, "samples/s": 9.0,
             "memory": sizes},
            {"start": "cold", "median": 15.0},
        ],
    }  # fmt: skip


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


# The run


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
    assert "times NumPy" in capsys.readouterr().out


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
