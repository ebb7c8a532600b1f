"""Whole numbers among the arguments: checked, with one clear message."""

from typing import TypeGuard

import numpy as np


def is_count(number: object) -> TypeGuard[int]:
    """Whether it is a whole number from 0 on that the kernels can count with."""
    whole = isinstance(number, (int, np.integer)) and not isinstance(number, bool)
    return whole and 0 <= int(number) < 2**63  # type: ignore[call-overload]


def positive(name: str, number: object) -> int:
    """The argument of this name; a ValueError if it is no whole number of at least 1."""
    if not is_count(number) or number == 0:
        raise ValueError(f"{name}: expected a whole number of at least 1, got {number!r}")
    return int(number)


def sample_shape(given: int | tuple[int, ...]) -> tuple[int, ...]:
    """The shape of one sample, from a number of features or a shape; a ValueError if it is neither."""
    shape = given if isinstance(given, (tuple, list)) else (given,)
    if not shape or not all(is_count(n) and n > 0 for n in shape):
        raise ValueError(f"build: expected a number of features or a shape such as (28, 28), got {given!r}")
    return tuple(int(n) for n in shape)
