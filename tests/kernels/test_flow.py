"""Choices of the emitted code. Run as a program: make a choice that has no case."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fastmlp.kernels import simd
from fastmlp.kernels.simd import Int, Pointer, primitive
from tests.kernels.calls import from_python


@primitive
def _write_key(numbers: Pointer, key: Int) -> None:
    """Write the key if it is 2 or 3."""
    zeros = numbers.zeros()
    simd.choose(key, {case: lambda case=case: numbers.store_one(zeros + float(case)) for case in (2, 3)})


write_key = from_python(_write_key)


@pytest.mark.skipif(simd.CHECKED, reason="such a choice ends the process")
def test_a_key_without_a_case_does_nothing():
    numbers = np.ones(16, np.float32)
    write_key(numbers, 4)
    assert numbers[0] == 1
    write_key(numbers, 3)
    assert numbers[0] == 3


def test_a_key_without_a_case_ends_the_process_where_indices_are_checked():
    process = subprocess.run(
        [sys.executable, "-m", "tests.kernels.test_flow"],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "FASTMLP_BOUNDSCHECK": "1"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert process.returncode < 0, process.stderr
    assert process.stdout == "3.0\n"


if __name__ == "__main__":
    given = np.ones(16, np.float32)
    write_key(given, 3)
    print(given[0], flush=True)
    write_key(given, 4)
    print("not reached")
