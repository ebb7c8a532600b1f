"""Numbers among the arguments, of Python or of NumPy."""

from dataclasses import fields
from typing import Any, TypeGuard

import numpy as np


def is_number(value: object) -> TypeGuard[float]:
    """Whether it is a number, finite or not; True and False are none.

    Examples
    --------
    >>> is_number(1), is_number(np.float32(0.5)), is_number(True), is_number("1")
    (True, True, False, False)
    """
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def make_plain(described: Any) -> None:
    """Make the numbers in the fields of a dataclass those of Python, as a model file has no others.

    Examples
    --------
    >>> penalty = L2(0.5)
    >>> object.__setattr__(penalty, "l1", np.float32(0.25))
    >>> make_plain(penalty)
    >>> penalty
    L1L2(l1=0.25, l2=0.5)
    """
    for field in fields(described):
        value = getattr(described, field.name)
        if isinstance(value, np.integer):
            object.__setattr__(described, field.name, int(value))
        elif isinstance(value, np.floating):
            object.__setattr__(described, field.name, float(value))
