"""Numbers in JSON, which has neither NaN nor infinities: NaN becomes null, infinities become words."""

from __future__ import annotations

import math
from typing import Any

from .checks import is_number, refusal

_INFINITIES = {"inf": math.inf, "-inf": -math.inf}


def number_to_json(value: float) -> float | str | None:
    """A number as JSON can hold it.

    Examples
    --------
    >>> number_to_json(0.5), number_to_json(math.nan), number_to_json(-math.inf)
    (0.5, None, '-inf')
    """
    if not is_number(value):
        raise refusal("JSON", "a number", value)
    number = float(value)
    if math.isnan(number):
        return None
    return number if math.isfinite(number) else str(number)


def number_from_json(value: Any) -> float:
    """The number that `number_to_json` described; a ValueError if it is something else."""
    if value is None:
        return math.nan
    if isinstance(value, str) and value in _INFINITIES:
        return _INFINITIES[value]
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise refusal("JSON", "a float, null, 'inf' or '-inf'", value)
