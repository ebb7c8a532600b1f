"""x86-64 without AVX2 or FMA: one clear error before anything is compiled, and NumPy computes."""

import platform
import subprocess
import sys

import pytest

from fastmlp.cli import system_info, warm_up
from fastmlp.kernels.program import operation_code
from fastmlp.kernels.simd import host

pytestmark = pytest.mark.skipif(
    platform.machine().lower() not in {"x86_64", "amd64"}, reason="these instructions are those of x86-64"
)

# Numba then compiles for any x86-64, as on a processor from before 2013.
PROGRAM = """
import numpy as np
from fastmlp import Dense, Sequential

X, y = np.random.default_rng(0).random((20, 3)), np.arange(20) % 2
model = Sequential([Dense(4, "relu"), Dense(2, "softmax")])
model.fit(X, y, engine="reference", verbose=0)
assert model.predict(X, engine="reference").shape == (20, 2)
assert model.evaluate(X, y, engine="reference")["loss"] > 0
before = model.layers[0].weight.copy()
calls = [
    lambda: model.fit(X, y, verbose=0), lambda: model.predict(X), lambda: model.predictor(),
    lambda: model.evaluate(X, y), lambda: model.forward(X), lambda: model.predict(X[:1]),
]
for call in calls:
    try:
        call()
        raise SystemExit("no error")
    except ImportError as error:
        assert "expected a processor with AVX2 and FMA" in str(error), error
        assert "got one without AVX2 and FMA" in str(error), error
        assert 'engine="reference"' in str(error), error
assert np.array_equal(before, model.layers[0].weight)
"""


def test_only_the_reference_runs():
    environment = {"NUMBA_CPU_NAME": "generic"}
    run = subprocess.run(
        [sys.executable, "-c", f"import os; os.environ |= {environment}\n{PROGRAM}"],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr or run.stdout


@pytest.mark.parametrize("lost", [{"fma"}, {"avx2"}, {"fma", "avx2", "avx"}], ids=str)
def test_nothing_is_compiled_without_one_of_them(lost, monkeypatch):
    monkeypatch.setattr(host, "FEATURES", host.FEATURES - lost)
    names = " and ".join(name.upper() for name in ("avx2", "fma") if name in lost)
    for call in (lambda: operation_code.link(None, None), warm_up.warm_all):
        with pytest.raises(ImportError, match=f"got one without {names}; fit"):
            call()
    assert f'without {names}: only engine="reference" runs' in system_info.describe()["vectors"]


def test_other_processors_need_none_of_them(monkeypatch):
    monkeypatch.setattr(host, "FEATURES", frozenset())
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    host.require_instructions()
