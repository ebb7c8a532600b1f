"""Four tasks of scikit-learn with fastmlp and with scikit-learn's own perceptrons, on the same folds.

Both do the same: layers, initial weights and biases (Glorot's), Adam, batch size, number of epochs, learning rate and
penalty, of which `--tune` chose those that are best for scikit-learn, on other folds. So the scores should differ by
chance alone, and the table says how much chance there is: one standard error of the mean difference. Both scale
features by what the training part of each fold shows; fastmlp has a layer for that. Scores are means over repeated
cross-validation with a new seed for each fold; seconds are those of all calls of `fit`, and what has to be compiled is
compiled before.

    pip install scikit-learn
    python examples/scikit_learn_tasks.py
"""

import argparse
import itertools
import time
import warnings
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from sklearn import datasets
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import RepeatedKFold, RepeatedStratifiedKFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler as ScikitScaler

from fastmlp import L2, Adam, Dense, Sequential, StandardScaler

BATCH, EPOCHS, FOLDS = 32, 100, 5
GRID = {"hidden": ((32,), (100,), (64, 32)), "alpha": (1e-4, 0.1, 1.0, 10.0), "learning_rate": (0.001, 0.005)}
Predict = Callable[[np.ndarray], np.ndarray]


class Settings(NamedTuple):
    """What `--tune` chooses; alpha is the penalty on squared weights as scikit-learn defines it."""

    hidden: tuple[int, ...]
    alpha: float
    learning_rate: float


class Task(NamedTuple):
    """Data, the last layer, and settings."""

    load: Callable
    units: int
    activation: str
    settings: Settings

    @property
    def regression(self) -> bool:
        """Whether numbers are to be learnt, or else classes."""
        return self.activation == "identity"


TASKS = {
    "digits": Task(datasets.load_digits, 10, "softmax", Settings((100,), 1e-4, 0.001)),
    "breast cancer": Task(datasets.load_breast_cancer, 1, "sigmoid", Settings((32,), 1.0, 0.005)),
    "wine": Task(datasets.load_wine, 3, "softmax", Settings((100,), 1.0, 0.001)),
    "diabetes": Task(datasets.load_diabetes, 1, "identity", Settings((100,), 1.0, 0.001)),
}


def same_penalty(task: Task, alpha: float, samples: int) -> float:
    """What alpha of scikit-learn is for fastmlp.

    There, the loss of a batch has alpha / 2 times the sum of squared weights, divided by the batch's size, beside the
    cross-entropy or half the squared error; here, beside the whole squared error. A last batch that is smaller is
    penalised more there, so it is the mean over the batches that is the same.
    """
    starts = range(0, samples, BATCH)
    share = sum(1 / min(BATCH, samples - start) for start in starts) / len(starts)
    return alpha * share * (1 if task.regression else 0.5)


def train_fastmlp(task: Task, settings: Settings, X: np.ndarray, y: np.ndarray, seed: int) -> Predict:
    """Train with fastmlp."""
    glorot = {"initializer": "glorot_uniform", "bias_initializer": "glorot_uniform"}
    penalty = L2(same_penalty(task, settings.alpha, len(X)))
    hidden = [Dense(units, "relu", regularizer=penalty, **glorot) for units in settings.hidden]
    last = Dense(task.units, task.activation, regularizer=penalty, **glorot)
    model = Sequential([StandardScaler(), *hidden, last], optimizer=Adam(settings.learning_rate), seed=seed)
    model.fit(X, y, epochs=EPOCHS, batch_size=BATCH, verbose=0)
    return (lambda X: model.predict(X)[:, 0]) if task.regression else model.predict_classes


def train_scikit_learn(task: Task, settings: Settings, X: np.ndarray, y: np.ndarray, seed: int) -> Predict:
    """Train with scikit-learn, which is kept from stopping before the last epoch."""
    perceptron = (MLPRegressor if task.regression else MLPClassifier)(
        hidden_layer_sizes=settings.hidden, alpha=settings.alpha, learning_rate_init=settings.learning_rate,
        solver="adam", batch_size=BATCH, max_iter=EPOCHS, n_iter_no_change=EPOCHS, random_state=seed,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return make_pipeline(ScikitScaler(), perceptron).fit(X, y).predict


TRAINERS = {"fastmlp": train_fastmlp, "scikit-learn": train_scikit_learn}


def folds(task: Task, repeats: int, seed: int) -> Iterator[tuple[np.ndarray, ...]]:
    """X, y, X_test, y_test of each fold of each repeat; numbers to be learnt are scaled by the training part."""
    X, y = task.load(return_X_y=True)
    X, y = X.astype(np.float32), y.astype(np.float32) if task.regression else y
    split = RepeatedKFold if task.regression else RepeatedStratifiedKFold
    for train, test in split(n_splits=FOLDS, n_repeats=repeats, random_state=seed).split(X, y):
        shift, scale = (y[train].mean(), y[train].std()) if task.regression else (0, 1)
        y_train, y_test = (((y[part] - shift) / scale).astype(y.dtype) for part in (train, test))
        yield X[train], y_train, X[test], y_test


def score(trainer: Callable, task: Task, settings: Settings, fold: tuple, seed: int) -> tuple[float, float]:
    """Accuracy or R2 on the test part of a fold, and the seconds of training."""
    X, y, X_test, y_test = fold
    start = time.perf_counter()
    predict = trainer(task, settings, X, y, seed)
    seconds = time.perf_counter() - start
    return (r2_score if task.regression else accuracy_score)(y_test, predict(X_test)), seconds


def tune(task: Task) -> Settings:
    """The settings with the best mean score of scikit-learn's perceptron, on folds of their own."""

    def mean_score(settings: Settings) -> float:
        cases = enumerate(folds(task, repeats=1, seed=1))
        return np.mean([score(train_scikit_learn, task, settings, fold, seed)[0] for seed, fold in cases])

    return max(itertools.starmap(Settings, itertools.product(*GRID.values())), key=mean_score)


def compare(name: str, task: Task, repeats: int) -> None:
    """Print a line of the table: each fold is learnt by both, one after the other."""
    results = np.array(
        [
            [score(trainer, task, task.settings, fold, seed) for trainer in TRAINERS.values()]
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
        score(train_fastmlp, task, task.settings, next(folds(task, repeats=1, seed=0)), seed=0)
    print(f"{'task':<14}{'score':<9}{'fastmlp':>8}{'scikit-learn':>13}{'difference':>22}"
          f"{'fastmlp':>11}{'scikit-learn':>14}{'times':>7}")  # fmt: skip
    for name in options.tasks:
        compare(name, TASKS[name], options.repeats)


if __name__ == "__main__":
    main()
