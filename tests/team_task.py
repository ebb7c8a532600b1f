"""A task for teams of threads, in this process or in one of its own."""

import subprocess
import sys
from pathlib import Path

import numpy as np

from fastmlp import Dense, Dropout, Sequential

RANDOM = np.random.default_rng(0)
X, Y = RANDOM.integers(0, 256, (3_000, 40), np.uint8), RANDOM.integers(0, 5, 3_000)
LIMIT = 120  # seconds until a process counts as hanging


def model_of(seed=0, units=32):
    layers = [Dense(units, "relu"), Dropout(0.1), Dense(5, "softmax")]
    return Sequential(layers, seed=seed).build(X.shape[1])


def trained(seed=0, threads=1, epochs=2):
    """The parameters of a model after training."""
    model = model_of(seed)
    model.fit(X, Y, epochs=epochs, batch_size=70, threads=threads, verbose=0)
    return model.network.params


def script(source, *arguments):
    """What a process with this source prints."""
    process = subprocess.run(
        [sys.executable, "-c", source, *arguments],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout
