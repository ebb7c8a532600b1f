"""CSV files: tables of numbers as text, one sample a line."""

from __future__ import annotations

import codecs
import gzip
import os
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import numpy as np

from ..checks import look_up
from ..errors import FileFormatError
from .csv_layout import Choice, Column
from .csv_reader import CsvReader
from .idx import GZIP_MAGIC
from .table import Table

DTYPES = {name: np.dtype(name) for name in ("float32", "float64", "uint8")}
_BLOCK = 2**22  # bytes of text that are read together
_LONGEST_LINE = 2**27
_MISSING_VALUES = {"error": False, "nan": True}


def load_csv(
    path: str | os.PathLike[str],
    *,
    label: Column | None = None,
    targets: Column | Sequence[Column] | None = None,
    features: Sequence[Column] | None = None,
    drop: Sequence[Column] = (),
    header: bool | None = None,
    delimiter: str | None = None,
    dtype: str = "float32",
    missing: str = "error",
    class_names: Sequence[str] | None = None,
) -> Table:
    """Read a CSV file, plain or compressed with gzip (the content decides, not the name).

    Columns go by name, or by number from 0, or backwards from -1. Every number is the nearest to its decimals; every
    line is a sample, but for a header and for empty lines.

    Parameters
    ----------
    path : path
        The file, in UTF-8.
    label : column, optional
        Its classes become `y`: text or whole numbers, see `class_names`.
    targets : column or list of columns, optional
        Their numbers become `y` instead, shape (samples,), or (samples, targets) for a list.
    features : list of columns, optional
        What becomes `X`, in this order; by default all others.
    drop : list of columns
        Left out; they need not be numbers.
    header : bool, optional
        Whether the first line holds names. By default that is found out, and asked if it can be both.
    delimiter : str, optional
        What divides columns; by default the first of tab, semicolon, bar and comma that the first line has.
    dtype : str
        Of `X`: `float32`, `float64`, or `uint8` for whole numbers from 0 to 255, such as pixels. A network reads
        uint8 as fractions of 255, wherever it runs, so use the same for all files of a problem.
    missing : str
        What to do where a number is missing (nothing, ?, NA, NaN, null): `error`, or `nan`, which `Table.summary`
        counts, and which must be filled in before training.
    class_names : sequence of str, optional
        The classes in the order of their numbers, e.g. `class_names` of the table that was trained on. By default
        whole numbers from 0 to 255 are classes already, and other labels are numbered in their order.

    Returns
    -------
    Table
        Named after the file.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    FileFormatError
        A line has more or fewer columns than the first one, a field is no number, a class is not known, or the file
        is damaged; the message names line and column.
    ValueError
        An argument is not acceptable, or names a column that is not there.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "flowers.csv")
    ...     _ = path.write_text("length,width,kind\\n5.1,3.5,rose\\n4.9,3.0,lily\\n")
    ...     table = load_csv(path, label="kind")
    >>> table.X
    array([[5.1, 3.5],
           [4.9, 3. ]], dtype=float32)
    >>> table.y, table.class_names, table.feature_names
    (array([1, 0]), ('lily', 'rose'), ('length', 'width'))
    """
    path = Path(path)
    keep_missing = look_up("way with missing numbers", missing, _MISSING_VALUES)
    wanted = look_up("dtype", dtype, DTYPES)
    choice = Choice(label, targets, features, drop, header, delimiter)
    _check_arguments(choice, wanted, keep_missing, class_names)
    reader = CsvReader(path, choice, wanted, keep_missing=keep_missing, class_names=class_names)
    with _open(path) as stream:
        for block in _blocks(stream, path):
            reader.read(block)
    return reader.table()


def _check_arguments(
    choice: Choice, dtype: np.dtype, keep_missing: bool, class_names: Sequence[str] | None
) -> None:
    if choice.label is not None and choice.targets is not None:
        raise ValueError("load_csv: expected a label (classes) or targets (values), got both")
    if isinstance(choice.drop, str) or isinstance(choice.features, str):
        raise ValueError("load_csv: expected lists of columns as features and drop, e.g. drop=['id']")
    if choice.delimiter is not None and not re.fullmatch(r"[\t !#-,/:-@\[-`{-~]", choice.delimiter):
        raise ValueError(
            f"load_csv: expected as delimiter one character that is no letter, digit, quote, point or minus, "
            f"got {choice.delimiter!r}"
        )
    if keep_missing and dtype == np.uint8:
        raise ValueError(
            "load_csv: uint8 cannot hold missing numbers; use dtype='float32' with missing='nan'"
        )
    if class_names is not None and choice.label is None:
        raise ValueError(
            "load_csv: class_names are for a column of classes; give its name or number as label"
        )


@contextmanager
def _open(path: Path) -> Iterator[IO[bytes]]:
    """The text of a file as bytes."""
    if not path.exists():
        raise FileNotFoundError(f"{path}: there is no such file; expected a CSV file, plain or gzip")
    if not path.is_file():
        raise FileFormatError(f"{path}: not a regular file; expected a CSV file, plain or gzip")
    with path.open("rb") as file:
        if file.peek(len(GZIP_MAGIC))[: len(GZIP_MAGIC)] != GZIP_MAGIC:
            yield file
            return
        try:
            with gzip.GzipFile(fileobj=file) as stream:
                yield cast(IO[bytes], stream)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise FileFormatError(f"{path}: damaged or truncated gzip data: {error}") from error


def _blocks(stream: IO[bytes], path: Path) -> Iterator[bytes]:
    """Whole lines, many at a time."""
    rest = stream.read(_BLOCK).removeprefix(codecs.BOM_UTF8)
    if b"\0" in rest:
        raise FileFormatError(f"{path}: not a text file: it holds zero bytes; save it as CSV in UTF-8")
    while more := stream.read(_BLOCK):
        end = rest.rfind(b"\n") + 1
        if end:
            yield rest[:end]
        rest = rest[end:] + more
        if len(rest) > _LONGEST_LINE:
            raise FileFormatError(f"{path}: a line is longer than {_LONGEST_LINE:,} bytes: not a CSV file")
    if rest:
        yield rest if rest.endswith(b"\n") else rest + b"\n"
