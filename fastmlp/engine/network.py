"""A built network: its layers, the memory of its parameters and optimizer state, and how far training has come."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, wraps
from typing import Any, Concatenate, NamedTuple, NoReturn, ParamSpec, TypeVar

import numpy as np

from ..checks import look_up
from ..kernels import schema
from ..layers.layer import Layer, Shape
from ..optimizers import Optimizer
from ..schedules import NO_PLATEAU
from .buffers import aligned_zeros, matrix
from .layer_lowering import lower
from .locks import NetworkLock
from .plan import Plan
from .thread_tuner import ThreadTuner


class Precision(NamedTuple):
    """What `dtype` of a model stands for."""

    dtype: np.dtype[Any]  # of parameters, optimizer state, values and deltas
    mixed: bool = False  # whether the products of dense layers are of bfloat16


PRECISIONS = {
    "float32": Precision(np.dtype(np.float32)),
    "float64": Precision(np.dtype(np.float64)),
    "mixed_bfloat16": Precision(np.dtype(np.float32), mixed=True),
}


def number_type(precision: str) -> np.dtype[Any]:
    """The type of all numbers that a network keeps; a ValueError if there is no such precision."""
    return look_up("dtype", precision, PRECISIONS).dtype


Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def one_at_a_time(
    run: Callable[Concatenate[Network, Arguments], Result],
) -> Callable[Concatenate[Network, Arguments], Result]:
    """Hold the network's lock during a run, as all runs share its memory."""

    @wraps(run)
    def run_locked(network: Network, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        with network.lock:
            return run(network, *args, **kwargs)

    return run_locked


class Network:
    """Layers with their parameters, in flat arenas.

    Parameters
    ----------
    layers : sequence of Layer
        Not part of another network.
    input_shape : tuple of int
        Shape of one sample.
    precision : str
        One of `PRECISIONS`.
    seed : int
        Key of all random numbers.
    lock : NetworkLock, optional
        Held by whoever runs the network; by default one of its own.

    Attributes
    ----------
    dtype : dtype
        Type of all numbers that the network keeps.
    params, gradients, slots, averages : ndarray
        Parameters; their gradients, empty until something needs them; optimizer state; moving averages of the
        parameters, empty if the optimizer keeps none.
    row_norms : ndarray
        Room for the sums of squares of each row of all gradients.
    slots_of : str
        The optimizer whose state the slots hold; "" if there is none.
    steps : list of int
        Updates of each layer so far.
    epochs : int
        Whole epochs so far.
    draws : int
        Passes so far that drew random numbers: epochs, single steps, and forward passes by hand. It is the key of the
        next pass, so no way of training repeats the order or the dropout masks of another.
    plateau : Plateau
        State of a learning rate that is reduced on plateaus.
    shows_averages : bool
        Whether the averages replace the parameters for a while.
    manual_rows : int
        Rows of the last forward pass by hand.
    manual_draws : list of int
        Value of `draws` in each layer's last forward pass by hand.
    inference : Plan
        The plan that predicts.
    kept_predictor : KeptPredictor, optional
        What `predict` keeps between its calls.
    cache : dict
        The plan and the arenas of the last run of each purpose: see `run_arguments.prepare`.
    tuner : tuple, optional
        The thread tuner of the last training, and the key of what it was made for.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        input_shape: Shape,
        precision: str,
        seed: int,
        inference: Plan,
        lock: NetworkLock | None = None,
    ) -> None:
        self.layers = list(layers)
        self.input_shape = tuple(input_shape)
        self.seed = seed
        self.precision = precision
        self.dtype, self._mixed = look_up("dtype", precision, PRECISIONS)
        self.lock = NetworkLock() if lock is None else lock
        self.inference = inference
        self.params = aligned_zeros(inference.parameters, self.dtype)
        self.gradients = aligned_zeros(0, self.dtype)
        self.slots = aligned_zeros(0, self.dtype)
        self.averages = aligned_zeros(0, self.dtype)
        self.row_norms = aligned_zeros(schema.SUMS * inference.weight_rows, self.dtype)
        self.slots_of = ""
        self.steps = [0] * len(self.layers)
        self.epochs = 0
        self.draws = 0
        self.plateau = NO_PLATEAU
        self.shows_averages = False
        self.manual_rows = 0
        self.manual_draws = [0] * len(self.layers)
        self.cache: dict[str, tuple[object, Plan, Any]] = {}
        self.kept_predictor: Any = None
        self.tuner: tuple[object, ThreadTuner] | None = None

    def __reduce__(self) -> NoReturn:
        """Refuse: a copy would lose the views and the alignment. Models are copied by what their file would hold."""
        raise TypeError("a built layer cannot be copied or pickled alone: copy the model that it belongs to")

    @cached_property
    def widths(self) -> list[int]:
        """Numbers of a sample before, between and after the layers."""
        shapes = [self.input_shape]
        for layer in self.layers:
            shapes.append(layer.output_shape(shapes[-1]))
        return [math.prod(shape) for shape in shapes]

    @property
    def features(self) -> int:
        """Numbers of a sample."""
        return self.widths[0]

    @property
    def outputs(self) -> int:
        """Numbers of an output."""
        return self.widths[-1]

    def lowered(self, rows: int, **options: Any) -> Plan:
        """The plan of this network for so many rows at a time; the options are those of `lower`."""
        return lower(self.layers, self.input_shape, rows, self.dtype, mixed=self._mixed, **options)

    # Views

    def trained_rows(self, position: int, arena: np.ndarray) -> np.ndarray:
        """A layer's weights and, in the last row, its biases: a view into an arena like `params`."""
        for op in self.inference.fields[self.inference.spans[position]]:
            if op["weights"] >= 0:
                return matrix(arena, op["weights"], op["ldw"], op["depth"], op["fan_out"])
        raise ValueError(f"{self.layers[position]!r} has no weights")

    def constant_rows(self, position: int, count: int, arena: np.ndarray) -> np.ndarray:
        """The rows of a layer that no optimizer updates, one number for each feature: a view into an arena."""
        op = self.inference.fields[self.inference.spans[position]][0]
        return matrix(arena, op["constants"], op["ldx"], count, op["fan_in"])

    def centers(self, arena: np.ndarray) -> np.ndarray | None:
        """The float64 numbers that are subtracted from samples as they are read: a view into an arena; or None."""
        start = self.inference.fields[0]["centers"] * self.dtype.itemsize // 8
        return arena.view(np.float64)[start : start + self.features] if start >= 0 else None

    @cached_property
    def multiply_adds(self) -> int:
        """Multiply-adds of a forward pass of one sample."""
        return sum((op["depth"] - 1) * op["fan_out"] for op in self.inference.fields if op["weights"] >= 0)

    @property
    def row_grain(self) -> int:
        """Rows of a batch are divided in multiples of this, so that no sum over them is divided elsewhere."""
        return int(schema.GROUP if self._mixed else schema.ROW_GRAIN)

    # Gradients and optimizer state

    def kept_gradients(self) -> np.ndarray:
        """The arena of gradients; a RuntimeError if nothing has filled it."""
        if self.gradients.size == 0:
            raise RuntimeError("there are no gradients yet: call backward, or fit with keep_gradients=True")
        return self.gradients

    def keep_gradients(self) -> None:
        """Write gradients to an arena of their own from now on, not straight into the update."""
        if self.gradients.size < self.params.size:
            self.gradients = aligned_zeros(self.params.size, self.dtype)
            self.forget_plans()

    def slot_arenas(self) -> list[np.ndarray]:
        """The optimizer's state: arenas like `params`."""
        size = self.params.size
        return [self.slots[start : start + size] for start in range(0, self.slots.size, size)]

    def prepare_slots(self, optimizer: Optimizer) -> None:
        """Make room for an optimizer's state; that of another optimizer is dropped."""
        if self.slots_of != optimizer.name:
            self.slots = aligned_zeros(optimizer.slots * self.params.size, self.dtype)
            self.slots_of = optimizer.name
            self.steps = [0] * len(self.layers)
            self.plateau = NO_PLATEAU
            # The plans and values stay, as a step by hand may follow a backward pass by hand.
            self.cache = {
                purpose: (key, plan, state._replace(slots=self.slots))
                for purpose, (key, plan, state) in self.cache.items()
            }
        if (optimizer.ema_momentum is not None) != (self.averages.size > 0):
            self.keep_averages(optimizer.ema_momentum is not None)

    def keep_averages(self, kept: bool) -> None:
        """Keep a moving average of the parameters from now on, or none."""
        self.averages = aligned_zeros(self.params.size if kept else 0, self.dtype)
        self.averages[...] = self.params[: self.averages.size]

    def restart(self, params: np.ndarray) -> None:
        """Go back to these parameters, with an optimizer that has made no step."""
        self.params[...] = params
        self.slots[...] = 0
        self.steps = [0] * len(self.layers)
        self.averages[...] = self.params[: self.averages.size]
        self.plateau = NO_PLATEAU

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Use the averages as parameters within the block."""
        with self.lock:
            self.require_parameters("averaged")
            if self.averages.size == 0:
                raise RuntimeError(
                    "there are no averages: fit with an optimizer that has ema_momentum, such as "
                    "Adam(ema_momentum=0.99)"
                )
            parameters = self.params.copy()
            try:
                self.shows_averages = True
                for position, layer in enumerate(self.layers):
                    if layer.parameters:  # constants, as of scalers, have no average
                        self.trained_rows(position, self.params)[...] = self.trained_rows(
                            position, self.averages
                        )
                yield
            finally:
                self.params[...] = parameters
                self.shows_averages = False

    # States in which it may run

    def require_parameters(self, what: str) -> None:
        """Refuse what would change averages as if they were parameters."""
        if self.shows_averages:
            raise RuntimeError(f"{what}: not while averaged() shows the averages; leave its block first")

    def check_ready(self) -> None:
        """Raise a RuntimeError if a layer lacks what only data can give it, or a fork interrupted a run."""
        self.lock.require_whole_network()
        for layer in self.layers:
            layer.check_ready()

    def is_finite(self) -> bool:
        """Whether all parameters and the optimizer's state are finite."""
        # Minimum and maximum propagate NaN and need no temporary array. Arrays of layers, not the arena of parameters:
        # the float64 centers of a scaler are no numbers of the network's type.
        arrays = [
            array
            for layer in self.layers
            for array in (*layer.parameters.values(), *layer.constants.values())
        ]
        return all(
            math.isfinite(end(initial=0)) for array in (*arrays, self.slots) for end in (array.min, array.max)
        )

    def forget_plans(self) -> None:
        """Lower again at the next run, as what the plans were made for has changed."""
        self.cache.clear()
        self.kept_predictor = None
