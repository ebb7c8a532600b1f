"""A Numba that has changed inside: one warning, a slower start, the same results. And one that must not compile."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# As if a later version had given something another name.
MISSING = {
    "a class of the compiler": "import numba.core.codegen as changed; del changed.JITCodeLibrary",
    "a class of the cache": "import numba.core.caching as changed; del changed._CacheLocator",
}

# A kernel that an entry calls, an entry that is called by its address, a prepared entry, and an announcement.
PARTS = """
import json, warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    from fastmlp.kernels.compiler import jit
import numpy as np
from numba import types
from fastmlp.kernels import simd
from fastmlp.kernels.simd import Int, Pointer, primitive

@primitive
def store(array: Pointer, place: Int, number: Int) -> None:
    (array + place).write_atomic(number)

@jit.kernel
def twice(number):
    return 2 * number

@jit.entry
def put(array, number, code):
    store(array, 0, twice(number) + code)

array, where = np.zeros(1, np.int64), np.zeros(1, np.int64)
found = []
with jit.at_first_compilation(lambda: None):
    put(array, 20, 1)
found.append(int(array[0]))

# As many parameters as the entry of an optimizer has, of which the last is a literal too.
@primitive
def call(words: Pointer, array: Pointer, number: Int, code: Int) -> None:
    words.call(array, *[number] * 9, code)

@jit.entry
def by_address(words, array, number):
    call(words, array, number, 5)

@jit.entry
def put_pointer(array, number, b, c, d, e, f, g, h, i, code):
    store(array, 0, twice(number) + code)

where[0] = jit.address(put_pointer, [types.CPointer(types.int64), *[types.int64] * 9, types.literal(5)])
by_address(where, array, 30)
found.append(int(array[0]))
jit.prepared(put, (array, 40, 2))()
found.append(int(array[0]))
print(json.dumps([found, [str(warning.message) for warning in caught]]))
"""

TRAINED = """
import warnings
warnings.simplefilter("ignore", RuntimeWarning)
from tests.kernels import trained
print(trained.digest())
"""


def start(source, **environment):
    return subprocess.run(
        [sys.executable, "-c", source],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )


def result(source):
    process = start(source)
    assert process.returncode == 0, process.stderr
    return process.stdout


def test_nothing_is_said_without_a_reason():
    assert json.loads(result(PARTS)) == [[41, 65, 82], []]


@pytest.mark.parametrize("what", MISSING)
def test_everything_works_without_the_inside_of_numba(what):
    found, warnings = json.loads(result(f"{MISSING[what]}\n{PARTS}"))
    assert found == [41, 65, 82]
    (warning,) = warnings
    assert "fastmlp does not know Numba" in warning
    assert "numba>=0.66,<0.69" in warning


@pytest.mark.slow
def test_the_bits_without_the_inside_of_numba():
    assert result(MISSING["a class of the compiler"] + TRAINED) == result(TRAINED)


def test_numba_must_compile():
    process = start("import fastmlp\nfastmlp.Sequential([fastmlp.Dense(1)]).build(2)", NUMBA_DISABLE_JIT="1")
    assert process.returncode == 1
    message = "ImportError: fastmlp: its kernels must be compiled, but NUMBA_DISABLE_JIT is set; unset it"
    assert process.stderr.splitlines()[-1] == message


def test_the_versions_of_numba_are_bounded():
    assert '"numba>=0.66,<0.69"' in (ROOT / "pyproject.toml").read_text()
