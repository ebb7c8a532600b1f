"""Names of classes: from targets that are strings to the numbers that the kernels count with, and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike


def check_class_names(given: Sequence[str]) -> tuple[str, ...]:
    """The names as a tuple; a ValueError if they are not different strings.

    Examples
    --------
    >>> check_class_names(["cat", "dog"])
    ('cat', 'dog')
    """
    names = list(given) if isinstance(given, Iterable) and not isinstance(given, str) else [None]
    if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        raise ValueError(f"class_names: expected different strings, got {given!r}")
    return tuple(map(str, names))


def as_names(y: ArrayLike) -> np.ndarray | None:
    """The targets as an array of strings, if that is what they are."""
    try:
        array = np.asarray(y)
    except ValueError:  # not rectangular, which has a message of its own
        return None
    if array.dtype.kind == "U" and isinstance(y, (list, tuple)):
        array = np.array(y, object)  # NumPy makes the word "nan" of NaN among strings
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or array.dtype.kind not in "OUT" or array.size == 0 or np.ma.is_masked(y):
        return None
    return array.astype(str) if all(isinstance(name, str) for name in array) else None


def find_class_names(y: ArrayLike) -> tuple[str, ...]:
    """The different names among the targets, sorted; none if they are no strings.

    Examples
    --------
    >>> find_class_names(["dog", "cat", "dog"])
    ('cat', 'dog')
    """
    given = as_names(y)
    return () if given is None else tuple(map(str, np.unique(given)))


def number_classes(y: ArrayLike, names: Sequence[str]) -> ArrayLike:
    """Targets that are names as numbers of their classes; others as they are.

    Raises
    ------
    ValueError
        If a target is none of the names.

    Examples
    --------
    >>> number_classes(["dog", "cat", "dog"], ["cat", "dog"]).tolist()
    [1, 0, 1]
    """
    given = as_names(y)
    if given is None or not names:
        return y
    different, places = np.unique(given, return_inverse=True)
    numbers = {name: number for number, name in enumerate(names)}
    unknown = [str(name) for name in different if name not in numbers]
    if unknown:
        raise ValueError(f"y: expected classes among {', '.join(names)}, got {unknown[0]!r}")
    return np.array([numbers[name] for name in different], np.int64)[places]
