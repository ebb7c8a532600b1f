"""The race: workloads, rivals in processes of their own, ratios and goals."""

import importlib
import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import bench.__main__ as command
from bench import checks, goals, sweeps, worker
from bench.peers import NUMPY, OURS, PEERS, ours, plain_numpy
from bench.rivals import Race, ratio
from bench.settings import Settings
from bench.workloads import WORKLOADS, Workload, as_floats, bounded, data, outputs

from .figures import entry

SMALL = Workload("small one", (6, 5, 4), 8, samples=40)
PREDICTIONS = [
    SMALL._replace(task="predict", batch_size=rows, classes=c) for rows in (1, 40) for c in (True, False)
]


@pytest.mark.parametrize("workload", WORKLOADS.values(), ids=lambda workload: workload.name)
def test_data_fits_the_network(workload, monkeypatch):
    monkeypatch.delenv("FASTMLP_MNIST", raising=False)
    small = workload._replace(samples=500)
    X, y = data(small)
    assert X.shape == (500, *workload.sample_shape)
    assert as_floats(X).shape == (500, workload.layers[0])
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
    expected = outputs(workload, as_floats(data(workload)[0][: workload.batch_size]))
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


TRAINED = {
    "classes": SMALL._replace(samples=48),
    "squared": SMALL._replace(samples=48, classes=False),
    "forecast": WORKLOADS["forecast"]._replace(layers=(6, 64, 64, 1), batch_size=24, samples=48),
    "sgd": SMALL._replace(samples=48, optimizer="sgd"),
    "bf16": SMALL._replace(samples=48, dtype="mixed_bfloat16"),
}
MODES = [
    pytest.param(peer, workload, id=f"{name}, {peer.name}")
    for name, workload in TRAINED.items()
    for peer in [OURS, *Settings().rivals(workload)]
    if peer.mode != "compile"  # the same function; half a minute for the compiler
]


@pytest.mark.parametrize(("peer", "workload"), MODES)
def test_training_makes_the_loss_fall_in_every_mode(peer, workload):
    if not peer.installed:
        pytest.skip(f"{peer.package} is not installed")
    module = importlib.import_module(f"bench.peers.{peer.module}")
    try:
        train = module.train(workload, peer.mode)
    except NotImplementedError as missing:
        pytest.skip(str(missing))
    before = float(train(1))
    after = float(train(200))
    assert np.isfinite(before)
    assert after < 0.8 * before


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


def test_the_ratio_is_the_median_of_the_rounds_that_both_have_run():
    assert ratio([1.0, 2.0, 1.0], [3.0, 2.0, 9.0]) == 3.0
    assert ratio([1.0, 1.0, 1.0], [4.0]) == 4.0


def test_the_best_mode_of_a_library_is_the_one_that_is_hardest_to_beat():
    best = goals.best_modes(entry("small")["seconds"])
    assert best["PyTorch"] == ("PyTorch fused", "fused", 2.0)
    assert best["JAX"] == ("JAX", "", 0.5)
    assert goals.best_modes({"NumPy": [1.0]}) == {}


def test_every_workload_has_goals_for_libraries_that_take_part():
    assert goals.GOALS.keys() == WORKLOADS.keys()
    for name, workload in WORKLOADS.items():
        libraries = {peer.library for peer in Settings().rivals(workload)}
        for amx in (False, True):
            assert set(goals.goals_of(name, amx=amx)) <= libraries


def test_a_goal_is_met_from_its_figure_on_and_not_without_a_measurement():
    met = {goal.library: goal.met for goal in goals.outcomes({"tiny": entry("tiny")})}
    assert met == {"NumPy": True, "PyTorch": False, "JAX": False}
    seconds = {"fastmlp": [1.0], "NumPy": [9.0]}
    race = {"tiny": {"seconds": seconds, "amx": False}}
    assert [goal.met for goal in goals.outcomes(race)] == [True, False, False]


def test_only_workloads_in_mixed_precision_have_rivals_of_bfloat16():
    for workload in WORKLOADS.values():
        modes = {peer.mode for peer in Settings().rivals(workload)}
        assert ({"autocast", "bfloat16"} <= modes) == (workload.dtype == "mixed_bfloat16")


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
