"""What fastmlp runs on, in words: for `fastmlp info` and for reports of errors."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import llvmlite
import llvmlite.binding
import numba
import numpy as np

from .. import __version__
from ..activations import ACTIVATIONS
from ..engine.team import thread_limits
from ..kernels import simd
from ..kernels.compiler import cache, prebuilt
from ..kernels.loops import gemm
from ..losses import LOSSES
from ..optimizers import OPTIMIZERS


def describe() -> dict[str, str]:
    """Facts by name, in the order in which they are shown."""
    return {
        "fastmlp": __version__,
        "CPU": f"{cpu_name()} ({llvmlite.binding.get_host_cpu_name()}), {os.cpu_count()} logical cores",
        "vectors": _vectors(),
        "tiles": _tiles(),
        "matrix unit": _matrix_unit(),
        "threads": _threads(),
        "machine code": _machine_code(),
        "cache": _cache(),
        "Python": f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        "packages": f"numpy {np.__version__}, numba {numba.__version__}, llvmlite {llvmlite.__version__}",
        "activations": ", ".join(ACTIVATIONS),
        "losses": ", ".join(LOSSES),
        "optimizers": ", ".join(OPTIMIZERS),
    }


def cpu_name() -> str:
    """The name that the maker gave it, where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()


def _vectors() -> str:
    chosen = f"{simd.FLOAT32_LANES} float32, {simd.FLOAT32_LANES // 2} float64"
    if os.environ.get("FASTMLP_LANES"):
        return f"{chosen}, from FASTMLP_LANES (the CPU has {simd.HOST_LANES} float32)"
    if missing := simd.missing_instructions():
        names = " and ".join(name.upper() for name in missing)
        return f'{chosen}, without {names}: only engine="reference" runs'
    return f"{chosen}, the widest of this CPU"


def _tiles() -> str:
    shapes = (f"{rows} x {vectors * simd.FLOAT32_LANES}" for rows, vectors in gemm.TILES.items())
    return f"{', '.join(shapes)} float32 accumulators in registers"


def _matrix_unit() -> str:
    unit = simd.matrix_unit()
    if unit.used:
        return f"{unit.why}, for products of mixed_bfloat16"
    return f"none for products of mixed_bfloat16, which float32 arithmetic computes: {unit.why}"


def _threads() -> str:
    limits = thread_limits()
    counted = ", ".join(f"{name} {number}" for name, number in limits.items())
    return f"up to {min(limits.values())}, the least of {counted}; a small network uses fewer"


def _machine_code() -> str:
    found = prebuilt.found()
    if found is None:
        return "compiled when it is first used, then kept in the cache"
    return f"of {found.folder.name}, came with the package; what it lacks is compiled"


def _cache() -> str:
    folder = cache.folder()
    if folder is None:
        return "none: every process compiles"
    size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    return f"{folder} ({size / 1e6:.1f} MB)"
