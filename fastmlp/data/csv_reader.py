"""From blocks of lines to samples: a kernel reads the numbers; fields that it cannot read are handled here."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from ..errors import FileFormatError
from ..kernels.extras import decimal_parser
from .csv_layout import MISSING, Choice, Layout, find_layout, is_number, unquoted
from .labels import match_classes, name_classes
from .table import Table

_SHELF = 2**26  # bytes of rows that are kept together
MISSING_CLASS = frozenset({"", "?", "nan"})  # fewer than for numbers, because a class can be called none
_SHOWN = 40  # characters of a field in a message


class CsvReader:
    """Reads one file.

    Parameters
    ----------
    path : Path
        The file, for messages.
    choice : Choice
        The arguments of `load_csv` about columns.
    dtype : dtype
        Of the samples.
    keep_missing : bool
        Whether missing numbers become NaN.
    class_names : sequence of str or None
        The names of the classes, if the caller gives them.
    """

    def __init__(
        self,
        path: Path,
        choice: Choice,
        dtype: np.dtype,
        *,
        keep_missing: bool,
        class_names: Sequence[str] | None,
    ) -> None:
        self.path = path
        self.choice = choice
        self.dtype = dtype
        self.keep_missing = keep_missing
        self.class_names = class_names
        self._layout: Layout | None = None
        self._line = 1  # number of the next line
        self._numbers = np.empty(0)
        self._labels = _Labels()

    @property
    def layout(self) -> Layout:
        """The columns, known from the first line that is not empty."""
        if self._layout is None:
            raise FileFormatError(f"{self.path}: the file has no samples; expected one in each line")
        return self._layout

    def read(self, block: bytes) -> None:
        """Read whole lines."""
        start = 0 if self._layout else self._begin(block)
        if self._layout is None:
            return
        rows = block.count(b"\n")
        table, texts, lines = self._parse(block, start, rows)
        split = len(self.layout.features)
        self._put(self._samples, table[:, :split], self.layout.features, lines)
        if self.layout.targets:
            self._put(self._targets, table[:, split:], self.layout.targets, lines)
        if self.layout.label is not None:
            self._labels.add(block, texts, lines)

    def _begin(self, block: bytes) -> int:
        """Find the layout in the first line that is not empty; return where the samples begin."""
        start = 0
        while start < len(block):
            end = block.index(b"\n", start) + 1
            text = block[start:end].strip()
            if text:
                place = f"{self.path}: line {self._line}"
                self._layout = find_layout(self._decoded(text, place), self.choice, place)
                self._make_room(self._layout)
                if not self._layout.names:
                    return start
            self._line, start = self._line + 1, end
            if text:
                return start
        return start

    def _make_room(self, layout: Layout) -> None:
        values = np.dtype(np.float32) if self.dtype == np.uint8 else self.dtype
        self._samples = _Rows(len(layout.features), self.dtype)
        self._targets = _Rows(max(1, len(layout.targets)), values)

    def _parse(self, block: bytes, start: int, rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The numbers of a block, the start and end of each label in it, and the line of each row."""
        slots = self.layout.slots()
        width = len(self.layout.features) + len(self.layout.targets)
        if self._numbers.size < rows * width:
            self._numbers = np.empty(rows * width)
        table = self._numbers[: rows * width].reshape(rows, width)
        texts, lines = np.zeros((rows, 2), np.int64), np.zeros(rows, np.int64)
        state = np.zeros(decimal_parser.STATE_WORDS, np.int64)
        state[decimal_parser.POSITION], state[decimal_parser.LINE] = start, self._line
        text = np.frombuffer(bytearray(block), np.uint8)
        while True:
            outcome = decimal_parser.read_lines(
                table, texts, lines, state, text, slots, ord(self.layout.delimiter)
            )
            if outcome == decimal_parser.DONE:
                break
            row, column = int(state[decimal_parser.FIELD_ROW]), int(state[decimal_parser.FIELD_COLUMN])
            line = int(lines[row])
            if outcome != decimal_parser.OPEN:
                self._refuse_line(block, outcome, line, column)
            field = block[state[decimal_parser.START] : state[decimal_parser.END]]
            table[row, slots[column]] = self._number(field, line, column)
        self._line, rows = int(state[decimal_parser.LINE]), int(state[decimal_parser.ROW])
        return table[:rows], texts[:rows], lines[:rows]

    def _number(self, field: bytes, line: int, column: int) -> float:
        """The number in a field that the kernel cannot read."""
        text = unquoted(self._decoded(field, f"{self.path}: line {line}"))
        if text.lower() in MISSING:
            if self.keep_missing:
                return math.nan
            self._refuse(
                line, column, f"expected a number, got {_quoted(text) if text else 'nothing'}",
                "fill it in, or leave out the line or the column; in Python, missing='nan' reads it as NaN",
            )  # fmt: skip
        if not is_number(text):
            self._refuse(
                line, column, f"expected a number, got {_quoted(text)}",
                f"correct it, or leave the column out ({self.layout.how_to_drop(column)}); if it holds classes, give "
                "it as label",
            )  # fmt: skip
        value = float(text)
        if not math.isfinite(value):
            self._refuse(line, column, f"expected a number of float64, got {_quoted(text)}", "scale it")
        return value

    def _put(self, into: _Rows, numbers: np.ndarray, columns: Sequence[int], lines: np.ndarray) -> None:
        """Append rows, if their numbers fit into the type."""
        with np.errstate(all="ignore"):
            rows = numbers.astype(into.dtype)
            lost = np.isinf(rows) if into.dtype.kind == "f" else rows != numbers
        if lost.any():
            row, column = map(int, np.argwhere(lost)[0])
            self._refuse(
                int(lines[row]), columns[column], f"{into.dtype} cannot hold {numbers[row, column]:g}",
                "uint8 is for whole numbers from 0 to 255: use dtype='float32'"
                if into.dtype == np.uint8 else "use dtype='float64', or scale it",
            )  # fmt: skip
        into.append(rows)

    def table(self) -> Table:
        """The samples of the whole file."""
        layout = self.layout
        if not self._samples.count:
            raise FileFormatError(
                f"{self.path}: the file has no samples, only a header; expected one in each line"
            )
        X, y = self._samples.take(), None
        names: tuple[str, ...] = ()
        if layout.targets:
            y = self._targets.take()
            y = y[:, 0] if self.choice.single_target else y
        elif layout.label is not None:
            y, names = self._classes(layout.label)
        return Table(X, y, self.path.name, layout.names_of(layout.features), names)

    def _classes(self, label: int) -> tuple[NDArray[np.int64], tuple[str, ...]]:
        """The class of each sample, and the names of the classes."""
        place = f"{self.path}: {self.layout.describe(label)}"
        texts = [unquoted(self._decoded(field, place)) for field in self._labels.known]
        for text, line in zip(texts, self._labels.lines, strict=True):
            if text.lower() in MISSING_CLASS:
                self._refuse(
                    line, label, f"expected a class, got {_quoted(text) if text else 'nothing'}",
                    "fill it in, or leave out the line",
                )  # fmt: skip
        if self.class_names is None:
            try:
                names, codes = name_classes(texts)
            except ValueError as error:
                raise FileFormatError(f"{place}: {error}") from None
        else:
            names, codes = tuple(self.class_names), match_classes(texts, self.class_names)
            if (codes < 0).any():
                first = int((codes < 0).argmax())
                self._refuse(
                    self._labels.lines[first], label, f"expected one of the classes {', '.join(names)}, got "
                    f"{_quoted(texts[first])}", "correct it, or leave class_names out",
                )  # fmt: skip
        return codes[np.concatenate(self._labels.codes)], names

    def _decoded(self, text: bytes, place: str) -> str:
        try:
            return text.decode()
        except UnicodeDecodeError as error:
            raise FileFormatError(
                f"{place}: not UTF-8: {error}; save the file in UTF-8, or give its encoding, such as cp1252, that of "
                "Windows in Western Europe (encoding='cp1252', --encoding cp1252)"
            ) from None

    def _refuse_line(self, block: bytes, outcome: int, line: int, column: int) -> NoReturn:
        """Raise for a line that is not well-formed."""
        if outcome == decimal_parser.QUOTES:
            self._refuse(line, column, "its quotes do not end with it", "close them in the same line")
        columns = self.layout.columns
        # A line that is too short ends at this column; one that is too long has an unknown number of columns.
        found = f"{column + 1}" if outcome == decimal_parser.FEW else f"more than {columns}"
        raise FileFormatError(
            f"{self.path}: line {line}: expected {columns} columns, as in the first line, divided by "
            f"{self.layout.delimiter!r}, got {found}; correct the line"
        )

    def _refuse(self, line: int, column: int, problem: str, way_out: str) -> NoReturn:
        raise FileFormatError(
            f"{self.path}: line {line}, {self.layout.describe(column)}: {problem}; {way_out}"
        )


class _Rows:
    """Rows of numbers that become one array.

    They are kept in blocks ("shelves") large enough that the allocator returns each to the system when it is freed.
    So joining them needs little more memory than the array itself.
    """

    def __init__(self, columns: int, dtype: np.dtype) -> None:
        self._columns, self.dtype = columns, dtype
        self._shelf_rows = max(1, _SHELF // (columns * dtype.itemsize))
        self._shelves: deque[np.ndarray] = deque()
        self.count = 0

    def append(self, rows: np.ndarray) -> None:
        """Append a copy of some rows."""
        while len(rows):
            used = self.count % self._shelf_rows
            if used == 0:
                self._shelves.append(np.empty((self._shelf_rows, self._columns), self.dtype))
            some = rows[: self._shelf_rows - used]
            self._shelves[-1][used : used + len(some)] = some
            self.count, rows = self.count + len(some), rows[len(some) :]

    def take(self) -> np.ndarray:
        """Join all rows, freeing each shelf after it is copied."""
        whole = np.empty((self.count, self._columns), self.dtype)
        end = 0
        while self._shelves:
            shelf = self._shelves.popleft()[: self.count - end]
            whole[end : end + len(shelf)] = shelf
            end += len(shelf)
        return whole


class _Labels:
    """The labels of a file: each different text, and which of them each line has."""

    def __init__(self) -> None:
        self.known: dict[bytes, int] = {}
        self.lines: list[int] = []  # where each text occurs first
        self.codes: list[np.ndarray] = []

    def add(self, block: bytes, texts: np.ndarray, lines: np.ndarray) -> None:
        """Append the labels of a block."""
        known = self.known
        before = len(known)
        fields = [block[start:end] for start, end in texts.tolist()]
        codes = np.array([known.setdefault(field, len(known)) for field in fields], np.int64)
        self.codes.append(codes)
        found, first = np.unique(codes, return_index=True)
        self.lines += lines[first[found >= before]].tolist()


def _quoted(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "...")
