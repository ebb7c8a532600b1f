"""Classes: from what stands in a column of labels to numbers from 0, and back to names."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .csv_layout import is_number

# Whole numbers up to this are classes already, as in files of images, whose labels are bytes.
MOST_NUMBERED = 255


def number_classes(texts: Sequence[str]) -> tuple[tuple[str, ...], np.ndarray]:
    """Number the classes of some labels.

    Whole numbers from 0 to `MOST_NUMBERED` stay as they are, so that they mean the same in every file, whichever
    of them occur in it. Other whole numbers are numbered in their order, and anything else in that of the alphabet.

    Parameters
    ----------
    texts : sequence of str
        Labels.

    Returns
    -------
    names : tuple of str
        The name of each class.
    codes : ndarray of int64
        The class of each label.

    Raises
    ------
    ValueError
        If all labels are numbers and some are not whole.

    Examples
    --------
    >>> number_classes(["no", "yes", "no"])
    (('no', 'yes'), array([0, 1, 0]))
    >>> number_classes(["1", "2.0", "1"])
    (('0', '1', '2'), array([1, 2, 1]))
    """
    if not all(map(is_number, texts)):
        names = tuple(sorted(set(texts)))
        return names, _codes(texts, names)
    for text in texts:
        if not float(text).is_integer():
            raise ValueError(
                f"the label {text} is no whole number; to learn values, read the column as targets"
            )
    numbers = [int(float(text)) for text in texts]
    if min(numbers) >= 0 and max(numbers) <= MOST_NUMBERED:
        return tuple(map(str, range(max(numbers) + 1))), np.array(numbers, np.int64)
    names = tuple(map(str, sorted(set(numbers))))
    return names, _codes(list(map(str, numbers)), names)


def match_classes(texts: Sequence[str], names: Sequence[str]) -> np.ndarray:
    """The classes of some labels, with the names that classes have already; -1 for one that has no such name."""
    known = {name: code for code, name in enumerate(names)}
    plain = [
        str(int(float(t))) if t not in known and is_number(t) and float(t).is_integer() else t for t in texts
    ]
    return np.array([known.get(text, -1) for text in plain], np.int64)


def _codes(texts: Sequence[str], names: Sequence[str]) -> np.ndarray:
    place = {name: code for code, name in enumerate(names)}
    return np.array([place[text] for text in texts], np.int64)
