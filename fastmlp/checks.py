"""Checks of arguments: names, whole numbers and numbers, each with one form of message."""

from collections.abc import Mapping
from dataclasses import fields
from inspect import signature
from typing import Any, TypeGuard, TypeVar

import numpy as np

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


def kind_and_options(
    what: str, config: Mapping[str, Any], known: Mapping[str, type[Item]], *, key: str = "kind"
) -> tuple[type[Item], dict[str, Any]]:
    """The class that a model file names, and the arguments that it gives.

    Parameters
    ----------
    what : str
        What it is a class of, for messages.
    config : dict
        The name of the class, and its arguments.
    known : dict of str to type
        The classes by name.
    key : str
        Where in `config` the name is.

    Raises
    ------
    ValueError
        If the class is not known, or does not take such an argument.

    Examples
    --------
    >>> kind_and_options("layer", {"kind": "dropout", "rate": 0.5}, {"dropout": Dropout})
    (<class 'fastmlp.layers.noise.Dropout'>, {'rate': 0.5})
    """
    kind = look_up(what, config.get(key), known)
    options = {name: value for name, value in config.items() if name != key}
    unknown = options.keys() - signature(kind).parameters.keys()
    if unknown:
        raise ValueError(f"{kind.__name__}: unknown options {sorted(unknown)}")
    return kind, options


def is_count(number: object) -> TypeGuard[int]:
    """Whether it is a whole number from 0 on that the kernels can count with."""
    whole = isinstance(number, (int, np.integer)) and not isinstance(number, bool)
    return whole and 0 <= int(number) < 2**63  # type: ignore[call-overload]


def positive(name: str, number: object) -> int:
    """The argument of this name; a ValueError if it is no whole number of at least 1."""
    if not is_count(number) or number == 0:
        raise ValueError(f"{name}: expected a whole number of at least 1, got {number!r}")
    return int(number)


def sample_shape(given: int | tuple[int, ...]) -> tuple[int, ...]:
    """The shape of one sample, from a number of features or a shape; a ValueError if it is neither."""
    shape = given if isinstance(given, (tuple, list)) else (given,)
    if not shape or not all(is_count(n) and n > 0 for n in shape):
        raise ValueError(f"build: expected a number of features or a shape such as (28, 28), got {given!r}")
    return tuple(int(n) for n in shape)


def is_number(value: object) -> TypeGuard[float]:
    """Whether it is a number, finite or not; True and False are none.

    Examples
    --------
    >>> is_number(1), is_number(np.float32(0.5)), is_number(True), is_number("1")
    (True, True, False, False)
    """
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def ceil_div(number: int, divisor: int) -> int:
    """The quotient of two whole numbers, rounded up.

    Examples
    --------
    >>> ceil_div(7, 3), ceil_div(6, 3)
    (3, 2)
    """
    return -(-number // divisor)


def make_plain(described: Any) -> None:
    """Make the numbers in the fields of a dataclass those of Python, as a model file has no others.

    Examples
    --------
    >>> penalty = L2(0.5)
    >>> object.__setattr__(penalty, "l1", np.float32(0.25))
    >>> make_plain(penalty)
    >>> penalty
    L1L2(l1=0.25, l2=0.5)
    """
    for field in fields(described):
        value = getattr(described, field.name)
        if isinstance(value, np.integer):
            object.__setattr__(described, field.name, int(value))
        elif isinstance(value, np.floating):
            object.__setattr__(described, field.name, float(value))
