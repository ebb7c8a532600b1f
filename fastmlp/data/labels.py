"""Labels of a file: the names of the classes, and the number of each label's class."""

from __future__ import annotations

import decimal
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal

import numpy as np

from .csv_layout import is_number


def name_classes(texts: Sequence[str]) -> tuple[tuple[str, ...], np.ndarray]:
    """Find the classes of some labels.

    The names are the labels as they are written: in the order of their values if all are numbers, else in
    alphabetical order. So the labels 0, 1, ..., k - 1 are the class numbers themselves, and 01, 02 or 1, 2, 3 are
    names, which a prediction returns.

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
        If all labels are numbers, and one is not a whole number or two of them are the same number.

    Examples
    --------
    >>> name_classes(["no", "yes", "no"])
    (('no', 'yes'), array([0, 1, 0]))
    >>> name_classes(["02", "10", "01"])
    (('01', '02', '10'), array([1, 2, 0]))
    """
    different = sorted(set(texts))
    values = {text: _value(text) for text in different}
    numbers = {text: value for text, value in values.items() if value is not None}
    if len(numbers) == len(different):
        _check_numbers(numbers)
        different.sort(key=numbers.__getitem__)
    code_of = {name: code for code, name in enumerate(different)}
    return tuple(different), np.array([code_of[text] for text in texts], np.int64)


def match_classes(texts: Sequence[str], names: Sequence[str]) -> np.ndarray:
    """The class of each label among `names`; -1 if it has none.

    A label that is not among them can be another way to write the number of one name: 1.0 for 1.

    Examples
    --------
    >>> match_classes(["1.0", "1", "2", "x"], ("1", "x"))
    array([ 0,  0, -1,  1])
    """
    by_name = {name: code for code, name in enumerate(names)}
    by_value: dict[Decimal, int] = {}
    for name, code in by_name.items():
        value = _value(name)
        if value is not None:
            by_value[value] = -1 if value in by_value else code  # 1 and 01: another text may mean either

    def code_of(text: str) -> int:
        value = None if text in by_name else _value(text)
        return by_name.get(text, -1) if value is None else by_value.get(value, -1)

    return np.array([code_of(text) for text in texts], np.int64)


def _value(text: str) -> Decimal | None:
    """The number that a label is, exactly; None if it is not a number."""
    if not is_number(text) or not math.isfinite(float(text)):
        return None
    try:
        return Decimal(text)
    except decimal.InvalidOperation:  # an exponent beyond those of Decimal
        return None


def _check_numbers(numbers: Mapping[str, Decimal]) -> None:
    """Raise unless these labels are different whole numbers."""
    earlier: dict[Decimal, str] = {}
    for text, value in numbers.items():
        if value != value.to_integral_value():
            raise ValueError(
                f"the label {text} is not a whole number; to learn values, read the column as targets"
            )
        if value in earlier:
            raise ValueError(f"the labels {earlier[value]} and {text} are the same number; write both alike")
        earlier[value] = text
