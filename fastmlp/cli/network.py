"""The network that the options of `fastmlp train` describe, without its last layer, which depends on the data."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from ..checks import look_up
from ..errors import UsageError
from ..layers import Dense, Dropout, Flatten, MaxAbsScaler, MinMaxScaler, StandardScaler
from ..layers.layer import Layer
from ..optimizers import Optimizer, get_optimizer
from .paths import is_table

SCALER_LAYERS: dict[str, Callable[[], list[Layer]]] = {
    "none": list,
    "standard": lambda: [StandardScaler()],
    "min_max": lambda: [MinMaxScaler()],
    "max_abs": lambda: [MaxAbsScaler()],
}


def hidden_layers(options: Namespace) -> list[Layer]:
    """All layers but the last.

    Raises
    ------
    UsageError
        If a value is refused; the message names the option.
    """
    scaler = options.scaler or ("standard" if is_table(options.data) else "none")
    with option_named("--scaler"):
        layers = [Flatten(), *look_up("scaler", scaler, SCALER_LAYERS)()]
    for units in options.layers:
        with option_named("--activation"):
            layers.append(Dense(units, options.activation))
        if options.dropout:
            with option_named("--dropout"):
                layers.append(Dropout(options.dropout))
    return layers


def chosen_optimizer(options: Namespace) -> Optimizer:
    """The optimizer with its learning rate.

    Raises
    ------
    UsageError
        If a value is refused; the message names the option.
    """
    with option_named("--optimizer"):
        optimizer = get_optimizer(options.optimizer)
    with option_named("--lr"):
        return optimizer if options.lr is None else replace(optimizer, learning_rate=options.lr)


@contextmanager
def option_named(option: str) -> Iterator[None]:
    """Turn a ValueError of the block, `NAME: expected ...`, into a UsageError with the option as NAME."""
    try:
        yield
    except ValueError as error:
        _, expected, rest = str(error).partition("expected ")
        raise UsageError(f"{option}: {expected + rest if expected else error}") from error
