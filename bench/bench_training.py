"""Whole epochs of fastmlp: `pytest bench/bench_training.py`. Speed, processor time, memory, cold and warm start.

Before an epoch is timed, some steps are checked against the NumPy reference.
"""

import os
import subprocess
import sys
import time

import numpy as np
import pytest

from tests.tolerance import assert_close

from . import memory
from .peers import ours
from .workloads import WORKLOADS, data

TRAINED = [workload for workload in WORKLOADS.values() if workload.task == "train"]
VERIFIED_STEPS, ROUNDS = 3, 3
FIRST_STEP = """
import numpy as np, fastmlp
model = fastmlp.Sequential([fastmlp.Dense(128, "relu"), fastmlp.Dense(10, "softmax")])
model.fit(np.zeros((64, 784), np.uint8), np.zeros(64, int), epochs=1, batch_size=64, verbose=0)
"""


def parameters(model) -> np.ndarray:
    """All parameters of a model."""
    return np.concatenate([array.ravel() for layer in model.layers for array in layer.parameters.values()])


def verify(workload) -> None:
    """A few steps give the weights of the NumPy reference, within rounding.

    In mixed precision a difference in the last bit of a value may round it to the next bfloat16 number, 2^-8 away,
    in each layer on the way forward and back. Adam makes whole steps of such differences in small gradients, so plain
    SGD is verified there. This finds a wrong gradient; the tests hold the bits.
    """
    mixed = workload.dtype == "mixed_bfloat16"
    if mixed:
        workload = workload._replace(optimizer="sgd")
    before = parameters(ours.model(workload))
    actual, expected = (_trained(workload, engine) for engine in ("kernels", "reference"))
    assert np.abs(actual - before).max() > 0
    if mixed:
        roundings = VERIFIED_STEPS * 2 * (len(workload.layers) - 1)
        assert np.abs(actual - expected).max() <= roundings * 2**-8 * np.abs(expected - before).max()
        return
    # Sums over the inputs of all layers, forward and backward, and over the batch, in each step.
    terms = VERIFIED_STEPS * (2 * sum(workload.layers) + workload.batch_size)
    assert_close(actual, expected, terms=terms, scale=np.full(actual.shape, np.abs(expected).max()))


def _trained(workload, engine: str) -> np.ndarray:
    """The parameters after a few steps."""
    X, y = (array[: VERIFIED_STEPS * workload.batch_size] for array in data(workload))
    model = ours.model(workload)
    model.fit(X, y, epochs=1, batch_size=workload.batch_size, engine=engine, verbose=0)
    return parameters(model)


@pytest.mark.parametrize("workload", TRAINED, ids=lambda workload: workload.name)
def test_epoch(workload, benchmark):
    verify(workload)
    epoch, cpu = ours.train(workload, "kernels"), []

    def timed():
        start = time.process_time()
        epoch(1)
        cpu.append(time.process_time() - start)

    benchmark.pedantic(timed, rounds=ROUNDS, warmup_rounds=1)
    seconds = benchmark.stats.stats.median
    benchmark.extra_info |= {
        "workload": workload.name, "title": workload.title, "seconds": seconds,
        "samples/s": workload.samples / seconds, "cpu_seconds": float(np.median(cpu[1:])),
        "memory": memory.measure(workload.name),
    }  # fmt: skip


def start(folder) -> None:
    """Time from the start of a new process to the end of its first step, with its machine code in this folder."""
    environment = os.environ | {"XDG_CACHE_HOME": str(folder)}
    subprocess.run([sys.executable, "-c", FIRST_STEP], env=environment, check=True)


def test_cold_start(tmp_path, benchmark):
    benchmark.extra_info["start"] = "cold"
    benchmark.pedantic(start, (tmp_path,), rounds=1)


def test_warm_start(tmp_path, benchmark):
    benchmark.extra_info["start"] = "warm"
    start(tmp_path)
    benchmark.pedantic(start, (tmp_path,), rounds=ROUNDS)
