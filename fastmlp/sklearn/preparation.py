"""What the estimators train: models with checked arguments, for one run or for many at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..callbacks import CallbackList
from ..engine.team import choose_threads
from ..ensemble import Ensemble
from ..training.fit_arguments import SILENT, check_fit_arguments, epochs_to_train
from ..training.many import Job
from .convergence import Convergence, Curves


class Prepared(NamedTuple):
    """The models of an estimator, and how they are trained."""

    ensemble: Ensemble
    jobs: list[Job]


def prepare(
    estimator: Any,
    ensemble: Ensemble,
    X: Any,
    targets: np.ndarray,
    *,
    epochs: int,
    batch_size: int,
    validation_split: float,
    sample_weight: np.ndarray | None,
    score: str,
    metrics: Sequence[str],
) -> Prepared:
    """A job for each model of an estimator, silent and for one thread.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Whose first model fills its curves.
    ensemble, X, targets, epochs, batch_size, validation_split, sample_weight
        The models, and what `Sequential.fit` is given.
    score : str
        The quantity that tells the best epoch where there is validation.
    metrics : sequence of str
        What has to be measured for it.
    """
    choose_threads(estimator.threads, 0)  # refuses what is no number of threads
    jobs = []
    for place, model in enumerate(ensemble):
        arguments = check_fit_arguments(
            model.data_spec, X, targets, optimizer=model.optimizer, batch_size=batch_size,
            shuffle=bool(estimator.shuffle), threads=1, engine="kernels", verbose=SILENT, seed=model.seed,
            validation_split=validation_split, sample_weight=sample_weight,
            metrics=metrics if validation_split else None,
        )  # fmt: skip
        watched = f"val_{score}" if validation_split else ""
        convergence = Convergence(estimator, watched) if place else Curves(estimator, watched, ensemble)
        hooks = CallbackList([convergence], model, arguments.metrics)
        jobs.append(Job(model, arguments, epochs_to_train(model.epochs, epochs, None), hooks))
    return Prepared(ensemble, jobs)
