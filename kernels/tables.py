"""The activations, losses, optimizers and kinds of operation: what descriptions, plans and kernels agree on.

The number of a row is its code in a plan. The formulas are in `loops/` and, in NumPy, in `reference/`; both are joined
to these rows by name. This file needs no Numba, so that describing a network does not either.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeVar

from . import schema

Row = TypeVar("Row", bound="Activation | Loss | Optimizer | Kind")
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


class Kind(NamedTuple):
    """A kind of operation: which fields of `schema.OPERATION` it uses, and what kernels do with them."""

    name: str
    fields: tuple[str, ...] = ()  # those it uses besides `EVERY_KIND`; all others are unset
    number: str = ""  # what its field `number` is; "": nothing
    codes: Sequence[Activation | Loss] = ()  # what its field `code` selects
    keeps: str = (
        ""  # what backward and the gradient read, its input "x" or output "y"; of ACTIVATION, see `keeps`
    )
    weight_rows: Callable[[int], int] = lambda inputs: 0  # trained rows, by the number of its inputs
    bias_rows: int = 0  # the last of these, which no penalty and no decay changes
    constant_rows: int = 0  # rows of `params` that no optimizer changes
    outer_gradient: bool = False  # the gradient of its weights is x' dy
    resizes: bool = False  # y may have other columns than x
    in_place: bool = False  # y may be x
    shares_delta: bool = False  # dx is dy, changed in place
    only_reads: bool = False  # y is x and dx is dy, neither of them changed


# Fields of an operation that say where a matrix starts: -1 where there is none. Other fields are 0 if they are unset.
PLACES = (
    "x", "y", "dx", "dy", "weights", "transposed", "second", "constants", "centers", "kept", "sums",
    "xc", "xt", "dc", "dr", "wr", "wt", "zeros",
)  # fmt: skip
# Unset until `program/operation_code.py` writes them.
LINKED = ("forward_code", "backward_code", "product_code", "copy_code")
EVERY_KIND = ("kind", "layer", "fan_out", "y", "ldy", "blocks_before")
_INPUTS = ("fan_in", "x", "ldx", "dx")
_WEIGHTS = ("weights", "ldw", "depth", "biases", "sums", "outer_gradient")
_RULES = ("l1", "l2", "max_norm")
_HALVES = ("half", "second", "by_inputs")
_VALUE_PAIRS = ("xc", "ldxc", "xt", "ldxt")
_DELTA_PAIRS = ("dc", "lddc", "dr", "lddr")
_WEIGHT_PAIRS = ("wr", "ldwr", "wt", "ldwt", "zeros")


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

# In the order of the constants of `schema`: INPUT is 0.
_ELEMENTS = (*_INPUTS, "dy")
_PRODUCT = Kind(
    "dense",
    (*_ELEMENTS, *_WEIGHTS, *_RULES, *_HALVES, "transposed", "ldt", "prefetch", "gradient_prefetch"),
    keeps="x",
    weight_rows=lambda inputs: inputs + 1,
    bias_rows=1,
    outer_gradient=True,
    resizes=True,
)
KINDS = (
    Kind("input", ("dy", "number", "centers", "half", "by_inputs"), number="byte_scale"),
    _PRODUCT,
    _PRODUCT._replace(name="sparse"),
    Kind("activation", (*_ELEMENTS, "code", "number"), number="option", codes=ACTIVATIONS, in_place=True),
    Kind("dropout", (*_ELEMENTS, "number"), number="rate"),
    Kind("softmax", _ELEMENTS, keeps="y", in_place=True),
    Kind("loss", (*_INPUTS, "code", "number"), number="option", codes=LOSSES),
    Kind("scale", (*_ELEMENTS, "constants"), constant_rows=2, in_place=True),
    Kind("log_softmax", _ELEMENTS, keeps="y", in_place=True),
    Kind("noise", (*_ELEMENTS, "number"), number="deviation", shares_delta=True),
    Kind("row_norm", (*_ELEMENTS, "number", "kept"), number="epsilon", keeps="y", shares_delta=True),
    Kind(
        "batch_norm",
        (*_ELEMENTS, "number", "momentum", "kept", "constants"),
        number="epsilon",
        keeps="y",
        constant_rows=3,
        shares_delta=True,
    ),
    Kind(
        "affine", (*_ELEMENTS, *_WEIGHTS), keeps="x", weight_rows=lambda inputs: 2, bias_rows=2, in_place=True
    ),
    Kind("round_values", (*_ELEMENTS, *_VALUE_PAIRS), only_reads=True),
    # Not by `outer_gradient`: that of few rows is a product of rounded numbers too.
    _PRODUCT._replace(
        name="mixed",
        fields=(*_ELEMENTS, *_WEIGHTS, *_RULES, *_HALVES, *_VALUE_PAIRS, *_DELTA_PAIRS, *_WEIGHT_PAIRS),
        keeps="",
        outer_gradient=False,
    ),
    Kind("round_deltas", (*_ELEMENTS, *_DELTA_PAIRS), only_reads=True),
)


def keeps(kind: int, code: int) -> str:
    """What backward and the gradient of an operation read: its input "x", its output "y" or "" neither."""
    return ACTIVATIONS[code].keeps if kind == schema.ACTIVATION else KINDS[kind].keeps


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
