"""R22: another library sets flush-to-zero in a thread of the process; no bit of ours depends on it."""

import hashlib
import platform
from contextlib import contextmanager

import numpy as np
import pytest
from numba import njit

from fastmlp import Dense, Sequential
from fastmlp.kernels import simd
from fastmlp.kernels.simd import Int, Pointer, primitive

ANY = np.zeros(1)  # primitives take an array
FLUSH = {
    "x86_64": 0x8040,
    "amd64": 0x8040,
    "aarch64": 1 << 24,
    "arm64": 1 << 24,
}  # MXCSR: FTZ and DAZ; FPCR: FZ
MACHINE = platform.machine().lower()

pytestmark = [
    pytest.mark.survives("R22"),
    pytest.mark.skipif(MACHINE not in FLUSH, reason="no control register is known for this processor"),
]


@primitive
def _read(words: Pointer) -> int:
    return simd.read_float_mode(words).value


@primitive
def _write(words: Pointer, mode: Int) -> None:
    simd.write_float_mode(mode)


@njit
def mode_of_this_thread(words):
    return _read(words)


@njit
def set_mode(words, mode):
    _write(words, mode)


@contextmanager
def mode_of_another_library(bits):
    """Set bits of the control register of this thread, as a library does that is loaded."""
    before = mode_of_this_thread(ANY)
    set_mode(ANY, before | bits)
    try:
        yield
        assert mode_of_this_thread(ANY) & bits == bits  # what is theirs stays
    finally:
        set_mode(ANY, before)


def digest(threads):
    """What training and use give; the products are denormal numbers."""
    random = np.random.default_rng(0)
    X = (random.standard_normal((60, 20)) * 1e-20).astype(np.float32)
    model = Sequential([Dense(33), Dense(2)], optimizer="adagrad", loss="mean_squared_error").build(20)
    model.layers[0].weight = model.layers[0].weight * np.float32(1e-20)
    model.fit(X, random.standard_normal((60, 2)), epochs=2, batch_size=15, threads=threads, verbose=0)
    sha = hashlib.sha256(model.network.params.tobytes())
    sha.update(model.predict(X, threads=threads).tobytes())
    sha.update(model.predictor()(X[0]).tobytes())
    outputs = model.forward(X)
    sha.update(outputs.tobytes())
    model.backward(outputs)
    sha.update(model.network.gradients.tobytes())
    return sha.hexdigest()


def test_the_mode_matters_to_these_numbers():
    numbers = np.full(4, 1e-30, np.float32)
    assert (numbers * np.float32(1e-10)).all()
    with mode_of_another_library(FLUSH[MACHINE]):
        assert not (numbers * np.float32(1e-10)).any()


def test_the_same_bits_in_any_mode():
    expected = digest(1)
    assert digest(2) == expected  # these threads start before
    with mode_of_another_library(FLUSH[MACHINE]):
        assert [digest(threads) for threads in (1, 2, 5)] == [expected] * 3  # and some start now
