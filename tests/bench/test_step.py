"""`python -m bench step`: the arithmetic of a plan, what is measured in place, the table."""

import json

import numpy as np
import pytest

from bench import report, step
from bench.peers.ours import model
from bench.settings import Settings
from bench.step import measuring, table
from bench.step.work import Step, work
from bench.workloads import Workload
from fastmlp.engine.plan import as_dicts
from fastmlp.kernels.program.phases import BACKWARD, EPOCH, FORWARD, GRADIENT, TRANSPOSE, UPDATE, WAIT

from .figures import figures, machine

NETWORK = Workload("tiny", (200, 64, 32, 5), 64, samples=6400)


def operations(workload):
    trained = model(workload)
    random = np.random.default_rng(0)
    X = random.standard_normal((workload.batch_size, workload.layers[0]), np.float32)
    trained.fit(
        X,
        np.arange(workload.batch_size) % workload.layers[-1],
        epochs=1,
        batch_size=workload.batch_size,
        verbose=0,
    )
    return as_dicts(trained.network.cache["train"][1].operations)


def amounts(**changes):
    return work(operations(NETWORK), Step(64, 4, 800, 2, keeps_gradients=False)._replace(**changes))


def test_the_operations_are_those_of_the_products_and_of_the_biases():
    biases = 2 * 2 * 64 * sum(NETWORK.layers[1:])  # forward and gradient
    assert sum(amount.flops for amount in amounts().values()) == 64 * NETWORK.flops + biases


def test_bytes_of_each_phase_by_hand():
    found, names = amounts(), [(op["fan_in"], op["fan_out"]) for op in operations(NETWORK)]
    second = names.index((64, 32))
    x, y, weights = 64 * 64 * 4, 64 * 32 * 4, 65 * 32 * 4
    assert found[second, FORWARD].traffic == x + y + weights
    assert found[second, BACKWARD].traffic == x + y + 64 * 32 * 4
    assert found[second, GRADIENT].traffic == x + y + weights
    assert found[second, UPDATE] == (0, 7 * weights, 4 * weights)  # dW; W, m and v are read and written
    assert found[second, TRANSPOSE].traffic == 2 * 64 * 32 * 4
    assert found[0, FORWARD].traffic == 64 * 800 + 64 * 200 * 4


def test_kept_gradients_are_one_phase_of_all_layers():
    apart, together = amounts(), amounts(keeps_gradients=True)
    assert {phase for _, phase in together if phase >= GRADIENT} == {GRADIENT, UPDATE}
    assert sum(a.traffic for a in apart.values()) == sum(a.traffic for a in together.values())


@pytest.fixture(scope="module")
def measured():
    """Two processes, the ordinary program and the timed one, whose parameters `measure` compares bit for bit."""
    return measuring.measure(NETWORK, threads=2, rounds=2)


def test_the_phases_of_a_rank_are_its_whole_time(measured):
    ranks = np.sum([row["seconds"] for row in measured["rows"]], axis=0)
    step_seconds = measured["run"]["seconds"] / measured["run"]["steps"]
    assert len(ranks) == measured["threads"] == 2
    # Threads begin at different times, and the first one waits for the others.
    assert 0.8 * step_seconds < max(ranks) <= 1.01 * step_seconds


def test_every_phase_is_measured_on_every_rank(measured):
    for phase in (FORWARD, BACKWARD, GRADIENT, UPDATE, TRANSPOSE, WAIT, EPOCH):
        seconds = np.sum([row["seconds"] for row in measured["rows"] if row["phase"] == phase], axis=0)
        assert (seconds > 0).all(), phase


def test_the_table_adds_up(measured):
    lines = table.cells(measured)
    assert {len(line) for line in lines} == {len(table.head(measured))}
    sums = [
        float(line[4].rstrip("%")) for line in lines if line[0] and line[0] != "start and end of an epoch"
    ]
    assert sums[-1] == 100
    assert sum(sums[:-1]) == pytest.approx(100, abs=1)


def test_the_report_shows_the_step(measured):
    run = json.loads(json.dumps(figures() | {"step": {"tiny": measured}}))
    assert "Where the time of a step goes" in report.as_html(run)
    assert "wait at barriers" in report.as_text(run)
    assert "of the peak" in report.as_text(run)


class Fake:
    """A worker whose program trains other bits if it is timed."""

    def __init__(self, workload, threads, *, timed):
        self.timed = timed

    def read(self):
        return {"threads": 1, "operations": [], "work": []}

    def ask(self, word):
        return {"parameters": str(self.timed), "seconds": 1.0} if word == "run" else machine()

    def close(self):
        pass


def test_other_bits_are_an_error(monkeypatch):
    monkeypatch.setattr(measuring, "_Process", Fake)
    with pytest.raises(measuring.StepError, match="same bits"):
        measuring.measure(NETWORK, threads=1)


def test_a_process_that_fails_says_why():
    broken = NETWORK._replace(optimizer="none")
    with pytest.raises(measuring.StepError, match="optimizer"):
        measuring.measure(broken, threads=1)


def test_a_network_that_cannot_be_measured_is_named_and_the_next_one_is(monkeypatch):
    def measure(workload, threads, rounds):
        if workload.name == "bad":
            raise measuring.StepError("no memory")
        return {"threads": threads}

    monkeypatch.setattr(step, "measure", measure)
    found = {"failures": []}
    settings = Settings(networks=[NETWORK._replace(name="bad"), NETWORK], threads=3)
    assert len(list(step.run(settings, found))) == step.steps(settings) == 2
    assert found == {"failures": [["step", "bad", "no memory"]], "step": {"tiny": {"threads": 3}}}


def test_a_network_is_a_workload_or_layers():
    assert step.parse("large-dense", None, None).layers == (784, 1024, 1024, 10)
    given = step.parse("784-2048-10", 512, "sgd")
    assert (given.layers, given.batch_size, given.optimizer) == ((784, 2048, 10), 512, "sgd")
    assert given.samples >= 16 * 512


@pytest.mark.parametrize("network", ["nothing", "784", "784-0-10", "784--10", "row"])
def test_what_is_no_network_is_refused(network):
    with pytest.raises(ValueError, match="NETWORK: expected one of"):
        step.parse(network, None, None)
