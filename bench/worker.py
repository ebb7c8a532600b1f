"""The process of a rival: `python -m bench.worker MODULE MODE CORES` answers each line that it reads with one line.

{"workload": ...}                  prepare it                 -> {}
{"calls": 5, "seconds": 0.2}       run it that many times,    -> {"seconds": ..., "cpu_seconds": ...}, a call
                                   or until the time is up
"""

import importlib
import json
import os
import sys
import time
from statistics import median

from .peers import Run

BLOCKS = 10  # of a measurement
WRONG = 1e-4  # largest difference of outputs from double precision, relative to the largest output


def main() -> None:
    module, mode, cores = sys.argv[1:]
    if int(cores):
        # Before any import: libraries count the cores when they are loaded.
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(cores)])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # output of libraries must not mix with the answers
    run = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if "workload" in request:
                run = prepare(module, mode, request["workload"])
                answer = {}
            else:
                answer = measure(run, request["calls"], request["seconds"])
        except Exception as error:
            answer = {"failure": f"{type(error).__name__}: {error}".splitlines()[0]}
        print(json.dumps(answer), file=answers, flush=True)


def prepare(module: str, mode: str, fields: dict) -> Run:
    """A function that runs the workload; it has run once, and its outputs are correct, its loss is finite."""
    import numpy as np

    from .workloads import Workload, as_floats, data, outputs

    workload = Workload(**fields | {"layers": tuple(fields["layers"])})
    run = getattr(importlib.import_module(f"bench.peers.{module}"), workload.task)(workload, mode)
    given = run(1)
    if workload.task == "train":
        if not np.isfinite(float(given)):
            raise ArithmeticError(f"the loss is {float(given)} after one epoch")
    else:
        expected = outputs(workload, as_floats(data(workload)[0][: workload.batch_size]))
        error = np.abs(np.asarray(given).reshape(expected.shape) - expected).max()
        if not error <= WRONG * np.abs(expected).max():
            raise ArithmeticError(f"outputs are off by {error:.2g}")
    return run


def measure(run: Run, calls: int, seconds: float) -> dict[str, float]:
    """Seconds per call, the median over blocks of calls; and processor time per call, over all threads.

    Blocks, because a library that trains several epochs in one call checks its arguments once.
    """
    clock, times, done = time.perf_counter, [], 0
    begin, cpu = clock(), time.process_time()
    while done < calls and (not times or clock() - begin < seconds):
        block = int(min(max(1, seconds / BLOCKS / times[0]), calls - done)) if times else 1
        start = clock()
        run(block)
        times.append((clock() - start) / block)
        done += block
    return {"seconds": median(times), "cpu_seconds": (time.process_time() - cpu) / done}


if __name__ == "__main__":
    main()
