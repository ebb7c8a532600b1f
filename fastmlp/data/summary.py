"""What is in a data set, as a table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_CHUNK = 2**20  # numbers that are looked at together, so that little memory is needed
_MOST_CLASSES = 256  # more are no classes that anybody wants to see one by one


class Facts(NamedTuple):
    """What the numbers of an array are like, without those that are missing."""

    low: float
    high: float
    zeros: int
    missing: int


def facts(X: NDArray[Any]) -> Facts:
    """Look at all numbers once."""
    flat = X.reshape(-1)
    low, high, zeros, missing = math.inf, -math.inf, 0, 0
    for start in range(0, flat.size, _CHUNK):
        some = flat[start : start + _CHUNK]
        if some.dtype.kind == "f":
            given = some[~np.isnan(some)]
            missing += some.size - given.size
            some = given
        if some.size:
            low, high = min(low, some.min().item()), max(high, some.max().item())
            zeros += some.size - int(np.count_nonzero(some))
    return Facts(low, high, zeros, missing)


def summarize(
    parts: Mapping[str, tuple[NDArray[Any], NDArray[Any] | None]], class_names: Sequence[str]
) -> str:
    """A column for each part of the data, a row for each fact.

    Parameters
    ----------
    parts : mapping of str to (X, y)
        Samples, and their classes or values.
    class_names : sequence of str
        Names of the classes, if they have some.
    """
    columns = [_column(X, y, _classes(parts, class_names)) for X, y in parts.values()]
    rows = ["", *columns[0]]
    cells = [[name, *column.values()] for name, column in zip(parts, columns, strict=True)]
    first, widths = max(map(len, rows)), [max(map(len, column)) for column in cells]
    return "\n".join(
        " ".join(
            [f"{row:<{first + 2}}", *(f"{column[i]:>{w}}" for column, w in zip(cells, widths, strict=True))]
        )
        for i, row in enumerate(rows)
    )


def _classes(
    parts: Mapping[str, tuple[NDArray[Any], NDArray[Any] | None]], class_names: Sequence[str]
) -> dict[str, int]:
    """The classes that are counted, by what the rows are called."""
    labels = [y for _, y in parts.values()]
    if not all(y is not None and y.ndim == 1 and y.dtype.kind in "ui" and y.size for y in labels):
        return {}
    count = max(len(class_names), *(int(y.max()) + 1 for y in labels if y is not None))
    if count > _MOST_CLASSES:
        return {}
    return {_class_name(code, class_names): code for code in range(count)}


def _class_name(code: int, class_names: Sequence[str]) -> str:
    name = class_names[code] if code < len(class_names) else str(code)
    return f"class {code}" if name == str(code) else f"class {code}: {name}"


def _column(X: NDArray[Any], y: NDArray[Any] | None, classes: Mapping[str, int]) -> dict[str, str]:
    low, high, zeros, missing = facts(X)
    shape, features = X.shape[1:], math.prod(X.shape[1:])
    column = {
        "samples": f"{len(X):,}",
        "features": f"{features:,}" if len(shape) == 1 else f"{' x '.join(map(str, shape))} = {features:,}",
        "type": str(X.dtype),
        "range": f"{low:g} to {high:g}" if low <= high else "-",
        "zeros": f"{zeros / max(X.size, 1):.1%}".replace("%", " %"),
        "missing": f"{missing:,}",
    }
    if y is not None and not classes:
        values = facts(y)
        column["targets"] = "1" if y.ndim == 1 else str(y.shape[1])
        column["range of y"] = f"{values.low:g} to {values.high:g}"
    for name, code in classes.items():
        count = int(np.count_nonzero(y == code))
        column[name] = f"{count:,} ({count / max(len(X), 1):.1%})".replace("%", " %")
    return column
