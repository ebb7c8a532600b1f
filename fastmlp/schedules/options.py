"""What the options of schedules must be."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..checks import is_number
from ..metrics.direction import MODES


def is_whole(value: object) -> bool:
    """Whether it is a whole number that a float64 holds exactly."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and bool(value < 2**53)


Test = tuple[Callable[[Any], bool], str]
_POSITIVE: Test = (lambda x: is_number(x) and 0 < x < np.inf, "a number above 0")
_FROM_ZERO: Test = (lambda x: is_number(x) and 0 <= x < np.inf, "a number from 0")
_FROM_ONE: Test = (lambda x: is_number(x) and 1 <= x < np.inf, "a number from 1")
_BETWEEN: Test = (lambda x: is_number(x) and 0 < x < 1, "a number above 0 and below 1")
_COUNT: Test = (lambda x: is_whole(x) and x >= 1, "a whole number of at least 1")
_EPOCHS: Test = (lambda x: is_whole(x) and x >= 0, "a whole number from 0")
_NAME: Test = (lambda x: isinstance(x, str) and x != "", "the name of a metric, such as 'val_loss'")
_MODE: Test = (lambda x: isinstance(x, str) and x in MODES, f"one of {', '.join(MODES)}")

# What each option must be: a test, and its words.
ACCEPTED: dict[str, Test] = {
    "rate": _POSITIVE, "factor": _POSITIVE, "power": _POSITIVE, "decay": _FROM_ZERO, "end": _FROM_ZERO,
    "start": _FROM_ZERO, "least": _FROM_ZERO, "threshold": _FROM_ZERO, "rise": _BETWEEN,
    "start_divisor": _FROM_ONE, "end_divisor": _FROM_ONE, "steps": _COUNT, "grow": _COUNT,
    "patience": _EPOCHS, "cooldown": _EPOCHS, "monitor": _NAME, "mode": _MODE,
}  # fmt: skip
