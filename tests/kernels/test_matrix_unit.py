"""Whether the matrix unit is used, and what is said if it is not."""

import os
import subprocess
import sys

import pytest

from fastmlp.kernels.simd import amx

_HAS = frozenset({"amx-tile", "amx-bf16"})


class _Library:
    """A C library whose system calls return this."""

    def __init__(self, result):
        self.result, self.calls = result, []

    def syscall(self, *arguments):
        self.calls.append(arguments)
        return self.result


@pytest.fixture
def library(monkeypatch):
    """A Linux on a processor with AMX, which grants the tiles."""
    library = _Library(0)
    monkeypatch.setattr(amx, "FEATURES", _HAS)
    monkeypatch.setattr(amx, "_WANTED", True)
    monkeypatch.setattr(amx.sys, "platform", "linux")
    monkeypatch.setattr(amx.ctypes, "CDLL", lambda *_, **__: library)
    for name in ("CPU_NAME", "CPU_FEATURES"):
        monkeypatch.setattr(amx.numba.config, name, None)
    return library


def _asked():
    return amx.matrix_unit.__wrapped__()


def test_it_is_used_if_the_system_grants_it(library):
    assert _asked().used
    assert library.calls == [(158, 0x1023, 18)]


def test_the_system_refuses(library, monkeypatch):
    library.result = -1
    monkeypatch.setattr(amx.ctypes, "get_errno", lambda: 28)
    unit = _asked()
    assert not unit.used
    assert os.strerror(28) in unit.why


@pytest.mark.parametrize(
    ("owner", "name", "value"),
    [
        ("", "FEATURES", frozenset({"amx-tile"})), ("", "_WANTED", False), ("sys", "platform", "win32"),
        ("numba.config", "CPU_NAME", "x86-64-v4"),
    ],
)  # fmt: skip
def test_nobody_is_asked_if_it_cannot_be_used(library, monkeypatch, owner, name, value):
    target = amx
    for part in filter(None, owner.split(".")):
        target = getattr(target, part)
    monkeypatch.setattr(target, name, value)
    unit = _asked()
    assert not unit.used
    assert unit.why
    assert library.calls == []


def test_a_wrong_setting_is_refused():
    program = [sys.executable, "-c", "import fastmlp.kernels.simd"]
    failed = subprocess.run(program, env=os.environ | {"FASTMLP_AMX": "no"}, capture_output=True, text=True)
    assert "FASTMLP_AMX: expected 0" in failed.stderr
    assert "'no'" in failed.stderr
