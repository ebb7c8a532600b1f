"""The promise: the same bits for any number of threads, any width of vectors, fused or materialised gradient.

In mixed precision, also with and without the matrix unit of the processor.

A digest is the SHA-256 of all parameters after two epochs: of each layer its weights, then its biases, as
little-endian float32 without padding. Whoever changes the order of a sum or a random number on purpose puts
what this prints in the place of `DIGESTS`, and says so in the change log:

    FASTMLP_MNIST=<folder of the four files> python -m tests.test_bits
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from fastmlp import Dense, Dropout, Flatten, Sequential, synthetic_digits
from fastmlp.kernels import simd
from tests.mnist import FOLDER, mnist, needs_mnist

DIGESTS = {
    "synthetic-100": "87a91ffacd8e8995b18c52b978895d7df162154e7a3cfeb5c19a191563563d67",
    "synthetic-96": "52365e8ba8f1280efbc17792cb0d1bf9c6789a32923492b33490109336a9a95d",
    "synthetic-100-mixed": "ff88d4d068322d7ad0a5a34da34ef8a58eb802b15ef3fbf8980e309aa7827b57",
    "mnist-100": "360d64563e25cbcccc605bcb2b43e08e47b95a512ac5ffbb57258029a33653c7",
    "mnist-96": "1a570d135d3fff05382f7bae3f91bf1c1bbc39816d09e0bfd88838b237804068",
}


class Run(NamedTuple):
    """What is trained. 6,000 and 59,990 are no multiples of 96, so their last batch is smaller."""

    data: str
    samples: int
    batch_size: int
    dtype: str = "float32"


RUNS = {
    "synthetic-100": Run("synthetic", 6_000, 100),
    "synthetic-96": Run("synthetic", 6_000, 96),
    "synthetic-100-mixed": Run("synthetic", 6_000, 100, "mixed_bfloat16"),
    "mnist-100": Run("mnist", 60_000, 100),
    "mnist-96": Run("mnist", 59_990, 96),
}
NAMES = [pytest.param(name, marks=needs_mnist if run.data == "mnist" else ()) for name, run in RUNS.items()]


def images(run):
    """The images of a run and their labels."""
    if run.data == "synthetic":
        return synthetic_digits(run.samples)
    return mnist().x_train[: run.samples], mnist().y_train[: run.samples]


def digest(model):
    """SHA-256 of all parameters."""
    sha = hashlib.sha256()
    for layer in model.layers:
        for array in layer.parameters.values():
            sha.update(array.astype("<f4").tobytes())
    return sha.hexdigest()


def train(run, **options):
    """The digest of a run."""
    model = Sequential(
        [Flatten(), Dense(128, "relu"), Dropout(0.1), Dense(64, "relu"), Dropout(0.1), Dense(10, "softmax")],
        optimizer="adam",
        seed=1,
        dtype=run.dtype,
    )
    model.fit(*images(run), epochs=2, batch_size=run.batch_size, verbose=0, **options)
    return digest(model)


def all_digests():
    """The digests of all runs whose data are here."""
    return {name: train(run) for name, run in RUNS.items() if run.data != "mnist" or FOLDER is not None}


@pytest.mark.parametrize("threads", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("name", NAMES)
def test_threads(name, threads):
    assert train(RUNS[name], threads=threads) == DIGESTS[name]


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("name", NAMES)
def test_materialised_gradient(name, threads):
    assert train(RUNS[name], threads=threads, keep_gradients=True) == DIGESTS[name]


# Other instructions than this process uses, by what the environment says.
OTHERS = {
    **{
        f"{lanes} lanes": {"FASTMLP_LANES": str(lanes)} for lanes in sorted({4, 8, 16} - {simd.FLOAT32_LANES})
    },
    "no matrix unit": {"FASTMLP_AMX": "0"},
}


@pytest.fixture(scope="module")
def of_others():
    """The digests of processes with other instructions, which start at once."""
    running = {
        name: subprocess.Popen(
            [sys.executable, "-m", "tests.test_bits"],
            cwd=Path(__file__).parents[1],
            env={**os.environ, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name, variables in OTHERS.items()
    }
    results = {name: process.communicate(timeout=900) for name, process in running.items()}
    assert not any(process.returncode for process in running.values()), [err for _, err in results.values()]
    return {name: json.loads(output) for name, (output, _) in results.items()}


@pytest.mark.parametrize("name", OTHERS)
def test_other_instructions(name, of_others):
    digests = of_others[name]
    assert digests == {name: DIGESTS[name] for name in digests}
    assert digests


if __name__ == "__main__":
    print(json.dumps(all_digests(), indent=4))
