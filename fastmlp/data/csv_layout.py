"""The columns of a CSV file: how they are divided, what they are called, and what each is read as."""

from __future__ import annotations

import csv
import operator
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import SupportsIndex

import numpy as np

from ..errors import FileFormatError
from ..kernels.extras.decimal_parser import SKIPPED, TEXT

Column = str | SupportsIndex  # a name, or a number from 0, or from -1 backwards

DELIMITERS = "\t;|,"  # in the order in which they are looked for: a comma may also stand within numbers
MISSING = frozenset({"", "?", "na", "n/a", "nan", "null", "none"})  # in any case
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_SHOWN = 10  # names in a message
_TELLTALE = 3  # columns from which on 0, 1, 2, ... is more likely a header than a sample


@dataclass(frozen=True)
class Layout:
    """What the columns of a file are.

    Attributes
    ----------
    delimiter : str
        What stands between them.
    names : tuple of str
        Their names; empty without a header.
    columns : int
        How many there are.
    features, targets : tuple of int
        The columns that are read as numbers, in the order of the samples and of the targets.
    label : int or None
        The column that is read as a class.
    """

    delimiter: str
    names: tuple[str, ...]
    columns: int
    features: tuple[int, ...]
    targets: tuple[int, ...]
    label: int | None

    def slots(self) -> np.ndarray:
        """What becomes of each column, as the kernel takes it: features first, then targets."""
        slots = np.full(self.columns, SKIPPED, np.int64)
        numbers = [*self.features, *self.targets]
        slots[numbers] = np.arange(len(numbers))
        if self.label is not None:
            slots[self.label] = TEXT
        return slots

    def names_of(self, columns: Sequence[int]) -> tuple[str, ...]:
        """The names of some columns; none without a header."""
        return tuple(self.names[column] for column in columns) if self.names else ()

    def describe(self, column: int) -> str:
        """What messages call a column."""
        return f"column {column} ({self.names[column]!r})" if self.names else f"column {column} (from 0)"


@dataclass(frozen=True)
class Choice:
    """What the caller says about the columns, as `load_csv` describes it."""

    label: Column | None
    targets: Column | Sequence[Column] | None
    features: Sequence[Column] | None
    drop: Sequence[Column]
    header: bool | None
    delimiter: str | None

    @property
    def target_columns(self) -> list[Column]:
        """The targets as a list."""
        if self.targets is None:
            return []
        return [self.targets] if isinstance(self.targets, (str, SupportsIndex)) else list(self.targets)

    @property
    def single_target(self) -> bool:
        """Whether the targets are one column, not a list of columns."""
        return isinstance(self.targets, (str, SupportsIndex))

    def named(self) -> bool:
        """Whether a column is chosen by name, so that there must be names."""
        chosen = [self.label, *self.target_columns, *(self.features or ()), *self.drop]
        return any(isinstance(column, str) for column in chosen)


def find_layout(line: str, choice: Choice, place: str) -> Layout:
    """Find the layout from the first line.

    Parameters
    ----------
    line : str
        The first line that is not empty.
    choice : Choice
        What the caller says.
    place : str
        File and line, for messages.

    Raises
    ------
    FileFormatError
        If the line can be read in more than one way.
    ValueError
        If a column that the caller names is not there.
    """
    delimiter = choice.delimiter or _find_delimiter(line)
    fields = [field.strip() for field in next(csv.reader([line], delimiter=delimiter))]
    header = _is_header(fields, choice, place)
    names = tuple(fields) if header else ()

    def find(column: Column) -> int:
        return _find(column, names, len(fields), place)

    label = None if choice.label is None else find(choice.label)
    targets = tuple(map(find, choice.target_columns))
    left_out = {label, *targets, *map(find, choice.drop)}
    if choice.features is None:
        features = tuple(column for column in range(len(fields)) if column not in left_out)
    else:
        features = tuple(map(find, choice.features))
    layout = Layout(delimiter, names, len(fields), features, targets, label)
    _check(layout, place)
    return layout


def is_number(text: str) -> bool:
    """Whether it is a decimal number, and nothing else that Python would take for one."""
    return _NUMBER.fullmatch(text) is not None


def unquoted(field: str) -> str:
    """What a field says: without the space around it and without its quotes."""
    text = field.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1].replace('""', '"').strip()
    return text


def _find_delimiter(line: str) -> str:
    bare = re.sub(r'"[^"]*"', "", line)
    return next((delimiter for delimiter in DELIMITERS if delimiter in bare), ",")


def _is_header(fields: Sequence[str], choice: Choice, place: str) -> bool:
    """Whether the first line holds names: told, or known by the fields that would be numbers in a sample."""
    if choice.header is not None:
        return choice.header
    if choice.named():
        return True
    # Without a header columns go by number, and neither a class nor what is left out need be a number.
    words = [column for column in (choice.label, *choice.drop) if column is not None]
    free = {_find(column, (), len(fields), place) for column in words}
    looked_at = [field for column, field in enumerate(fields) if column not in free]
    numbers = [is_number(field) for field in looked_at]
    missing = [field.lower() in MISSING for field in looked_at]
    # A table without names is often written with the numbers of its columns for a header.
    counting = len(fields) >= _TELLTALE and fields == list(map(str, range(len(fields))))
    if any(numbers) and not counting and all(map(operator.or_, numbers, missing)):
        return False
    if not any(numbers) and not all(missing):
        return True
    raise FileFormatError(
        f"{place}: these may be names or a sample: {_some(fields)}; say which, with header=True or header=False"
    )


def _find(column: Column, names: tuple[str, ...], count: int, place: str) -> int:
    """The number of a column."""
    if isinstance(column, str):
        if names.count(column) == 1:
            return names.index(column)
        what = "there are several columns" if column in names else "there is no column"
        raise ValueError(f"{place}: {what} {column!r}; the columns are {_some(names) or 'without names'}")
    number = operator.index(column)
    if not -count <= number < count:
        raise ValueError(
            f"{place}: there is no column {number}: the file has {count}, 0 to {count - 1} or -1 to -{count}"
        )
    return number % count


def _check(layout: Layout, place: str) -> None:
    """Raise unless each column serves one end, and there are features."""
    used = [*layout.features, *layout.targets, *([] if layout.label is None else [layout.label])]
    twice = next((column for position, column in enumerate(used) if column in used[:position]), None)
    if twice is not None:
        raise ValueError(f"{place}: {layout.describe(twice)} is asked for more than once")
    if not layout.features:
        raise ValueError(
            f"{place}: no column is left for the samples: the file has {layout.columns}, divided by "
            f"{layout.delimiter!r}; if that is wrong, give delimiter"
        )
    for column in layout.features:
        if layout.names and not layout.names[column]:
            raise FileFormatError(
                f"{place}: column {column} has no name, as when a table was written with its index; "
                f"leave it out (drop=[{column}], --drop {column}), or give it a name"
            )


def _some(names: Sequence[str]) -> str:
    shown = list(names)
    return ", ".join(map(repr, shown[:_SHOWN])) + (", ..." if len(shown) > _SHOWN else "")
