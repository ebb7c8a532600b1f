"""Many models trained at once, each on one core: seeds, folds, bootstrap samples, searches."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .callbacks import CallbackList, EarlyStopping
from .checks import refusal
from .engine.compilation import announced, say_compiling
from .errors import TrainingDiverged
from .inputs.samples import Inputs
from .inputs.shared_data import SharedData
from .model import Sequential
from .training.fit_arguments import BAR, SILENT, check_fit_of_rows, check_verbose, epochs_to_train
from .training.history import History
from .training.many import Job, train_many

_NAMED = 3  # models that diverged, in a warning


def fit_many(
    models: Sequence[Sequential],
    X: Inputs,
    y: ArrayLike,
    *,
    rows: Sequence[ArrayLike] | None = None,
    epochs: int = 10,
    batch_size: int | None = 32,
    validation_rows: Sequence[ArrayLike] | None = None,
    early_stopping: EarlyStopping | None = None,
    sample_weight: ArrayLike | None = None,
    threads: int | None = None,
    verbose: int = 1,
) -> list[History]:
    """Train many models on the same data, each core whole models, one after another.

    Each model ends with the bits that `fit(X[rows], y[rows])` would give it, on any number of threads. Models are
    trained from the longest to the shortest, without waiting for each other.

    Parameters
    ----------
    models : sequence of Sequential
        Each with layers, seed and optimizer of its own.
    X, y : array_like
        Samples and targets, as `Sequential.fit` takes them.
    rows : sequence of array_like of int, optional
        The samples of each model: folds, or bootstrap samples, in which a sample may occur more than once. They are
        not copied. None: all samples.
    epochs, batch_size
        As `Sequential.fit` takes them.
    validation_rows : sequence of array_like of int, optional
        Samples that each model is evaluated on after each epoch.
    early_stopping : EarlyStopping, optional
        How training stops early; each model gets one with these options. It monitors `val_loss` by default, so it
        needs `validation_rows` unless it monitors another quantity.
    sample_weight : array_like, shape (samples,), optional
        Weight of each sample in the loss of training.
    threads : int, optional
        How many models are trained at once; None: as many as there are cores.
    verbose : int
        0: silent; 1: a progress bar on a terminal and a line at the end; 2: the line at the end.

    Returns
    -------
    list of History
        That of each model. One that diverged ends with the epoch before.

    Raises
    ------
    ValueError
        If an argument is not acceptable; nothing has changed then.
    KeyboardInterrupt
        After Ctrl-C; each model, and its history so far, is usable.

    Warns
    -----
    RuntimeWarning
        If models diverged: they have the weights from before that epoch, and the others are not affected.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.linspace(-1, 1, 40, dtype="float32")[:, None]
    >>> models = [Sequential([Dense(8, "tanh"), Dense(1)], seed=seed) for seed in range(4)]
    >>> folds = [np.delete(np.arange(40), slice(start, start + 10)) for start in range(0, 40, 10)]
    >>> histories = fit_many(models, X, X**2, rows=folds, epochs=5, verbose=0)
    >>> [len(history) for history in histories]
    [5, 5, 5, 5]
    """
    models = check_models(models)
    check_verbose(verbose)
    jobs = jobs_of(
        models, SharedData(X, y, sample_weight), rows=rows, epochs=epochs, batch_size=batch_size,
        validation_rows=validation_rows, early_stopping=early_stopping,
    )  # fmt: skip
    diverged = run_jobs(jobs, threads, verbose)
    if diverged:
        warn_of_divergence("fit_many", diverged, len(models), 3)
    return [model.history for model in models]


def jobs_of(
    models: Sequence[Sequential],
    data: SharedData,
    *,
    rows: Sequence[ArrayLike] | None,
    epochs: int,
    batch_size: int | None,
    validation_rows: Sequence[ArrayLike] | None,
    early_stopping: EarlyStopping | None,
) -> list[Job]:
    """The arguments of `fit_many`, checked, as a job for each model."""
    if early_stopping is not None and type(early_stopping) is not EarlyStopping:
        raise refusal("early_stopping", "an EarlyStopping, or None", early_stopping)
    training = _check_rows("rows", rows, len(models), data.count)
    validation = _check_rows("validation_rows", validation_rows, len(models), data.count)
    jobs = []
    for place, model in enumerate(models):
        arguments = check_fit_of_rows(
            model.data_spec, data, training[place], validation[place], optimizer=model.optimizer,
            batch_size=batch_size,
        )  # fmt: skip
        callbacks = [] if early_stopping is None else [early_stopping.anew()]
        hooks = CallbackList(callbacks, model, arguments.metrics)
        jobs.append(Job(model, arguments, epochs_to_train(model.epochs, epochs, None), hooks))
    return jobs


def run_jobs(jobs: Sequence[Job], threads: int | None, verbose: int) -> dict[int, TrainingDiverged]:
    """Train the models of these jobs with a progress bar; the errors of those that diverged, by their place."""
    with announced(say_compiling if verbose else None), _progress(len(jobs), verbose) as on_wait:
        return train_many(jobs, threads, on_wait)


def check_models(models: Any) -> list[Sequential]:
    """The models as a list; an error if one is none, or shares a layer with another."""
    if isinstance(models, Sequential) or not isinstance(models, Sequence) or not models:
        raise refusal("models", "a list of Sequential, at least one", models)
    owners: dict[int, int] = {}
    for place, model in enumerate(models):
        if not isinstance(model, Sequential):
            raise TypeError(f"models: expected a list of Sequential, got {model!r} at index {place}")
        for layer in model.layers:
            if id(layer) in owners:
                raise ValueError(
                    f"models: expected models that share no layer, got {layer!r} in models {owners[id(layer)]} and "
                    f"{place}; make the layers of each model anew"
                )
            owners[id(layer)] = place
    return list(models)


def _check_rows(name: str, given: Any, models: int, samples: int) -> list[np.ndarray] | list[None]:
    """The rows of each model as arrays of their own; None for all samples."""
    if given is None:
        return [None] * models
    if not hasattr(given, "__len__") or len(given) != models:
        found = f"{len(given)}" if hasattr(given, "__len__") else repr(given)
        raise ValueError(
            f"{name}: expected an array of sample numbers for each of the {models} models, got {found}"
        )
    return [_check_numbers(f"{name}[{place}]", rows, samples) for place, rows in enumerate(given)]


def _check_numbers(name: str, given: Any, samples: int) -> np.ndarray:
    rows = np.asarray(given)
    if rows.ndim != 1 or rows.dtype.kind not in "iu" or not rows.size:
        shown = f"shape {rows.shape} of {rows.dtype}"
        raise ValueError(f"{name}: expected one or more whole numbers, the samples to take, got {shown}")
    if rows.min() < 0 or rows.max() >= samples:
        raise ValueError(
            f"{name}: expected numbers from 0 to {samples - 1}, as X has {samples} samples, got {rows.min()} to "
            f"{rows.max()}"
        )
    return rows.astype(np.int64)


@contextmanager
def _progress(models: int, verbose: int) -> Iterator[Callable[[int], None] | None]:
    """A progress bar over models on a terminal, and a line at the end."""
    if verbose == SILENT:
        yield None
        return
    start = time.perf_counter()
    if verbose == BAR and sys.stderr.isatty():
        from tqdm import tqdm

        with tqdm(total=models, desc="models", unit=" models", leave=False) as bar:
            yield lambda done: bar.update(done - bar.n)
    else:
        yield None
    seconds = time.perf_counter() - start
    print(f"{models} models in {seconds:.2f} s ({models / seconds:,.1f} models/s)", file=sys.stderr)


def warn_of_divergence(
    owner: str, diverged: dict[int, TrainingDiverged], count: int, stacklevel: int
) -> None:
    """Say which models diverged; `stacklevel` is that of `warnings.warn`."""
    told = "; ".join(f"model {place}: {error}" for place, error in list(diverged.items())[:_NAMED])
    more = f"; and {len(diverged) - _NAMED} more" if len(diverged) > _NAMED else ""
    warnings.warn(
        f"{owner}: {len(diverged)} of {count} models diverged: {told}{more}",
        RuntimeWarning,
        stacklevel=stacklevel,
    )
