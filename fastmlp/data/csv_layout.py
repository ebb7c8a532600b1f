"""The columns of a CSV file: the delimiter, their names, and what each is read as."""

from __future__ import annotations

import csv
import operator
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import SupportsIndex

import numpy as np

from ..errors import FileFormatError
from ..kernels.extras.decimal_parser import SKIPPED, TEXT

Column = str | SupportsIndex  # a name, or a number from 0, or from -1 backwards

DELIMITERS = "\t;|,"  # in order of preference: the comma is last because it can be part of a number
MISSING = frozenset({"", "?", "na", "n/a", "nan", "null", "none"})  # compared in lower case
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_SHOWN = 10  # names in a message
_FEWEST_COUNTING = 3  # with this many columns 0, 1, 2, ... is more likely a header than a sample


@dataclass(frozen=True)
class Layout:
    """What the columns of a file are.

    Attributes
    ----------
    delimiter : str
        The character between two columns.
    names : tuple of str
        Names of the columns; empty without a header.
    columns : int
        Number of columns.
    features, targets : tuple of int
        The columns that are read as numbers, in the order of the features and of the targets.
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
        """For each column its place in the table of numbers, features first, or SKIPPED or TEXT."""
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
        """The column in a message, counted from 1 as lines are."""
        return f"column {column + 1} ({self.names[column]!r})" if self.names else f"column {column + 1}"

    def how_to_drop(self, column: int) -> str:
        """How a caller leaves the column out: by its name, or without one by its number from 0."""
        if self.names and self.names[column]:
            name = self.names[column]
            return f"drop=[{name!r}], --drop {shlex.quote(name)}"
        return f"drop=[{column}], --drop {column}, which count from 0"


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
        """Whether the targets are one column instead of a list."""
        return isinstance(self.targets, (str, SupportsIndex))

    def named(self) -> bool:
        """Whether a column is chosen by name, so that there must be names."""
        chosen = [self.label, *self.target_columns, *(self.features or ()), *self.drop]
        return any(isinstance(column, str) for column in chosen)


def find_layout(line: str, choice: Choice, place: str) -> Layout:
    """Find the layout in the first line.

    Parameters
    ----------
    line : str
        The first line that is not empty.
    choice : Choice
        The arguments of `load_csv` about columns.
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
    fields = _divide(line, delimiter, place)
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


def _divide(line: str, delimiter: str, place: str) -> list[str]:
    """The fields of the first line."""
    try:
        fields = next(csv.reader([line], delimiter=delimiter))
    except csv.Error as error:
        raise FileFormatError(
            f"{place}: this is not a line of a CSV file: {error}; end every line with a line feed, and keep fields "
            f"below {csv.field_size_limit():,} characters"
        ) from None
    return [field.strip() for field in fields]


def is_number(text: str) -> bool:
    """Whether it is a decimal number. Other texts that `float` accepts, such as 1_0 and inf, are not."""
    return _NUMBER.fullmatch(text) is not None


def unquoted(field: str) -> str:
    """The text of a field without the space around it and without its quotes."""
    text = field.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1].replace('""', '"').strip()
    return text


def _find_delimiter(line: str) -> str:
    bare = re.sub(r'"[^"]*"', "", line)
    return next((delimiter for delimiter in DELIMITERS if delimiter in bare), ",")


def _is_header(fields: Sequence[str], choice: Choice, place: str) -> bool:
    """Whether the first line holds names: as the caller says, or because it has no numbers where a sample has them."""
    if choice.header is not None:
        return choice.header
    if choice.named():
        return True
    # Without a header the caller gives columns by number. Labels and dropped columns can be text in every line.
    text_columns = [column for column in (choice.label, *choice.drop) if column is not None]
    ignored = {_find(column, (), len(fields), place) for column in text_columns}
    checked = [field for column, field in enumerate(fields) if column not in ignored]
    numbers = [is_number(field) for field in checked]
    missing = [field.lower() in MISSING for field in checked]
    # Some programs write the numbers of the columns as the header of a table without names.
    counting = len(fields) >= _FEWEST_COUNTING and fields == list(map(str, range(len(fields))))
    if any(numbers) and not counting and all(map(operator.or_, numbers, missing)):
        return False
    if not any(numbers) and not all(missing):
        return True
    raise FileFormatError(
        f"{place}: these may be names or a sample: {_some(fields)}; say which, with header=True or header=False "
        "(--header, --no-header)"
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
            f"{place}: there is no column {number}: expected one of the {count} columns, 0 to {count - 1} or -1 to "
            f"-{count}"
        )
    return number % count


def _check(layout: Layout, place: str) -> None:
    """Raise unless each column has one use, and there are features."""
    used = [*layout.features, *layout.targets, *([] if layout.label is None else [layout.label])]
    twice = next((column for position, column in enumerate(used) if column in used[:position]), None)
    if twice is not None:
        raise ValueError(f"{place}: {layout.describe(twice)} is chosen more than once")
    if not layout.features:
        raise ValueError(
            f"{place}: no column is left for the features: the line has {layout.columns}, divided by "
            f"{layout.delimiter!r}; if that is wrong, give delimiter= in Python"
        )
    for column in layout.features:
        if layout.names and not layout.names[column]:
            raise FileFormatError(
                f"{place}: column {column + 1} has no name, as when a table was written with its index; "
                f"leave it out ({layout.how_to_drop(column)}), or give it a name"
            )


def _some(names: Sequence[str]) -> str:
    shown = list(names)
    return ", ".join(map(repr, shown[:_SHOWN])) + (", ..." if len(shown) > _SHOWN else "")
