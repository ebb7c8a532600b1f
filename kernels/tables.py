"""The activations, losses and optimizers that kernels know: what descriptions, plans and kernels agree on.

The number of a row is its code in a plan. The formulas are in `loops/` and, in NumPy, in `reference/`; both are joined
to these rows by name. This file needs no Numba, so that describing a network does not either.
"""

from collections import namedtuple
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeVar

Row = TypeVar("Row", bound="Activation | Loss | Optimizer")
Formula = TypeVar("Formula")


class Activation(NamedTuple):
    """An elementwise activation."""

    name: str
    keeps: str  # what its derivative is computed from: its input "x" or its output "y"
    option: str = ""  # the argument that its formula takes; "": none


class Loss(NamedTuple):
    """A loss, which also gives each sample a score."""

    name: str
    score: str  # what the score is called
    takes_labels: bool = False  # whether a target is a class, not a row of values


class Optimizer(NamedTuple):
    """An optimizer."""

    name: str
    slots: tuple[str, ...]  # arrays of state, each as large as the parameters
    hyper: tuple[str, ...]  # numbers of a step
    skips_zero_gradients: bool = False  # a gradient of 0 never changes a parameter, to the bit
    decoupled_decay: bool = False  # a step has one number more: the share that a weight, not a bias, loses

    @property
    def columns(self) -> tuple[str, ...]:
        """All numbers of a step, in their order in `Update.hyper`."""
        return (*self.hyper, "decay") if self.decoupled_decay else self.hyper

    def named(self, numbers: Iterable) -> Any:
        """The numbers of a step by their names."""
        return _numbers_of(self.columns)(*numbers)


@cache
def _numbers_of(columns: tuple[str, ...]) -> Any:
    return namedtuple("Numbers", columns)


ACTIVATIONS = (
    Activation("identity", "y"),
    Activation("relu", "y"),
    Activation("leaky_relu", "y", "slope"),
    Activation("tanh", "y"),
    Activation("sigmoid", "y"),
    Activation("elu", "y", "alpha"),
    Activation("selu", "y"),
    Activation("gelu", "x"),
    Activation("gelu_tanh", "x"),
    Activation("silu", "x"),
    Activation("mish", "x"),
    Activation("softplus", "y"),
    Activation("softsign", "y"),
    Activation("hard_sigmoid", "y"),
    Activation("hard_swish", "x"),
)

LOSSES = (
    Loss("cross_entropy", "accuracy", takes_labels=True),
    Loss("mean_squared_error", "mean_absolute_error"),
    Loss("binary_cross_entropy", "accuracy"),
    Loss("smoothed_cross_entropy", "accuracy", takes_labels=True),
    Loss("cross_entropy_of_shares", "accuracy"),
    Loss("sum_squared_error", "mean_absolute_error"),
    Loss("mean_absolute_error", "mean_absolute_error"),
    Loss("huber", "mean_absolute_error"),
    Loss("log_cosh", "mean_absolute_error"),
    Loss("quantile", "mean_absolute_error"),
    Loss("poisson", "mean_absolute_error"),
)

_MOMENTS = ("beta1", "one_minus_beta1", "beta2", "one_minus_beta2")
_ADAM = ("rate", *_MOMENTS, "correction", "epsilon")
_RMSPROP = ("rate", "rho", "one_minus_rho", "momentum", "epsilon")

OPTIMIZERS = (
    Optimizer("sgd", (), ("rate",), skips_zero_gradients=True),
    Optimizer("momentum", ("velocity",), ("rate", "momentum")),
    Optimizer("rmsprop", ("square",), ("rate", "rho", "one_minus_rho", "epsilon")),
    Optimizer("adam", ("mean", "square"), _ADAM),
    Optimizer("dampened", ("velocity",), ("rate", "momentum", "one_minus_dampening")),
    Optimizer("nesterov", ("velocity",), ("rate", "momentum")),
    Optimizer("adagrad", ("sum",), ("rate", "epsilon")),
    Optimizer("adadelta", ("square", "change"), ("rate", "rho", "one_minus_rho", "epsilon")),
    Optimizer("rmsprop_momentum", ("square", "velocity"), _RMSPROP),
    Optimizer("rmsprop_centered", ("square", "mean", "velocity"), _RMSPROP),
    Optimizer("adamw", ("mean", "square"), _ADAM, decoupled_decay=True),
    Optimizer("nadam", ("mean", "square"), ("rate", "rate_g", *_ADAM[1:]), decoupled_decay=True),
    Optimizer("amsgrad", ("mean", "square", "largest"), _ADAM, decoupled_decay=True),
    Optimizer("lion", ("mean",), ("rate", *_MOMENTS), decoupled_decay=True),
)


def codes(rows: Sequence[Any]) -> dict[str, int]:
    """The code of each row, by its name."""
    return {row.name: code for code, row in enumerate(rows)}


ACTIVATION_CODES = codes(ACTIVATIONS)
LOSS_CODES = codes(LOSSES)
OPTIMIZER_CODES = codes(OPTIMIZERS)


def with_formulas(rows: Sequence[Row], formulas: Mapping[str, Formula]) -> tuple[tuple[Row, Formula], ...]:
    """Each row with the formula of its name, in the order of the codes.

    Raises
    ------
    ValueError
        If a row has no formula or a formula has no row.
    """
    names = {row.name for row in rows}
    if names != formulas.keys():
        raise ValueError(
            f"kernels/tables.py: expected a row and a formula for each name; without formula: "
            f"{sorted(names - formulas.keys())}, without row: {sorted(formulas.keys() - names)}"
        )
    return tuple((row, formulas[row.name]) for row in rows)
