"""Memory of training beyond the data: `python -m bench.memory WORKLOAD` prints the bytes that one process needs.

Measured is the peak of resident memory during one epoch, minus the memory in use once the data and the machine code
have been loaded (by training a small network on some of the data).
"""

import gc
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np

from .rivals import ROOT
from .workloads import WORKLOADS, data


def measure(name: str) -> dict[str, int]:
    """Bytes of a workload in a new process: `peak`, and for comparison `parameters` and `workspace`.

    Raises
    ------
    RuntimeError
        If the system does not report it.
    """
    command = [sys.executable, "-m", "bench.memory", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr.strip().splitlines()[-1]}")
    return json.loads(done.stdout)


def _resident(field: str) -> int:
    """Bytes of resident memory: `VmRSS` now, `VmHWM` at its peak."""
    (kilobytes,) = re.findall(rf"^{field}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    return 1024 * int(kilobytes)


def main() -> None:
    from fastmlp.engine.layer_lowering import lower
    from fastmlp.inputs.samples import as_samples

    from .peers import ours

    workload = WORKLOADS[sys.argv[1]]
    X, y = data(workload)
    few = workload.batch_size + 1
    small = ours.model(workload._replace(layers=(workload.layers[0], 8, workload.layers[-1])))
    small.fit(X[:few], y[:few], epochs=1, batch_size=workload.batch_size, threads=2, verbose=0)
    del small
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # reset the peak
    before = _resident("VmRSS")
    model = ours.model(workload)
    model.fit(X, y, epochs=1, batch_size=workload.batch_size, verbose=0)
    peak = _resident("VmHWM") - before
    single = np.dtype(np.float32)
    plan = lower(
        model.layers, workload.sample_shape, workload.batch_size, single,
        loss=model.loss.formula(labels=True), training=True, sparse_input=as_samples(X, single).sparse,
    )  # fmt: skip
    sizes = {
        "parameters": workload.parameters * single.itemsize,
        "workspace": plan.workspace * single.itemsize,
    }
    print(json.dumps({"peak": peak, "data": X.nbytes + y.nbytes, **sizes}))


if __name__ == "__main__":
    main()
