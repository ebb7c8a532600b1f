"""The commands of the command line: one function each, called with the parsed options."""

from __future__ import annotations

import atexit
import json
import os
import sys
import threading
from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from . import machine, warming
from .atomic import atomic_write
from .data import DataSet, load_idx_folder, load_mnist, load_synthetic
from .errors import Interrupted, TrainingDiverged, UsageError
from .kernels import cache, schema
from .layers import Dense, Dropout, Flatten, Layer
from .model import Sequential, load
from .names import look_up
from .network import ENGINES, choose_size
from .optimizers import get_optimizer
from .run_folder import RunFolder
from .splitting import split_rows

TRAINING_IMAGES, TEST_IMAGES = 60_000, 10_000  # of the synthetic data, as many as MNIST has


def train(options: Namespace) -> None:
    """Train a network, say how good it is on the test images, save it with its history."""
    model = _describe(options)
    data = _load_data(options.data, training=options.samples)
    kept = _check_split(len(data.x_train), options.validation_split, options.seed)
    model.add(Dense(int(max(data.y_train.max(), data.y_test.max())) + 1, "softmax"))
    model.build(data.x_train.shape[1:])
    folder = RunFolder.prepare(options.out, overwrite=options.overwrite)
    try:
        _print_task(options, model, data, kept, folder)
        if options.engine == "kernels":
            _interruptible(lambda: warming.warm_training(on_compile=_say_compiling))
        _fit(model, data, options, folder)
        paths = folder.save(model)
        scores = model.evaluate(data.x_test, data.y_test, threads=options.threads, engine=options.engine)
        print(f"test accuracy {scores['accuracy']:.4f}, loss {scores['loss']:.4f}", *paths, sep="\n")
    finally:
        folder.remove_if_empty()


def evaluate(options: Namespace) -> None:
    """Print loss and score of a saved model on the test images."""
    model = load(options.model)
    data = _load_data(options.data, training=0, test=options.samples)
    scores = model.evaluate(data.x_test, data.y_test, threads=options.threads)
    if options.json:
        print(json.dumps(scores))
    else:
        _print_table({name: f"{value:.4f}" for name, value in scores.items()})


def predict(options: Namespace) -> None:
    """Write index, class and probability of each test image as CSV."""
    model = load(options.model)
    if model.plan.operations[-1]["kind"] != schema.SOFTMAX:
        raise UsageError(
            f"{options.model}: expected a model that ends in softmax, as only that gives classes"
        )
    data = _load_data(options.data, training=0, test=options.samples)
    probabilities = model.predict(data.x_test, threads=options.threads)
    classes = probabilities.argmax(axis=1)
    rows = zip(classes, probabilities.max(axis=1), strict=True)
    lines = ["index,class,probability", *(f"{i},{c},{p:.6f}" for i, (c, p) in enumerate(rows))]
    text = "\n".join(lines) + "\n"
    if options.out is None:
        sys.stdout.write(text)
        return
    with atomic_write(options.out) as file:
        file.write(text.encode())
    print(f"{options.out}: {len(classes):,} predictions")


def info(options: Namespace) -> None:
    """Print what fastmlp runs on."""
    _print_table(machine.describe())


def warm(options: Namespace) -> None:
    """Compile every kernel, so that later processes only load them."""
    dtypes = ("float32", "float64") if options.float64 else ("float32",)
    done = _interruptible(lambda: warming.warm_all(dtypes, on_compile=_say_compiling))
    folder = cache.folder()
    kept = "not kept, as there is no cache folder" if folder is None else f"kept in {folder}"
    if done.compiled:
        print(f"compiled {done.compiled} kernels in {done.seconds:.1f} s, {kept}")
    else:
        print(f"nothing to compile: {done.loaded} kernels loaded in {done.seconds:.1f} s, {kept}")


def _describe(options: Namespace) -> Sequential:
    """The network but for its last layer, which depends on the data."""
    try:
        look_up("engine", options.engine, ENGINES)
        layers: list[Layer] = [Flatten()]
        for units in options.layers:
            layers.append(Dense(units, options.activation))
            if options.dropout:
                layers.append(Dropout(options.dropout))
        optimizer = get_optimizer(options.optimizer)
        if options.lr is not None:
            optimizer = replace(optimizer, learning_rate=options.lr)
        return Sequential(layers, optimizer=optimizer, seed=options.seed)
    except ValueError as error:
        raise UsageError(str(error)) from error


def _load_data(name: str, *, training: int | None = None, test: int | None = None) -> DataSet:
    """The first images of a data set; None is all of them."""
    if name == "synthetic":
        return load_synthetic(
            TRAINING_IMAGES if training is None else training, TEST_IMAGES if test is None else test
        )
    if name == "mnist":
        data = load_mnist()
    elif Path(name).is_dir():
        data = load_idx_folder(name)
    else:
        raise UsageError(
            f"--data: expected synthetic, mnist or a folder with the four files of a data set, got {name!r}"
        )
    return replace(
        data, x_train=data.x_train[:training], y_train=data.y_train[:training],
        x_test=data.x_test[:test], y_test=data.y_test[:test],
    )  # fmt: skip


def _check_split(images: int, share: float, seed: int) -> int:
    """How many of the training images are kept for validation."""
    if share == 0:
        return 0
    try:
        return len(split_rows(images, share, seed, np.zeros(0, np.int64))[1])
    except ValueError as error:
        raise UsageError(str(error).replace("validation_split", "--validation-split")) from error


def _fit(model: Sequential, data: DataSet, options: Namespace, folder: RunFolder) -> None:
    """Train; if that ends early, save what there is before the error goes on its way."""
    try:
        model.fit(
            data.x_train, data.y_train, epochs=options.epochs, batch_size=options.batch_size,
            validation_split=options.validation_split,
            threads=options.threads, engine=options.engine,
        )  # fmt: skip
    except (KeyboardInterrupt, TrainingDiverged) as error:
        # After a divergence in the first epoch the weights are those from before any training.
        interrupted = isinstance(error, KeyboardInterrupt)
        if len(model.history) or (interrupted and max(model.network.steps)):
            folder.save(model)
            error.add_note(f"the model is saved in {folder.path}; whole epochs so far: {len(model.history)}")
        raise


def _interruptible(work: Callable[[], Any]) -> Any:
    """Call a function in another thread, as compiling does not listen to Ctrl-C."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append(work())
        except Exception as error:
            outcome.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        thread.join()
    except Interrupted as interruption:
        code = interruption.exit_code
        # A thread that is inside the compiler at the end of the process would crash as its memory goes away.
        atexit.register(lambda: os._exit(code) if thread.is_alive() else None)
        raise
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    return outcome[0]


def _say_compiling() -> None:
    print("compiling the kernels, once for this version of fastmlp ...", file=sys.stderr, flush=True)


def _print_task(options: Namespace, model: Sequential, data: DataSet, kept: int, folder: RunFolder) -> None:
    """What is going to be trained."""
    network = model.network
    training = len(data.x_train) - kept
    batch = min(options.batch_size, training)
    split = {"training": training, "validation": kept, "test": len(data.x_test)}
    counts = ", ".join(f"{count:,} {name}" for name, count in split.items() if count)
    widths = [network.features, *options.layers, network.outputs]
    dropout = f", dropout {options.dropout:g}" if options.dropout else ""
    rate = f"learning rate {model.optimizer.learning_rate:g}"
    threads = choose_size(options.engine, options.threads, network.work(batch, 3))
    _print_table(
        {
            "data": f"{data.name}: {counts} images of {' x '.join(map(str, network.input_shape))} pixels",
            "network": f"{'-'.join(map(str, widths))}, {options.activation}{dropout}, "
            f"{model.parameters:,} parameters",
            "training": f"{options.optimizer}, {rate}, batch size {batch}, epochs {options.epochs}, "
            f"seed {options.seed}",
            "threads": f"{threads}, engine {options.engine}",
            "results": str(folder.path),
        }
    )


def _print_table(facts: dict[str, str]) -> None:
    width = max(map(len, facts))
    print(*(f"{name:<{width}}  {value}" for name, value in facts.items()), sep="\n", flush=True)
