"""Everything that calls compiled code, once: `python -m tests.every_entry` says what had to be compiled for it.

It prints one JSON object: `compiled`, the entries and kernels that Numba compiled; `unlisted`, the entries that were
called with other types than the catalogue says; and `first_step`, the seconds from the start of the process to the end
of the first step.
"""

import json
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numba.core import event

import fastmlp
from fastmlp import BatchNorm, Dense, Dropout, Flatten, Sequential, StandardScaler
from fastmlp.optimizers import OPTIMIZERS


class Compiled(event.Listener):
    """Notes what Numba starts to compile."""

    def __init__(self):
        self.names = []

    def on_start(self, event):
        dispatcher = event.data["dispatcher"]
        self.names.append(
            f"{dispatcher.py_func.__module__}.{dispatcher.py_func.__qualname__}{event.data['args']}"
        )

    def on_end(self, event):
        pass


def seconds_since_start():
    """Wall time since this process was started, that of Python's own start included; on Linux."""
    ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / 100


def first_step():
    """Build a network and train a step."""
    X = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")
    Sequential([Dense(16, "relu"), Dense(3, "softmax")]).fit(X, np.arange(32) % 3, epochs=1, verbose=0)


def with_images(folder, dtype):
    """Train on images, evaluate, predict, and predict single samples with a network that was saved."""
    X, y = fastmlp.synthetic_digits(40)
    layers = [Flatten(), StandardScaler(), Dense(8, initializer="orthogonal"), BatchNorm(), Dropout(0.1)]
    model = Sequential([*layers, Dense(10, "softmax")], dtype=dtype, seed=2**63 - 1)
    model.fit(X, y, epochs=2, batch_size=16, validation_split=0.25, sample_weight=np.ones(40), verbose=0)
    model.evaluate(X, y)
    model.predict(X)
    model.predict(X[:1])
    model.save(folder / "model.safetensors")
    fastmlp.load(folder / "model.safetensors").predictor()(X[0])


def with_a_table(folder, dtype):
    """Read a table, divide it, train with every optimizer, by hand, and look for a learning rate."""
    (folder / "table.csv").write_text("a,b,target\n" + "1,2,0.5\n3,4,1.5\n" * 10)
    table = fastmlp.load_csv(folder / "table.csv", targets="target")
    train, test, y, _ = fastmlp.train_test_split(table.X, table.y)
    for optimizer in OPTIMIZERS:
        model = Sequential(
            [Dense(4, "tanh"), Dense(1)], loss="mean_squared_error", dtype=dtype, optimizer=optimizer
        )
        model.fit(train, y, epochs=1, verbose=0)
    ensemble = fastmlp.Ensemble.of(Sequential([Dense(1)], dtype=dtype), 2)
    for resample in ("bootstrap", "folds"):
        ensemble.fit(train, y, epochs=1, resample=resample, verbose=0)
    ensemble.predict_std(test)
    fastmlp.fit_many([model], train, y, epochs=1, verbose=0)
    model.backward(np.ones_like(model.forward(test)))
    model.optimizer.step(model)
    fastmlp.find_learning_rate(model, train, y)
    if find_spec("scipy"):
        from scipy.sparse import csr_array

        model.fit(csr_array(train), y, epochs=1, verbose=0)
        model.predict(csr_array(test))


def unlisted(dtypes):
    """The entries that this process has called with types that are not in the catalogue."""
    from fastmlp.engine.catalogue import compilations
    from fastmlp.kernels.compiler.jit import ENTRIES

    listed = {(each.entry.py_func, each.types) for each in compilations(dtypes)}
    called = {(entry.py_func, types) for entry in ENTRIES.values() for types in entry.overloads}
    return sorted(function.__qualname__ for function, _ in called - listed)


def main(dtypes):
    """Run all of it, and say what was compiled and how long the first step took."""
    listener = Compiled()
    with event.install_listener("numba:compile", listener), TemporaryDirectory() as folder:
        first_step()
        seconds = seconds_since_start()
        for dtype in dtypes:
            with_images(Path(folder), dtype)
            with_a_table(Path(folder), dtype)
    print(json.dumps({"compiled": listener.names, "unlisted": unlisted(dtypes), "first_step": seconds}))


if __name__ == "__main__":
    main(sys.argv[1:])
