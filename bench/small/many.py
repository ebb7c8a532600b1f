"""Many models at once: `fit_many` against a loop of `fit`, JAX's `vmap`, and joblib over scikit-learn."""

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fastmlp import EarlyStopping, fit_many

from ..rivals import ROOT
from ..settings import Settings
from . import loop_of_fits
from .loop_of_fits import IRIS, TABLE, Task
from .turns import check, in_turn, table, times_faster

MODELS, QUICK = 1000, 100
CORES, LOOP, VMAP, IRIS_LOOP = 1.9, 2.3, 3.5, 15.0
SKLEARN_SHARE = 10  # scikit-learn trains a tenth of the models, and its time counts ten times


def steps(settings: Settings) -> int:
    """Steps of progress."""
    return 2


def _at_once(task: Task, count: int, threads: int | None) -> None:
    models = loop_of_fits.models(task, count)
    X, y = loop_of_fits.samples(task)
    options: dict[str, Any] = {}
    if task.validates:
        training, validation = loop_of_fits.halves(len(X))
        stopping = EarlyStopping(patience=task.epochs, restore_best_weights=True)
        options = {
            "rows": [training] * count, "validation_rows": [validation] * count, "early_stopping": stopping
        }  # fmt: skip
    fit_many(models, X, y, epochs=task.epochs, batch_size=task.batch, threads=threads, verbose=0, **options)


def _elsewhere(python: str, task: Task, count: int) -> Callable[[], float]:
    """The loop of `fit` of another installation: seconds without its start."""

    def run() -> float:
        command = [python, str(ROOT / "bench" / "small" / "loop_of_fits.py"), task.name, str(count)]
        # Not from the repository, whose folders are called as the package.
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(python).parent)
        if done.returncode:
            raise RuntimeError(f"{python}: {done.stderr.strip().splitlines()[-1]}")
        return float(done.stdout)

    return run


def _scikit_learn(task: Task, count: int) -> Callable[[], float]:
    """joblib over `MLPClassifier`, on all cores."""
    import warnings

    from joblib import Parallel, delayed
    from sklearn.neural_network import MLPClassifier

    X, y = loop_of_fits.samples(task)
    count //= SKLEARN_SHARE

    def one(seed: int):
        import sklearn.exceptions

        warnings.simplefilter("ignore", sklearn.exceptions.ConvergenceWarning)
        rate = loop_of_fits.rate(seed)
        return MLPClassifier(
            task.widths[1:-1], batch_size=task.batch, max_iter=task.epochs, learning_rate_init=rate, random_state=seed
        ).fit(X, y).n_iter_  # fmt: skip

    def run() -> float:
        start = time.perf_counter()
        Parallel(n_jobs=-1)(delayed(one)(seed) for seed in range(count))
        return (time.perf_counter() - start) * SKLEARN_SHARE

    return run


def _rivals(
    settings: Settings, task: Task, count: int, failures: list[str]
) -> dict[str, Callable[[], object]]:
    rivals: dict[str, Callable[[], object]] = {
        "fit_many": lambda: _at_once(task, count, None),
        "fit_many, one thread": lambda: _at_once(task, count, 1),
        "loop of fit": lambda: loop_of_fits.fit_all(task, count),
    }
    if settings.against:
        rivals["loop of fit, the other version"] = _elsewhere(settings.against, task, count)
    if task is TABLE:
        try:
            from . import vmap

            rivals["JAX, vmap"] = vmap.trainer(task, count)
        except ImportError as error:
            failures.append(f"JAX: {error}")
        rivals["joblib over scikit-learn"] = _scikit_learn(task, count)
    return rivals


def run(settings: Settings, part: dict[str, Any]) -> Iterator[str]:
    """Both tasks."""
    count, failures = QUICK if settings.quick else MODELS, []
    for task in (TABLE, IRIS):
        seconds = in_turn(_rivals(settings, task, count, failures), max(1, settings.rounds // 2))
        ours = seconds["fit_many"]
        found = {name: times_faster(ours, others) for name, others in seconds.items()}
        rows = [
            [name, f"{count / np.median(others):,.1f}", f"{found[name]:.2f}"]
            for name, others in seconds.items()
        ]
        table(part, f"{count} models of {task.title}", ["", "models/s", "fit_many is x as fast"], rows)
        goals = {
            "fit_many, one thread": CORES, "loop of fit, the other version": LOOP if task is TABLE else IRIS_LOOP,
            "JAX, vmap": VMAP, "joblib over scikit-learn": 1.0,
        }  # fmt: skip
        for name in goals.keys() & found.keys():
            if task is TABLE or name.startswith("loop"):
                check(
                    part, f"fit_many of {count} models of {task.title}, against {name}", f"at least {goals[name]:g}x",
                    f"{found[name]:.2f}x", found[name] >= goals[name],
                )  # fmt: skip
        yield f"{count} models of {task.name}"
    if failures:
        raise RuntimeError("; ".join(failures))
