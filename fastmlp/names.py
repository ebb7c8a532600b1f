"""Looking things up by name: one error message for all of them."""

from collections.abc import Mapping
from typing import TypeVar

Item = TypeVar("Item")


def look_up(what: str, name: object, known: Mapping[str, Item]) -> Item:
    """Return `known[name]`.

    Raises
    ------
    ValueError
        If the name is not known; the message lists the known ones.

    Examples
    --------
    >>> look_up("colour", "red", {"red": 1, "blue": 2})
    1
    """
    if isinstance(name, str) and name in known:
        return known[name]
    raise ValueError(f"unknown {what} {name!r}: expected one of {', '.join(sorted(known))}")
