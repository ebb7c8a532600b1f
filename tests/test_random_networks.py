"""Random networks: the same bits on 1 to 4 threads and in vectors of any width, and no access out of bounds.

All arenas and data end where memory ends, in processes of their own, since such an access ends the process.
"""

import signal
import subprocess
import sys

import numpy as np
import pytest

from tests.guard_pages import at_the_end, guarded_zeros
from tests.random_networks import ROOT, WIDTHS, result, start

pytestmark = pytest.mark.survives("R25")

CRASH = """
import sys
import numpy as np
from fastmlp.kernels import schema
from tests import guard_pages

room = sys.argv[1]
if room != "all":
    schema.ROOM = int(room)
guard_pages.guard_arenas()
import fastmlp

X = guard_pages.at_the_end(np.random.default_rng(0).random((1, 65)))
layers = [fastmlp.Dense(2, "relu"), fastmlp.Dense(242, "relu"), fastmlp.Dense(5, "relu"), fastmlp.Dense(1)]
model = fastmlp.Sequential(layers, loss="mean_squared_error", dtype="float64")
model.fit(X, [[0.3]], epochs=1, batch_size=1, verbose=0)
model.predictor()(X[0])
"""


def test_some_networks():
    assert len(result(start(20, 0, [1, 2, 3, 4]))) == 20


def test_the_guard_sees_reads_behind_an_arena():
    """Without the room that they have, the masks of small batches and predictors read where they must not."""
    codes = [
        subprocess.run([sys.executable, "-c", CRASH, room], cwd=ROOT).returncode for room in ("all", "0")
    ]
    assert codes == [0, -signal.SIGSEGV]


def test_guarded_arrays_hold_what_is_written():
    array = guarded_zeros(100, np.dtype(np.float64))
    assert not array.any()
    array[-1] = 3
    assert np.array_equal(at_the_end(array), array)


@pytest.mark.slow
def test_500_networks_in_every_width():
    """`python -m tests.random_networks 500` does the same, and prints what it found."""
    runs = [start(500, 0, [1, 2, 3, 4], lanes) for lanes in WIDTHS]
    lines = [result(run) for run in runs]
    assert len(lines[0]) == 500
    assert all(other == lines[0] for other in lines)
