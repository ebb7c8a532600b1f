"""Looking things up by name, in a call or in a file: one error message for all of them."""

from collections.abc import Mapping
from inspect import signature
from typing import Any, TypeVar

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
