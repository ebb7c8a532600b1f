"""CSV files: tables of numbers as text, one sample in each line."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from ..checks import look_up
from .csv_layout import Choice, Column
from .csv_reader import CsvReader
from .csv_text import check_encoding, read_blocks
from .table import Table

DTYPES = {name: np.dtype(name) for name in ("float32", "float64", "uint8")}
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
    encoding: str = "utf-8",
) -> Table:
    """Read a CSV file, plain or compressed with gzip (detected from the content, not from the name).

    A column is given by its name or by its number from 0; negative numbers count from the end. Each number is read as
    the nearest double. Every line is a sample, except a header and empty lines.

    Parameters
    ----------
    path : path
        The file.
    label : column, optional
        The column with the class of each sample, which becomes `y`: text or whole numbers, see `class_names`.
    targets : column or list of columns, optional
        The columns with values to learn, which become `y` instead: shape (samples,) for one column, (samples, targets)
        for a list.
    features : list of columns, optional
        The columns of `X`, in this order; by default all others.
    drop : list of columns
        Columns to leave out. They can hold text.
    header : bool, optional
        Whether the first line holds names. By default this is detected; a line that can be names or a sample is an
        error.
    delimiter : str, optional
        The character between columns; by default the first of tab, semicolon, bar and comma that the first line has.
    dtype : str
        Type of `X`: `float32`, `float64`, or `uint8` for whole numbers from 0 to 255, in a quarter of the memory.
        Pixels are read as fractions of 255 once rows are images: `table.X.reshape(-1, 28, 28)`, and `Flatten()` first.
    missing : str
        What to do with a missing number (nothing, ?, NA, NaN, null): `error`, or `nan`, which `Table.summary` counts.
        Fill NaN in before training.
    class_names : sequence of str, optional
        The names of the classes in the order of their numbers, such as `class_names` of the table that a model was
        trained on. By default they are the labels of the file as written, ordered by value if all are numbers, else
        alphabetically.
    encoding : str
        The encoding of the text, by one of Python's names, such as `cp1252` or `utf-16`.

    Returns
    -------
    Table
        Named after the file.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    FileFormatError
        A line has more or fewer columns than the first one, a field is not a number, a class is unknown, the text is
        in another encoding, the file is damaged, or gzip data expand to more than 64 MiB and to more than 100 times
        their size. The message gives line and column, both counted from 1.
    ValueError
        An argument is out of range, or names a column that is not there.

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
    keep_missing = look_up("missing", missing, _MISSING_VALUES)
    check_encoding(encoding)
    wanted = look_up("dtype", dtype, DTYPES)
    choice = Choice(label, targets, features, drop, header, delimiter)
    _check_arguments(choice, wanted, keep_missing, class_names)
    reader = CsvReader(path, choice, wanted, keep_missing=keep_missing, class_names=class_names)
    with closing(read_blocks(path, encoding)) as blocks:
        for block in blocks:
            reader.read(block)
    return reader.table()


def _check_arguments(
    choice: Choice, dtype: np.dtype, keep_missing: bool, class_names: Sequence[str] | None
) -> None:
    if choice.label is not None and choice.targets is not None:
        raise ValueError("load_csv: expected label (classes) or targets (values), got both; leave one out")
    if isinstance(choice.drop, str) or isinstance(choice.features, str):
        raise ValueError("load_csv: expected lists of columns as features and drop, e.g. drop=['id']")
    if choice.delimiter is not None and not re.fullmatch(r"[\t !#-,/:-@\[-`{-~]", choice.delimiter):
        raise ValueError(
            f"load_csv: expected as delimiter one character, not a letter, digit, quote, point, plus, minus or "
            f"underscore, got {choice.delimiter!r}"
        )
    if keep_missing and dtype == np.uint8:
        raise ValueError(
            "load_csv: uint8 cannot hold missing numbers; use dtype='float32' with missing='nan'"
        )
    if class_names is not None and choice.label is None:
        raise ValueError(
            "load_csv: class_names are for a column of classes; give its name or number as label"
        )
