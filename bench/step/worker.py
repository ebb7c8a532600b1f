"""A process that trains a network and measures its steps: `python -m bench.step.worker WORKLOAD THREADS`.

WORKLOAD is a workload in JSON. The process answers with the plan, then each line that it reads with one line:

run      train for an epoch   -> steps, seconds, cycles of each rank, operation and phase, a digest of the parameters
peaks    the machine's peaks  -> as `peaks.measure`
"""

import hashlib
import json
import os
import sys
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np
from numba import njit

from fastmlp.engine import team
from fastmlp.engine.buffers import aligned_zeros
from fastmlp.engine.plan import as_dicts, operation_name
from fastmlp.engine.training_run import How, TrainingRun
from fastmlp.inputs.subsets import read_subset
from fastmlp.kernels import simd
from fastmlp.kernels.program.phases import CELLS, MOST_TIMED, PHASES, RANK_WORDS
from fastmlp.kernels.schema import CONTROL_WORDS, TIMES
from fastmlp.kernels.simd import Pointer, primitive

from .. import peaks
from ..peers.ours import model
from ..workloads import Workload, data
from .work import Step, work

INTEGER = np.dtype(np.int64)


@primitive
def _clock(words: Pointer) -> int:
    """The counter that the marks of the program read."""
    return simd.clock(words).value


@njit
def _now(words):
    return _clock(words)


class Measured:
    """A network in training, whose program can be run and timed.

    Parameters
    ----------
    workload : Workload
    threads : int
        0: as many as `fit` would begin with.
    """

    def __init__(self, workload: Workload, threads: int):
        self.workload = workload
        self._model = model(workload)
        X, y = data(workload)
        self._model.fit(X, y, epochs=1, batch_size=workload.batch_size, verbose=0, threads=threads or None)
        how = How(
            optimizer=self._model.optimizer, batch_size=workload.batch_size, shuffle=False, threads=threads or None,
            engine="kernels",
        )  # fmt: skip
        subset = read_subset(self._model.data_spec, X, y)
        # In some random order, as `fit` has it: samples in their order come faster from memory.
        subset = subset._replace(rows=np.random.default_rng(0).permutation(subset.rows))
        self._run = TrainingRun(self._model.network, subset, how, can_restart=False)
        self.threads = threads or team.choose_threads(None, 3 * workload.batch_size * workload.weights)
        self._operations, self._state, *_ = self._run.prepared(1, self.threads).args
        if self._operations.size > MOST_TIMED:
            raise ValueError(
                f"network: expected at most {MOST_TIMED} operations, got {self._operations.size}"
            )
        self._sample = X[0].nbytes

    def description(self) -> dict[str, Any]:
        """The operations of the plan and the work of their phases."""
        operations = as_dicts(self._operations)
        network = self._model.network
        step = Step(
            self.workload.batch_size, network.dtype.itemsize, self._sample,
            network.slots.size // network.params.size, self._state.gradients.size > 0,
        )  # fmt: skip
        return {
            "threads": self.threads,
            "operations": [
                {"name": operation_name(op), "layer": op["layer"], "fan_in": op["fan_in"], "fan_out": op["fan_out"]}
                for op in operations
            ],
            "work": [[*place, *amount] for place, amount in work(operations, step).items()],
        }  # fmt: skip

    def run(self) -> dict[str, Any]:
        """Train for an epoch."""
        steps, control = self._run.steps_of_epoch, aligned_zeros(CONTROL_WORDS, INTEGER)
        tables = aligned_zeros(self.threads * RANK_WORDS, INTEGER)
        control[TIMES] = tables.ctypes.data
        call = partial(self._run.prepared(1, self.threads), steps)
        _now(control)
        began, start = _now(control), perf_counter()
        team.run(call, self.threads, control, amount=team.BRIEF)
        seconds, cycles = perf_counter() - start, _now(control) - began
        cells = tables.reshape(self.threads, RANK_WORDS)[:, CELLS:].reshape(self.threads, MOST_TIMED, PHASES)
        return {
            "steps": steps,
            "seconds": seconds,
            "cycles_per_second": cycles / seconds,
            "cells": cells[:, : self._operations.size].tolist(),
            "parameters": hashlib.sha256(self._model.network.params.tobytes()).hexdigest(),
        }


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # output of libraries must not mix with the answers
    fields, threads = json.loads(sys.argv[1]), int(sys.argv[2])
    measured = Measured(Workload(**fields | {"layers": tuple(fields["layers"])}), threads)
    print(json.dumps(measured.description()), file=answers, flush=True)
    for line in sys.stdin:
        answer = measured.run() if line.strip() == "run" else peaks.measure(measured.threads)
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
