"""What Python costs around one row, and around a model that is built and trained for six rows."""

import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

import numpy as np

from fastmlp import Dense, Sequential, load_synthetic

from ..settings import Settings
from .turns import check

CALLS = 2000
SETUPS = 200


def steps(settings: Settings) -> int:
    """Steps of progress."""
    return 3


def _microseconds(call: Callable[[], object], calls: int, rounds: int) -> float:
    """The median of the rounds of the mean of a call."""
    call()
    found = []
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(calls):
            call()
        found.append(1e6 * (time.perf_counter() - start) / calls)
    return median(found)


def run(settings: Settings, part: dict[str, Any]) -> Iterator[str]:
    """`predict` of one row of two networks; `build` and `fit` of six rows."""
    digit = load_synthetic(n_train=10, n_test=10).x_train[0].reshape(-1).astype("float32") / 255
    row = np.random.default_rng(0).normal(size=8).astype("float32")
    for widths, x, most in (((784, 128, 64, 10), digit, 8.0), ((8, 64, 64, 2), row, 5.0)):
        *hidden, last = widths[1:]
        layers = [*(Dense(units, "relu") for units in hidden), Dense(last, "softmax")]
        model = Sequential(layers).build(widths[0])
        name = "-".join(map(str, widths))
        found = _microseconds(lambda model=model, x=x: model.predict(x), CALLS, settings.rounds)
        alone = model.predictor()
        prepared = _microseconds(lambda alone=alone, x=x: alone(x), CALLS, settings.rounds)
        check(
            part, f"predict of one row, {name}", f"at most {most:g} us",
            f"{found:.2f} us (predictor {prepared:.2f} us)", found <= most,
        )  # fmt: skip
        yield f"a row of {name}"
    X, y = np.random.default_rng(0).normal(size=(6, 4)).astype("float32"), np.arange(6) % 3

    def build_and_fit():
        Sequential([Dense(16, "relu"), Dense(3, "softmax")]).build(4).fit(X, y, epochs=1, verbose=0)

    found = _microseconds(build_and_fit, SETUPS, settings.rounds) / 1e3
    check(part, "build, and fit of one epoch of 6 rows", "at most 0.4 ms", f"{found:.3f} ms", found <= 0.4)
    yield "a model of six rows"
