"""Promises of the whole: the same bits for any width of vectors; no index out of bounds."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numba.core.errors import TypingError

from fastmlp.kernels import simd
from fastmlp.kernels.compiler import jit
from tests.kernels import trained
from tests.kernels.calls import from_python

ROOT = Path(__file__).parents[2]
OTHER_WIDTHS = [lanes for lanes in (4, 8, 16) if lanes != simd.FLOAT32_LANES]


@pytest.fixture(scope="module")
def others():
    """The digests of other processes, which all start at once, by what their environment says."""
    settings = [f"FASTMLP_LANES={lanes}" for lanes in OTHER_WIDTHS] + ["FASTMLP_BOUNDSCHECK=1"]
    running = {}
    for setting in settings:
        name, number = setting.split("=")
        running[setting] = subprocess.Popen(
            [sys.executable, "-m", "tests.kernels.trained"], cwd=ROOT, env=os.environ | {name: number},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
    results = {setting: process.communicate() for setting, process in running.items()}
    failed = {setting: results[setting][1] for setting, process in running.items() if process.returncode}
    assert not failed, "\n".join(f"{setting}: {error}" for setting, error in failed.items())
    return {setting: output.strip() for setting, (output, _) in results.items()}


@pytest.fixture(scope="module")
def digest():
    return trained.digest()


@pytest.mark.parametrize("lanes", OTHER_WIDTHS)
def test_the_same_bits_for_any_width_of_vectors(lanes, others, digest):
    assert others[f"FASTMLP_LANES={lanes}"] == digest


def test_no_index_is_out_of_bounds(others, digest):
    """Numba checks what kernels index; what they hand to the emitted code is beyond its reach."""
    assert others["FASTMLP_BOUNDSCHECK=1"] == digest


def test_nothing_is_allocated_and_no_reference_counted():
    @jit.kernel
    def allocates():
        return np.zeros(3).sum()

    with pytest.raises(TypingError, match="empty"):
        from_python(allocates)()
    assert jit.ENTRIES
    assert all(dispatcher.targetoptions["_nrt"] is False for dispatcher in jit.ENTRIES.values())
