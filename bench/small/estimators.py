"""Our estimators against those of scikit-learn: fits, a search, and probabilities of single rows."""

from collections.abc import Callable, Iterator
from functools import partial
from statistics import geometric_mean
from typing import Any

import numpy as np

from ..settings import Settings
from .sets import NAMES, small
from .turns import check, in_turn, table, times_faster

CALLS = 200  # of predict_proba in a round
NEVER = 10_000  # n_iter_no_change: both train max_iter epochs
GRID = {
    "hidden_layer_sizes": [(50,), (100,), (50, 50)],
    "alpha": [1e-4, 1e-2],
    "learning_rate_init": [1e-3, 1e-2],
}
FITS, EACH, SEARCH, SEARCH_AT_ONCE, ROW = 4.0, 2.0, 3.0, 8.0, 5.0


def steps(settings: Settings) -> int:
    """Steps of progress."""
    return len(NAMES) + 2


def _kinds(name: str) -> tuple[Any, Any]:
    from sklearn import neural_network

    from fastmlp import sklearn as ours

    kind = "MLPClassifier" if small(name).classes else "MLPRegressor"
    return getattr(ours, kind), getattr(neural_network, kind)


def run(settings: Settings, part: dict[str, Any]) -> Iterator[str]:
    """The three comparisons."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that 200 epochs are not enough to converge
        yield from _fits(settings, part)
        yield from _search(settings, part)
        yield from _rows(settings, part)


def _fits(settings: Settings, part: dict[str, Any]) -> Iterator[str]:
    """`fit` with default arguments and the same number of epochs."""
    found, rows = {}, []
    for name in NAMES:
        data = small(name)
        ours, theirs = (kind(n_iter_no_change=NEVER, random_state=0) for kind in _kinds(name))
        X = data.X.astype(np.float64)
        seconds = in_turn(
            {"ours": partial(ours.fit, X, data.y), "theirs": partial(theirs.fit, X, data.y)}, settings.rounds
        )
        if ours.n_iter_ != theirs.n_iter_:
            raise RuntimeError(f"{name}: {ours.n_iter_} epochs against {theirs.n_iter_}")
        found[name] = times_faster(seconds["ours"], seconds["theirs"])
        rows.append(
            [name, *(f"{1e3 * min(seconds[who]):.1f}" for who in ("ours", "theirs")), f"{found[name]:.2f}"]
        )
        yield f"estimators, {name}"
    table(part, "fit of an estimator, 200 epochs", ["milliseconds", "fastmlp", "scikit-learn", "ratio"], rows)
    mean = geometric_mean(found.values())
    check(
        part, "fit of estimators against scikit-learn's", f"at least {FITS:g}x in the geometric mean, {EACH:g}x each",
        f"{mean:.2f}x; " + ", ".join(f"{name} {times:.2f}x" for name, times in found.items()),
        mean >= FITS and min(found.values()) >= EACH,
    )  # fmt: skip


def _search(settings: Settings, part: dict[str, Any]) -> Iterator[str]:
    """A cross-validated search of 12 points and 5 folds, by scikit-learn's loop and as one `fit_many`."""
    from sklearn.model_selection import GridSearchCV

    from fastmlp.sklearn import grid_search

    data, (ours, theirs) = small("breast_cancer"), _kinds("breast_cancer")
    X, options = data.X.astype(np.float64), {"n_iter_no_change": NEVER, "random_state": 0, "max_iter": 50}

    def by_loop(kind):
        GridSearchCV(kind(**options), GRID, cv=5, n_jobs=1).fit(X, data.y)

    rivals = {
        "loop": partial(by_loop, ours),
        "at once": lambda: grid_search(ours(**options), GRID, X, data.y, cv=5),
        "theirs": partial(by_loop, theirs),
    }
    seconds = in_turn(rivals, max(1, settings.rounds // 2))
    found = {who: times_faster(seconds[who], seconds["theirs"]) for who in ("loop", "at once")}
    goals = {
        "loop": (SEARCH, "GridSearchCV over our estimators, n_jobs=1"),
        "at once": (SEARCH_AT_ONCE, "the same as one fit_many"),
    }
    for who, (goal, words) in goals.items():
        check(
            part, f"search of 12 points in 5 folds, 50 epochs, breast cancer: {words}",
            f"at least {goal:g}x scikit-learn's GridSearchCV",
            f"{found[who]:.2f}x ({min(seconds[who]):.2f} s against {min(seconds['theirs']):.2f} s)",
            found[who] >= goal,
        )  # fmt: skip
    yield "search"


def _repeated(call: Callable[[np.ndarray], object], X: np.ndarray) -> None:
    for _ in range(CALLS):
        call(X)


def _rows(settings: Settings, part: dict[str, Any]) -> Iterator[str]:
    """`predict_proba` of one row and of 100 rows."""
    data, (ours, theirs) = small("digits"), _kinds("digits")
    X = data.X.astype(np.float64)
    fitted = [kind(max_iter=5, random_state=0).fit(X, data.y) for kind in (ours, theirs)]
    for count in (1, 100):
        some = X[:count]
        rivals = {
            who: partial(_repeated, model.predict_proba, some)
            for who, model in zip(("ours", "theirs"), fitted, strict=True)
        }
        seconds = in_turn(rivals, settings.rounds)
        times = times_faster(seconds["ours"], seconds["theirs"])
        ours_us, theirs_us = (1e6 * min(seconds[who]) / CALLS for who in ("ours", "theirs"))
        check(
            part, f"predict_proba of {count} rows of digits", f"at least {ROW:g}x scikit-learn",
            f"{times:.2f}x ({ours_us:.1f} us against {theirs_us:.1f} us)", times >= ROW,
        )  # fmt: skip
    yield "probabilities"
