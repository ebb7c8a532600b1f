"""The commands of the command line: a function for each, called with the parsed options."""

from __future__ import annotations

import atexit
import csv
import io
import json
import math
import os
import sys
import threading
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from ..data import DataSet
from ..engine.compilation import say_compiling
from ..engine.run_arguments import team_size, work
from ..errors import Interrupted, TrainingDiverged, UsageError
from ..files.atomic import atomic_write
from ..inputs.splits import split_rows
from ..kernels import schema
from ..kernels.compiler import cache
from ..layers import Dense
from ..model import Sequential, load
from . import system_info, warm_up
from .data import has_values, puts_out_values, test_data, training_data
from .network import chosen_optimizer, hidden_layers, option_named
from .run_folder import RunFolder


def train(options: Namespace) -> None:
    """Train a network, save it with its history, and print its scores on the test samples."""
    model = Sequential(hidden_layers(options), optimizer=chosen_optimizer(options), seed=options.seed)
    data = training_data(options)
    kept = _check_split(data, options.validation_split, options.seed)
    model.add(_last_layer(data))
    model.feature_names, model.class_names = data.feature_names, data.class_names
    model.build(data.x_train.shape[1:])
    folder = RunFolder.prepare(options.out, overwrite=options.overwrite)
    try:
        _print_task(options, model, data, kept, folder)
        if options.engine == "kernels":
            _interruptible(lambda: warm_up.warm_training(options.optimizer, on_compile=say_compiling))
        _fit(model, data, options, folder)
        paths = folder.save(model)
        loss, *scores = _scores(model, data.x_test, data.y_test, options.threads, options.engine).items()
        shown = ", ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in (*scores, loss))
        print(f"test {shown}", *paths, sep="\n")
    finally:
        folder.remove_if_empty()


def evaluate(options: Namespace) -> None:
    """Print loss and scores of a saved model on the test samples."""
    model = load(options.model)
    data = test_data(options, model, with_targets=True)
    scores = _scores(model, data.X, np.asarray(data.y), options.threads)
    if options.json:
        print(json.dumps(scores))
    else:
        _print_table({name: f"{value:.4f}" for name, value in scores.items()})


def predict(options: Namespace) -> None:
    """Write class and probability, or the values, of each test sample as CSV."""
    model = load(options.model)
    values = puts_out_values(model)
    if not values and model.plan.operations[-1]["kind"] != schema.SOFTMAX:
        raise UsageError(
            f"{options.model}: expected a model of values, or a model of classes whose last layer is softmax, which "
            "gives probabilities"
        )
    outputs = model.predict(test_data(options, model, with_targets=False).X, threads=options.threads)
    text = _csv_text(_value_lines(outputs) if values else _class_lines(outputs, model.class_names))
    if options.out is None:
        sys.stdout.write(text)
        return
    with atomic_write(options.out) as file:
        file.write(text.encode())
    print(f"{options.out}: {len(outputs):,} predictions")


def info(options: Namespace) -> None:
    """Print what fastmlp runs on."""
    _print_table(system_info.describe())


def warm(options: Namespace) -> None:
    """Compile all kernels, so that later processes only load them."""
    others = {"float64": options.float64, "mixed_bfloat16": options.mixed}
    dtypes = ("float32", *(name for name, wanted in others.items() if wanted))
    done = warm_up.warm_all(dtypes, on_compile=say_compiling)
    folder = cache.folder()
    kept = "not kept, as there is no cache folder" if folder is None else f"kept in {folder}"
    if done.compiled:
        print(f"compiled {done.compiled} kernels in {done.seconds:.1f} s, {kept}")
    else:
        print(f"nothing to compile: {done.loaded} kernels loaded in {done.seconds:.1f} s, {kept}")


def _class_lines(probabilities: np.ndarray, names: tuple[str, ...]) -> Iterator[list[Any]]:
    """The most likely class of each sample, by name if it has one."""
    yield ["index", "class", "probability"]
    for index, row in enumerate(probabilities):
        code = int(row.argmax())
        yield [index, names[code] if names else code, f"{row[code]:.6f}"]


def _value_lines(outputs: np.ndarray) -> Iterator[list[Any]]:
    """The values of each sample, in as few digits as identify each number."""
    columns = range(outputs.shape[1])
    yield ["index", *(f"value_{column}" for column in columns)] if len(columns) > 1 else ["index", "value"]
    for index, row in enumerate(outputs):
        yield [index, *map(str, row)]


def _csv_text(rows: Iterable[list[Any]]) -> str:
    lines = io.StringIO()
    csv.writer(lines, lineterminator="\n").writerows(rows)
    return lines.getvalue()


def _scores(
    model: Sequential, X: np.ndarray, y: np.ndarray, threads: int | None, engine: str = "kernels"
) -> dict[str, Any]:
    """The loss and the scores; for values also R2."""
    metrics = ["r2"] if puts_out_values(model) else None
    return model.evaluate(X, y, metrics=metrics, threads=threads, engine=engine)


def _last_layer(data: DataSet) -> Dense:
    """A layer with one output for each class or value."""
    if has_values(data):
        return Dense(math.prod(data.y_train.shape[1:]))
    return Dense(
        max(len(data.class_names), int(data.y_train.max()) + 1, int(data.y_test.max()) + 1), "softmax"
    )


def _check_split(data: DataSet, share: float, seed: int) -> int:
    """The number of training samples that are held out for validation."""
    if share == 0:
        return 0
    classes = None if has_values(data) else data.y_train
    with option_named("--validation-split"):
        return len(split_rows(len(data.y_train), share, classes, seed)[1])


def _fit(model: Sequential, data: DataSet, options: Namespace, folder: RunFolder) -> None:
    """Train; if training ends early, save the model and raise the error again."""
    try:
        model.fit(
            data.x_train, data.y_train, epochs=options.epochs, batch_size=options.batch_size,
            validation_split=options.validation_split,
            threads=options.threads, engine=options.engine,
        )  # fmt: skip
    except (KeyboardInterrupt, TrainingDiverged) as error:
        # When the first epoch diverges, the weights are the initial ones.
        interrupted = isinstance(error, KeyboardInterrupt)
        if len(model.history) or (interrupted and max(model.network.steps)):
            folder.save(model)
            error.add_note(f"the model is saved in {folder.path}; whole epochs so far: {len(model.history)}")
        raise


def _interruptible(work: Callable[[], Any]) -> Any:
    """Call a function in another thread, because the compiler does not react to Ctrl-C."""
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
        # A thread that is still compiling would crash when the interpreter frees its memory.
        atexit.register(lambda: os._exit(code) if thread.is_alive() else None)
        raise
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    return outcome[0]


def _print_task(options: Namespace, model: Sequential, data: DataSet, kept: int, folder: RunFolder) -> None:
    """Print what will be trained."""
    network = model.network
    training = len(data.x_train) - kept
    batch = min(options.batch_size, training)
    split = {"training": training, "validation": kept, "test": len(data.x_test)}
    counts = ", ".join(f"{count:,} {name}" for name, count in split.items() if count)
    widths = [network.features, *options.layers, network.outputs]
    dropout = f", dropout {options.dropout:g}" if options.dropout else ""
    rate = f"learning rate {model.optimizer.learning_rate:g}"
    threads = team_size(options.engine, options.threads, work(network, batch, 3))
    _print_table(
        {
            "data": f"{data.name}: {counts} {_kind_of_samples(network.input_shape)}",
            "network": f"{'-'.join(map(str, widths))}, {options.activation}{dropout}, "
            f"{model.parameters:,} parameters",
            "training": f"{options.optimizer}, {rate}, batch size {batch}, epochs {options.epochs}, "
            f"seed {options.seed}",
            "threads": f"{threads}, engine {options.engine}",
            "results": str(folder.path),
        }
    )


def _kind_of_samples(shape: tuple[int, ...]) -> str:
    if len(shape) == 1:
        return f"samples of {shape[0]:,} features"
    return f"images of {' x '.join(map(str, shape))} pixels"


def _print_table(facts: dict[str, str]) -> None:
    width = max(map(len, facts))
    print(*(f"{name:<{width}}  {value}" for name, value in facts.items()), sep="\n", flush=True)


COMMANDS: dict[str, Callable[[Namespace], None]] = {
    "train": train,
    "evaluate": evaluate,
    "predict": predict,
    "info": info,
    "warm": warm,
}
