"""Facts about the machine and the versions, for the report."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

from fastmlp.cli.system_info import describe
from fastmlp.engine import processor, team
from fastmlp.kernels import simd

from .rivals import ROOT

PACKAGES = ("numpy", "numba", "torch", "jax", "scikit-learn", "onnxruntime", "scipy")


def gather() -> dict[str, str]:
    """Facts by name, in the order of the report."""
    ours = describe()
    sizes = processor.caches()
    caches = ", ".join(f"{level} {size >> 10:,} KiB" for level, size in sizes.items())
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "fastmlp": f"{ours['fastmlp']}, commit {_commit()}",
        "CPU": ours["CPU"],
        "cores used": str(min(team.thread_limits().values())),
        "vectors": ours["vectors"],
        "matrix unit": simd.matrix_unit().why,
        "caches": caches,
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.1f} GiB",
        "load before the run": f"{os.getloadavg()[0]:.2f}",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "Python": platform.python_version(),
        "packages": ", ".join(f"{name} {_version(name)}" for name in PACKAGES),
        "images": "MNIST"
        if os.environ.get("FASTMLP_MNIST")
        else "synthetic digits (FASTMLP_MNIST is not set)",
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _commit() -> str:
    """The commit, and whether the working tree has changes."""

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout

    try:
        changed = git("status", "--porcelain", "--untracked-files=no").strip()
        return git("rev-parse", "--short", "HEAD").strip() + (" and changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
