"""Four tasks of scikit-learn with fastmlp and with scikit-learn's own perceptrons, on the same folds.

Both are estimators of scikit-learn and get the same arguments, of which `--tune` chose those that are best for
scikit-learn's own, on other folds; only the import differs. So the scores should differ by chance alone, and the table
says how much chance there is: one standard error of the mean difference. Scores are means over repeated
cross-validation with a new seed for each fold; seconds are those of all calls of `fit`, and what has to be compiled is
compiled before.

    pip install "fastmlp[sklearn]"
    python examples/scikit_learn_tasks.py
"""

import argparse
import itertools
import time
import warnings
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import NamedTuple

import numpy as np
import sklearn.neural_network
from sklearn import datasets
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import RepeatedKFold, RepeatedStratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

import fastmlp.sklearn

LIBRARIES = {"fastmlp": fastmlp.sklearn, "scikit-learn": sklearn.neural_network}
BATCH, EPOCHS, FOLDS = 32, 100, 5
GRID = {"hidden": ((32,), (100,), (64, 32)), "alpha": (1e-4, 0.1, 1.0, 10.0), "learning_rate": (0.001, 0.005)}


class Settings(NamedTuple):
    """What `--tune` chooses."""

    hidden: tuple[int, ...]
    alpha: float
    learning_rate: float


class Task(NamedTuple):
    """Data, whether numbers are to be learnt, or else classes, and settings."""

    load: Callable
    regression: bool
    settings: Settings


TASKS = {
    "digits": Task(datasets.load_digits, False, Settings((100,), 1e-4, 0.001)),
    "breast cancer": Task(datasets.load_breast_cancer, False, Settings((32,), 1.0, 0.005)),
    "wine": Task(datasets.load_wine, False, Settings((100,), 1.0, 0.001)),
    "diabetes": Task(datasets.load_diabetes, True, Settings((100,), 1.0, 0.001)),
}


def pipeline(library: ModuleType, task: Task, settings: Settings, seed: int) -> Pipeline:
    """A perceptron behind a scaler; it is kept from stopping before the last epoch."""
    perceptron = (library.MLPRegressor if task.regression else library.MLPClassifier)(
        hidden_layer_sizes=settings.hidden, alpha=settings.alpha, learning_rate_init=settings.learning_rate,
        batch_size=BATCH, max_iter=EPOCHS, n_iter_no_change=EPOCHS, random_state=seed,
    )  # fmt: skip
    return make_pipeline(StandardScaler(), perceptron)


def folds(task: Task, repeats: int, seed: int) -> Iterator[tuple[np.ndarray, ...]]:
    """X, y, X_test, y_test of each fold of each repeat; numbers to be learnt are scaled by the training part."""
    X, y = task.load(return_X_y=True)
    X, y = X.astype(np.float32), y.astype(np.float32) if task.regression else y
    split = RepeatedKFold if task.regression else RepeatedStratifiedKFold
    for train, test in split(n_splits=FOLDS, n_repeats=repeats, random_state=seed).split(X, y):
        shift, scale = (y[train].mean(), y[train].std()) if task.regression else (0, 1)
        y_train, y_test = (((y[part] - shift) / scale).astype(y.dtype) for part in (train, test))
        yield X[train], y_train, X[test], y_test


def score(library: ModuleType, task: Task, settings: Settings, fold: tuple, seed: int) -> tuple[float, float]:
    """Accuracy or R2 on the test part of a fold, and the seconds of training."""
    X, y, X_test, y_test = fold
    estimator = pipeline(library, task, settings, seed)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        estimator.fit(X, y)
    seconds = time.perf_counter() - start
    return estimator.score(X_test, y_test), seconds


def tune(task: Task) -> Settings:
    """The settings with the best mean score of scikit-learn's perceptron, on folds of their own."""

    def mean_score(settings: Settings) -> float:
        cases = enumerate(folds(task, repeats=1, seed=1))
        return np.mean([score(sklearn.neural_network, task, settings, fold, seed)[0] for seed, fold in cases])

    return max(itertools.starmap(Settings, itertools.product(*GRID.values())), key=mean_score)


def compare(name: str, task: Task, repeats: int) -> None:
    """Print a line of the table: each fold is learnt by both, one after the other."""
    results = np.array(
        [
            [score(library, task, task.settings, fold, seed) for library in LIBRARIES.values()]
            for seed, fold in enumerate(folds(task, repeats, seed=0))
        ]
    )
    scores, seconds = results[..., 0].reshape(repeats, FOLDS, 2).mean(axis=1), results[..., 1].sum(axis=0)
    ours, theirs = scores.mean(axis=0)
    spread = (scores[:, 0] - scores[:, 1]).std(ddof=1) / np.sqrt(repeats) if repeats > 1 else np.nan
    what = "R2" if task.regression else "accuracy"
    print(
        f"{name:<14}{what:<9}{ours:>8.4f}{theirs:>13.4f}{ours - theirs:>+12.4f} +- {spread:.4f}"
        f"{seconds[0]:>9.2f} s{seconds[1]:>12.2f} s{seconds[1] / seconds[0]:>7.1f}"
    )


def main() -> None:
    """Tune, or compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS), metavar="TASK")
    parser.add_argument(
        "--repeats", type=int, default=5, help="times that each data set is cut into five folds"
    )
    parser.add_argument("--tune", action="store_true", help="look for scikit-learn's best settings")
    options = parser.parse_args()
    if options.tune:
        for name in options.tasks:
            print(f"{name}: {tune(TASKS[name])}", flush=True)
        return
    for name in options.tasks:  # what has to be compiled, is
        task = TASKS[name]
        score(fastmlp.sklearn, task, task.settings, next(folds(task, repeats=1, seed=0)), seed=0)
    print(f"{'task':<14}{'score':<9}{'fastmlp':>8}{'scikit-learn':>13}{'difference':>22}"
          f"{'fastmlp':>11}{'scikit-learn':>14}{'times':>7}")  # fmt: skip
    for name in options.tasks:
        compare(name, TASKS[name], options.repeats)


if __name__ == "__main__":
    main()
