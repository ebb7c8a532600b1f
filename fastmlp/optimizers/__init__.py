"""Optimizers: how gradients become steps. Optimizers by name, and from a model file."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from functools import cache
from typing import Any

from ..checks import kind_and_options, look_up, require_kind
from ..schedules import schedule_from_config
from .adam import Adam, AdamW, AMSGrad, Nadam
from .adaptive import Adadelta, Adagrad, RMSprop
from .lion import Lion
from .optimizer import Optimizer
from .sgd import SGD

__all__ = [
    "OPTIMIZERS", "SGD", "AMSGrad", "Adadelta", "Adagrad", "Adam", "AdamW", "Lion", "Nadam", "Optimizer", "RMSprop",
    "get_optimizer", "optimizer_from_config",
]  # fmt: skip

# The optimizer of each name.
OPTIMIZERS: dict[str, Callable[[], Optimizer]] = {
    "adadelta": Adadelta,
    "adagrad": Adagrad,
    "adam": Adam,
    "adamw": AdamW,
    "amsgrad": AMSGrad,
    "lion": Lion,
    "momentum": lambda: SGD(momentum=0.9),
    "moving_average_momentum": lambda: SGD(momentum=0.9, dampening=0.9),
    "nadam": Nadam,
    "nesterov": lambda: SGD(momentum=0.9, nesterov=True),
    "rmsprop": RMSprop,
    "sgd": SGD,
}
_CLASSES: dict[str, type[Optimizer]] = {
    "sgd": SGD, "momentum": SGD, "dampened": SGD, "nesterov": SGD,
    "rmsprop": RMSprop, "rmsprop_momentum": RMSprop, "rmsprop_centered": RMSprop,
    **{kind.name: kind for kind in (Adagrad, Adadelta, Adam, AdamW, AMSGrad, Nadam, Lion)},
}  # fmt: skip


def get_optimizer(given: str | Optimizer) -> Optimizer:
    """An optimizer, or the one of this name with its defaults (those with momentum have 0.9).

    Raises
    ------
    ValueError
        If the name is not known; the message lists the known ones.
    TypeError
        If it is an optimizer of a class that is derived from one of fastmlp's.
    """
    if isinstance(given, Optimizer):
        require_kind("optimizer", given, _CLASSES.values(), "write to the weights of the layers by hand")
        return given
    look_up("optimizer", given, OPTIMIZERS)
    return copy(_with_defaults(given))


@cache
def _with_defaults(name: str) -> Optimizer:
    """The optimizer of this name, to be copied: its options have been checked."""
    return OPTIMIZERS[name]()


def optimizer_from_config(config: dict[str, Any]) -> Optimizer:
    """The optimizer that `Optimizer.config` described.

    Raises
    ------
    ValueError
        If a name or an option is not known.
    """
    kind, options = kind_and_options("optimizer", config, _CLASSES, key="name")
    if isinstance(options.get("learning_rate"), dict):
        options["learning_rate"] = schedule_from_config(options["learning_rate"])
    return kind(**options)
