"""Random networks, each trained and used on several numbers of threads: the bits must be the same.

A digest of a network covers its parameters, optimizer state, averages and history, and what `evaluate`, `predict` and a
predictor return. Each number is a seed; what it gives does not depend on which others are run.

    python -m tests.random_networks 500                  # all of them, on 1 to 4 threads, in all widths of vectors
    python -m tests.random_networks 20 --first 100 --threads 1 3 --lanes 8

Each width has a process of its own, in which all arenas end where memory ends, and so do X, y and sample weights.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np

import fastmlp
from fastmlp import layers, optimizers
from tests.guard_pages import at_the_end, guard_arenas

ROOT = Path(__file__).parents[1]
WIDTHS = (4, 8, 16)
ACTIVATIONS = (
    "identity", "relu", "leaky_relu", "elu", "gelu", "silu", "mish", "softplus", "tanh", "sigmoid", "hard_swish",
)  # fmt: skip
OPTIMIZERS = (
    optimizers.SGD, optimizers.Adagrad, optimizers.Adadelta, optimizers.RMSprop, optimizers.Adam, optimizers.AdamW,
    optimizers.Nadam, optimizers.AMSGrad, optimizers.Lion,
)  # fmt: skip
BATCHES = (1, 2, 3, 4, 5, 7, 8, 16, 31, 64, 100, 257)


def _size(random):
    """1 to 300, small sizes as often as large ones."""
    return int(np.exp(random.uniform(0, np.log(300.999))))


def _hidden_layers(random):
    found = []
    for _ in range(int(random.integers(0, 4))):
        units, activation = _size(random), ACTIVATIONS[random.integers(len(ACTIVATIONS))]
        options = {}
        if random.random() < 0.2:
            options["regularizer"] = fastmlp.L1L2(1e-4, 1e-4)
        if random.random() < 0.2:
            options["max_norm"] = 1.5
        found.append(layers.Dense(units, activation, **options))
        extra = random.random()
        if extra < 0.15:
            found.append(layers.Dropout(float(random.uniform(0.1, 0.6))))
        elif extra < 0.3:
            found.append(layers.BatchNorm())
        elif extra < 0.4:
            found.append(layers.LayerNorm())
        elif extra < 0.5:
            found.append(layers.GaussianNoise(0.1))
    return found


def _first_layers(random):
    chosen = random.random()
    if chosen < 0.15:
        return [layers.StandardScaler()]
    return [layers.MinMaxScaler()] if chosen < 0.25 else []


def _optimizer(random):
    options = {}
    clip = random.random()
    if clip < 0.3:
        options[("clip_norm", "global_clip_norm", "clip_value")[int(clip * 10)]] = 0.5
    if random.random() < 0.15:
        options["weight_decay"] = 1e-3
    if random.random() < 0.15:
        options["ema_momentum"] = 0.9
    if random.random() < 0.2:
        return optimizers.SGD(1e-3, momentum=0.9, nesterov=bool(random.random() < 0.5), **options)
    return OPTIMIZERS[random.integers(len(OPTIMIZERS))](1e-3, **options)


def _samples(random, count, features):
    """Samples: bytes, float32 or float64, some mostly zero, some as a sparse matrix."""
    X = random.standard_normal((count, features))
    if random.random() < 0.4:
        X *= random.random(X.shape) < random.choice([0.03, 0.1, 0.3])
    kind = random.integers(4)
    if kind == 0:
        return (abs(X) * 80).clip(0, 255).astype(np.uint8)
    X = X.astype([np.float32, np.float64][random.integers(2)])
    if kind == 1:
        from scipy.sparse import csr_array

        return csr_array(X)
    return X


def digest(seed, threads, placed):
    """SHA-256 of all that training and use of a network give on this number of threads.

    `placed` is applied to every array that the program reads.
    """
    random = np.random.default_rng(seed)
    count, features, outputs = int(random.integers(1, 150)), _size(random), int(random.integers(1, 13))
    X = _samples(random, count, features)
    if random.random() < 0.5 and outputs > 1:
        y, last, loss = random.integers(0, outputs, count), "softmax", "cross_entropy"
    else:
        y, last = random.standard_normal((count, outputs)), "identity"
        loss = str(random.choice(["mean_squared_error", "mean_absolute_error", "huber", "log_cosh"]))
    X, y = placed(X) if isinstance(X, np.ndarray) else X, placed(y)
    dtype = str(random.choice(["float32", "float64", "mixed_bfloat16"]))
    model = fastmlp.Sequential(
        [*_first_layers(random), *_hidden_layers(random), layers.Dense(outputs, last)],
        optimizer=_optimizer(random), loss=loss, seed=seed, dtype=dtype,
    )  # fmt: skip
    options = {"epochs": 2, "batch_size": int(random.choice(BATCHES)), "threads": threads, "verbose": 0}
    options["keep_gradients"] = bool(random.random() < 0.2)
    if random.random() < 0.2:
        options["sample_weight"] = placed(random.random(count) + 0.1)
    try:
        history = model.fit(X, y, **options)
    except fastmlp.TrainingDiverged as error:
        return f"diverged: {error}"
    sha, network = hashlib.sha256(), model.network
    for arena in (network.params, network.slots, network.averages):
        sha.update(arena.tobytes())
    scores = model.evaluate(X, y, threads=threads)
    sha.update(repr([history["loss"], scores]).encode())
    sha.update(model.predict(X, threads=threads).tobytes())
    row = X[0] if isinstance(X, np.ndarray) else X.toarray()[0]
    sha.update(model.predictor()(row).tobytes())
    return sha.hexdigest()


def run(seeds, threads):
    """Print the digests of each seed, and return the seeds whose bits depend on the number of threads."""
    guard_arenas()
    unequal = []
    for seed in seeds:
        print(seed, end=" ", flush=True)  # before it runs: the last seed is that which ended the process
        found = {digest(seed, size, at_the_end) for size in threads}
        print(*found, flush=True)
        if len(found) > 1:
            unequal.append(seed)
    return unequal


def start(count, first, threads, lanes=None):
    """A process that runs these networks in vectors of this width; None is that of this machine."""
    command = [
        sys.executable, "-m", "tests.random_networks", count, "--first", first, "--threads", *threads, "--here",
    ]  # fmt: skip
    width = {} if lanes is None else {"FASTMLP_LANES": str(lanes)}
    return subprocess.Popen(
        [*map(str, command)], cwd=ROOT, env={**os.environ, **width},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def result(process):
    """The lines that a process printed, one for each network; an AssertionError if it ended early or bits differ."""
    printed, errors = process.communicate()
    code = process.returncode
    assert code >= 0, f"ended by signal {-code} in network {printed.splitlines()[-1:]}"
    assert code == 0, errors
    return printed.splitlines()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("count", type=int)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2, 3, 4])
    parser.add_argument("--lanes", type=int, nargs="+", default=WIDTHS)
    parser.add_argument(
        "--here", action="store_true", help="in this process, in the width of its environment"
    )
    options = parser.parse_args()
    if options.here:
        warnings.simplefilter("ignore")
        unequal = run(range(options.first, options.first + options.count), options.threads)
        sys.exit(f"the number of threads changes the bits of {unequal}" if unequal else 0)
    lines = [result(start(options.count, options.first, options.threads, lanes)) for lanes in options.lanes]
    assert all(other == lines[0] for other in lines), "the width of the vectors changes the bits"
    diverged = sum("diverged" in line for line in lines[0])
    whole = hashlib.sha256("\n".join(lines[0]).encode()).hexdigest()
    print(
        f"{len(lines[0])} networks ({diverged} diverged): the same bits on {options.threads} threads and in vectors"
    )
    print(f"of {list(options.lanes)} lanes, and no access out of bounds; digest {whole[:16]}")


if __name__ == "__main__":
    main()
