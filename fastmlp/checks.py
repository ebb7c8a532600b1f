"""Checks of arguments. All messages have one form: `NAME: expected WHAT, got VALUE`, then a way out if there is one."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from inspect import signature
from typing import Any, Protocol, TypeGuard, TypeVar

import numpy as np

Item = TypeVar("Item")

_LARGEST = 2**63  # the kernels count with int64
_LONGEST = 200  # characters of a value in a message


class Accepted(Protocol):
    """What an argument may be."""

    @property
    def words(self) -> str:
        """How a message says it."""

    def plain(self, value: object) -> Any:
        """The value as a type of Python, which a model file can hold; None if it is not accepted."""


@dataclass(frozen=True)
class Number:
    """A finite number from `low` to below `high`.

    Attributes
    ----------
    low, high : float
        The range. `high` itself is not accepted.
    open : bool
        Whether `low` itself is not accepted either.
    """

    low: float = -math.inf
    high: float = math.inf
    open: bool = False

    @property
    def words(self) -> str:
        """How a message says it."""
        if self.low == -math.inf:
            return "a finite number"
        limit = f" and below {self.high:g}" if self.high < math.inf else ""
        return f"a number {'above' if self.open else 'of at least'} {self.low:g}{limit}"

    def plain(self, value: object) -> float | None:
        """The value as a float; None if it is not in the range."""
        if not is_number(value):
            return None
        try:
            number = float(value)
        except OverflowError:
            return None
        inside = self.low <= number < self.high and math.isfinite(number)
        return number if inside and not (self.open and number == self.low) else None


@dataclass(frozen=True)
class WholeNumber:
    """A whole number from `low` to below `high`."""

    low: int = 0
    high: int = _LARGEST

    @property
    def words(self) -> str:
        """How a message says it."""
        if self.high == _LARGEST:
            return f"a whole number of at least {self.low}"
        limit = "2**53" if self.high == 2**53 else str(self.high)
        return f"a whole number of at least {self.low} and below {limit}"

    def plain(self, value: object) -> int | None:
        """The value as an int; None if it is not in the range."""
        return int(value) if is_count(value) and self.low <= value < self.high else None


@dataclass(frozen=True)
class Switch:
    """True or False."""

    words = "True or False"

    def plain(self, value: object) -> bool | None:
        """The value as a bool; None if it is something else."""
        return bool(value) if isinstance(value, (bool, np.bool_)) else None


FINITE = Number()
POSITIVE = Number(0.0, open=True)
NOT_NEGATIVE = Number(0.0)
FRACTION = Number(0.0, 1.0)
SHARE = Number(0.0, 1.0, open=True)
COUNT = WholeNumber(1)
COUNT_FROM_ZERO = WholeNumber()


def checked(
    owner: str, name: str, value: object, accepted: Accepted, *, otherwise: str = "", way_out: str = ""
) -> Any:
    """An argument as a type of Python, if it is accepted.

    Parameters
    ----------
    owner : str
        The class that takes the argument, for messages; empty for an argument of a function.
    name : str
        What the user calls it.
    value : object
        What the user gave.
    accepted : Accepted
        What it may be.
    otherwise : str
        What else the caller accepts, which it has dealt with before, for messages.
    way_out : str
        What to do, for messages.

    Raises
    ------
    ValueError
        If the value is not accepted.

    Examples
    --------
    >>> checked("Dropout", "rate", np.float32(0.5), FRACTION)
    0.5
    >>> checked("Dense", "units", 0, COUNT)
    Traceback (most recent call last):
        ...
    ValueError: Dense: units: expected a whole number of at least 1, got 0
    """
    plain = accepted.plain(value)
    if plain is None:
        words = f"{accepted.words}, or {otherwise}" if otherwise else accepted.words
        raise refusal(f"{owner}: {name}" if owner else name, words, value, way_out)
    return plain


def refusal(name: str, expected: str, value: object, way_out: str = "") -> ValueError:
    """The error for an argument, in the one form that all messages have."""
    return ValueError(f"{name}: expected {expected}, got {_shown(value)}{way_out and '; '}{way_out}")


def _shown(value: object) -> str:
    """A value for a message, on one line and not too long."""
    try:
        text = repr(value) if isinstance(value, str) else " ".join(repr(value).split())
    except ValueError:  # Python refuses to write integers of more than 4300 digits
        return "an integer of thousands of digits"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def check_options(described: Any, accepted: Mapping[str, Accepted]) -> None:
    """Check those fields of a frozen dataclass that `accepted` names, and make them types of Python.

    Examples
    --------
    >>> L1L2(l1=np.float32(0.25))
    L1L2(l1=0.25, l2=0.0)
    """
    names: Mapping[str, object] = described.__dataclass_fields__
    for name in accepted:
        if name in names:
            plain = checked(type(described).__name__, name, getattr(described, name), accepted[name])
            object.__setattr__(described, name, plain)


def look_up(what: str, name: object, known: Mapping[str, Item], way_out: str = "") -> Item:
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
    raise refusal(what, f"one of {', '.join(sorted(known))}", name, way_out)


def require_kind(what: str, given: object, kinds: Collection[type], way_out: str) -> None:
    """Refuse an object whose class is not one of these, but derived from one of them.

    What is described in Python is compiled to a plan of operations. The methods of a derived class would not be part
    of that plan, so that it would train as its base does.

    Raises
    ------
    TypeError
        If the class is none of these.

    Examples
    --------
    >>> class Mine(L1L2):
    ...     def penalty(self, weight):
    ...         return 0.0
    >>> require_kind("regularizer", Mine(), [L1L2], "use one of these")
    Traceback (most recent call last):
        ...
    TypeError: regularizer: expected one of L1L2, got a Mine, whose own methods would not be called; use one of these
    """
    if type(given) not in kinds:
        names = ", ".join(sorted({kind.__name__ for kind in kinds}))
        raise TypeError(
            f"{what}: expected one of {names}, got a {type(given).__name__}, whose own methods would not be called; "
            f"{way_out}"
        )


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
        accepted = ", ".join(signature(kind).parameters) or "no options"
        raise refusal(kind.__name__, f"options among {accepted}", sorted(unknown))
    return kind, options


def is_count(number: object) -> TypeGuard[int]:
    """Whether it is a whole number of at least 0 that the kernels can count with."""
    whole = isinstance(number, (int, np.integer)) and not isinstance(number, bool)
    return whole and 0 <= int(number) < _LARGEST  # type: ignore[call-overload]


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


def sample_shape(given: int | tuple[int, ...]) -> tuple[int, ...]:
    """The shape of one sample, from a number of features or a shape; a ValueError if it is neither."""
    sizes = given if isinstance(given, (tuple, list)) else (given,)
    shape = tuple(COUNT.plain(size) for size in sizes)
    if not shape or None in shape:
        raise refusal("build", "a number of features or a shape such as (28, 28)", given)
    return tuple(size for size in shape if size is not None)
