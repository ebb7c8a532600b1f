"""What a run of the benchmarks leaves, small and made up."""

from bench import peaks
from bench.workloads import WORKLOADS


def machine(threads=1, arithmetic=100e9):
    """Peaks of round figures."""
    speeds = {"L1": 200e9, "L2": 100e9, "L3": 50e9, "DRAM": 10e9}
    sizes = {"L1": 1000, "L2": 10_000, "L3": 100_000, "DRAM": None}
    memory = {
        name: {"bytes": sizes[name]} | {stream.name: speed for stream in peaks.STREAMS}
        for name, speed in speeds.items()
    }
    return {"threads": threads, "arithmetic": arithmetic, "memory": memory}


def facts(cpu):
    """Of a machine with this processor."""
    return {
        "date": "today", "CPU": cpu, "cores used": "2", "vectors": "8 float32", "fastmlp": "0.1",
        "packages": "numpy 2.4", "images": "MNIST", "system": "Linux 6 aarch64", "load before the run": "0.1",
    }  # fmt: skip


def entry(name):
    """What a race over a workload leaves: seconds of two rounds."""
    seconds = {
        "fastmlp": [1.0, 1.0], "NumPy": [4.0, 4.0], "PyTorch eager": [3.0, 3.0], "PyTorch fused": [2.0, 2.0],
        "JAX": [0.5, 0.5],
    }  # fmt: skip
    workload = WORKLOADS[name]
    return {
        "rows": workload.rows, "title": workload.title, "inputs": workload.inputs, "amx": False,
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
        "facts": facts("a CPU"),
        "quick": False,
        "failures": [["small", "ONNX Runtime", "<it> broke"]],
        "race": {"small": entry("small"), "row": entry("row")},
        "checks": [{"name": "memory", "goal": "little", "reached": "much", "met": False}],
        "small": {
            "tables": [{"title": "Epochs", "head": ["microseconds", "program"], "rows": [["iris", "41.5"]]}],
            "checks": [{"name": "a row", "goal": "at most 8 us", "reached": "6.5 us", "met": True}],
        },
        "threads": [{"width": w, "batch": b, "gain": 0.9 + w / 10, "noise": 1.0} for w in (8, 16) for b in (1, 4)],
        "growth": {"rows": [[16, 1e-4], [160, 9e-4]], "parameters": [[1000, 1e-4], [10_000, 9e-4]]},
        "accuracy": {"title": "a network", "data": "MNIST", "accuracy": [0.9, 0.99], "seconds": 2.0, "goal": 0.98},
        "mixed": {
            "title": "a network", "data": "MNIST", "seeds": 2, "goal": 0.001,
            "accuracy": {"float32": [0.98, 0.99], "mixed_bfloat16": [0.98, 0.9895]},
        },
        "kernels": kernel_figures(),
        "peaks": [machine()],
        "sweeps": {name: [point, point | {"at": 16}] for name in ("width", "batch", "cores, small")},
        "epochs": [
            {"workload": "small", "title": "a network", "seconds": 1.0, "cpu_seconds": 2.0, "samples/s": 9.0,
             "memory": sizes},
            {"start": "cold", "median": 15.0},
        ],
    }  # fmt: skip
