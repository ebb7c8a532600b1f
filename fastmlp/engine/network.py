"""A built network: the memory of its parameters, its plans, and what the program is given to run them."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, NoReturn, ParamSpec, TypeVar

import numpy as np

from ..checks import look_up
from ..inputs.samples import Samples
from ..inputs.targets import Targets
from ..kernels import schema
from ..kernels.program.input_sharing import ROW_GRAIN
from ..kernels.program.passes import CHUNK
from ..kernels.program.weight_update import UPDATE_ROWS
from ..schedules import NO_PLATEAU
from .buffers import aligned_zeros, matrix, read_only
from .engines import entries_of
from .lowering import lower
from .plan import Plan
from .thread_tuner import Pace

DTYPES: dict[str, np.dtype[Any]] = {"float32": np.dtype(np.float32), "float64": np.dtype(np.float64)}
CHUNK_BYTES = 2**22  # of the widest value of a chunk of samples, so that it stays in the caches
PIECE_ROWS = 1024  # of a batch: more go through the workspace in pieces; measured: see docs/decisions

if TYPE_CHECKING:
    from ..layers.layer import Layer, Shape
    from ..optimizers import Optimizer

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def in_turn(
    run: Callable[Concatenate[Network, Arguments], Result],
) -> Callable[Concatenate[Network, Arguments], Result]:
    """Let the threads of the caller take turns, as all runs of a network share its memory."""

    @wraps(run)
    def run_alone(network: Network, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        with network.lock:
            return run(network, *args, **kwargs)

    return run_alone


class Network:
    """Layers with their parameters.

    Parameters
    ----------
    layers : sequence of Layer
        Not part of another network.
    input_shape : tuple of int
        Shape of one sample.
    dtype : str
        `float32` or `float64`.
    seed : int
        Key of all random numbers.

    Attributes
    ----------
    params, gradients, slots, averages : ndarray
        Flat arenas: parameters; their gradients, empty until something needs them; state of the optimizer; moving
        average of the parameters, empty if the optimizer keeps none.
    plateau : Plateau
        Where a learning rate that is reduced on plateaus is.
    shows_averages : bool
        Whether the averages stand in the place of the parameters for a while.
    lock : RLock
        Whose owner may run the network.
    """

    def __init__(self, layers: Sequence[Layer], input_shape: Shape, dtype: str, seed: int) -> None:
        self.layers, self.input_shape, self.seed = list(layers), tuple(input_shape), seed
        self.dtype = look_up("dtype", dtype, DTYPES)
        self.widths = [math.prod(shape) for shape in _walk_shapes(self.layers, self.input_shape)]
        self.features, self.outputs = self.widths[0], self.widths[-1]
        self.lock = threading.RLock()
        for position, layer in enumerate(self.layers):
            if layer._network is not None or any(layer is other for other in self.layers[:position]):
                raise ValueError(f"{layer!r} already belongs to a network; make a new layer for this one")
            layer._position = position
        self.inference = lower(self.layers, self.features, self.team_rows(1), self.dtype)
        self.params = aligned_zeros(self.inference.parameters, self.dtype)
        self.gradients = aligned_zeros(0, self.dtype)
        self.slots = aligned_zeros(0, self.dtype)
        self._sums = aligned_zeros(self.inference.weight_rows, self.dtype)
        self.averages = aligned_zeros(0, self.dtype)
        self.shows_averages = False
        self.plateau = NO_PLATEAU
        self.slots_of = ""  # the optimizer whose state the slots hold
        self.steps = [0] * len(self.layers)  # updates of each layer so far
        self.epochs = 0  # whole epochs so far
        self._runs: dict[str, tuple[object, Plan, schema.State]] = {}  # the last of each purpose
        self.pace: tuple[object, Pace] = (None, Pace(1, 1))  # of the last training
        self.by_hand = 0  # rows of the last forward call
        for layer in self.layers:
            layer._network = self
        for layer in self.layers:
            layer.initialize(seed)

    def __reduce__(self) -> NoReturn:
        """A copy would lose the views and the alignment: models are copied by what their file would hold."""
        raise TypeError("a built layer cannot be copied or pickled alone: copy the model that it belongs to")

    # Memory

    def trained_rows(self, position: int, arena: np.ndarray) -> np.ndarray:
        """A layer's weights and, in the last row, its biases: a view into an arena like `params`."""
        for op in self.inference.operations[self.inference.spans[position]]:
            if op["weights"] >= 0:
                return matrix(arena, int(op["weights"]), int(op["ldw"]), int(op["depth"]), int(op["fan_out"]))
        raise ValueError(f"{self.layers[position]!r} has no weights")

    def constant_rows(self, position: int, count: int) -> np.ndarray:
        """What a layer that scales has for each feature, center and factor first: a view into `params`."""
        op = self.inference.operations[self.inference.spans[position]][0]
        return matrix(self.params, int(op["constants"]), int(op["ldx"]), count, int(op["fan_in"]))

    def kept_gradients(self) -> np.ndarray:
        """The arena of gradients, if something has filled it."""
        if self.gradients.size == 0:
            raise RuntimeError("there are no gradients yet: call backward, or fit with keep_gradients=True")
        return self.gradients

    def keep_gradients(self) -> None:
        """Have gradients written to memory of their own, not straight into the update."""
        if self.gradients.size < self.params.size:
            self.gradients = aligned_zeros(self.params.size, self.dtype)
            self.plan_anew()

    def slot_arenas(self) -> list[np.ndarray]:
        """The state of the optimizer: arenas like `params`."""
        size = self.params.size
        return [self.slots[start : start + size] for start in range(0, self.slots.size, size)]

    def prepare_slots(self, optimizer: Optimizer) -> None:
        """Make room for an optimizer's state; that of another one is given up."""
        if self.slots_of != optimizer.name:
            self.slots = aligned_zeros(optimizer.slots * self.params.size, self.dtype)
            self.slots_of = optimizer.name
            self.steps = [0] * len(self.layers)
            self.plateau = NO_PLATEAU
            # The values of the last pass by hand stay, as a step may follow it.
            self._runs = {
                purpose: (key, plan, state._replace(slots=self.slots))
                for purpose, (key, plan, state) in self._runs.items()
            }
        if (optimizer.ema_momentum is not None) != (self.averages.size > 0):
            self.keep_averages(optimizer.ema_momentum is not None)

    def keep_averages(self, kept: bool) -> None:
        """Keep a moving average of the parameters from now on, or none."""
        self.averages = aligned_zeros(self.params.size if kept else 0, self.dtype)
        self.averages[...] = self.params[: self.averages.size]

    def start_again(self, params: np.ndarray) -> None:
        """Go back to these parameters, with an optimizer that has not made a step yet."""
        self.params[...], self.slots[...], self.steps = params, 0, [0] * len(self.layers)
        self.averages[...] = self.params[: self.averages.size]
        self.plateau = NO_PLATEAU

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Put the averages in the place of the parameters for a while."""
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
                for layer in self.layers:
                    if layer.parameters:  # constants, as of scalers, have no average
                        averages = self.trained_rows(layer._position, self.averages)
                        self.trained_rows(layer._position, self.params)[...] = averages
                yield
            finally:
                self.params[...], self.shows_averages = parameters, False

    def require_parameters(self, what: str) -> None:
        """Refuse what would change averages as if they were parameters."""
        if self.shows_averages:
            raise RuntimeError(f"{what}: not while averaged() shows the averages; leave its block first")

    def is_finite(self) -> bool:
        """Whether all parameters and the optimizer's state are numbers."""
        # The extremes tell, and take no memory: NaN is the smallest and the largest number of all.
        arenas = (self.params, self.slots)
        return all(math.isfinite(end(initial=0)) for arena in arenas for end in (arena.min, arena.max))

    def check_ready(self) -> None:
        """Raise a RuntimeError if a layer lacks what only data can give it."""
        for layer in self.layers:
            layer.check_ready()

    def plan_anew(self) -> None:
        """Forget the plans, as what they were made for has changed."""
        self._runs.clear()

    def prepare(
        self, plan_of: Callable[[], Plan], purpose: str, key: object, threads: int, *, pieces: int = 1
    ) -> tuple[Plan, schema.State]:
        """A plan and its arenas, kept for the next run of this purpose if its key is the same."""
        self.check_ready()
        if purpose not in self._runs or self._runs[purpose][0] != (key, threads):
            plan = plan_of()
            self._runs[purpose] = (key, threads), plan, self._state(plan, threads, pieces)
        return self._runs[purpose][1:]

    def _state(self, plan: Plan, threads: int, pieces: int) -> schema.State:
        """The arenas of a plan: those of the network, and workspace of its own.

        Gradients of a batch in pieces are summed in memory, whether they are kept or not.
        """
        widest = int(plan.operations["ldw"].max(initial=0))
        summed = (
            self.gradients
            if pieces == 1 or self.gradients.size
            else aligned_zeros(self.params.size, self.dtype)
        )
        return schema.State(
            params=self.params,
            gradients=summed,
            slots=self.slots,
            workspace=aligned_zeros(plan.workspace, self.dtype),
            scratch=aligned_zeros(threads * int(UPDATE_ROWS) * widest, self.dtype),
            losses=aligned_zeros(plan.rows, self.dtype),
            scores=aligned_zeros(plan.rows, self.dtype),
            labels=aligned_zeros(plan.rows, np.dtype(np.int64)),
        )

    def data(self, samples: Samples, targets: Targets | None, order: np.ndarray) -> schema.Data:
        """What a run reads: samples and targets, and the numbers of those that it takes."""
        none = np.zeros(0, self.dtype)
        labels, values, weights, _ = targets or (np.zeros(0, np.int64), none, none, None)
        # All read-only: to Numba, arrays that may not be written are a type of their own, compiled anew.
        arrays = (samples.bytes(), samples.starts, samples.columns, labels, values, weights, order)
        inputs, *others = map(read_only, arrays)
        return schema.Data(inputs, samples.kind, *others)

    def update(self, optimizer: Optimizer, engine: str, hyper: np.ndarray) -> schema.Update:
        """How gradients become steps, for an engine."""
        words, rules = entries_of(engine).prepared(optimizer.code, self.dtype), optimizer.rules
        words[schema.NORMS] = optimizer.needs_norms
        words[schema.CLIPS] = bool(rules[schema.WEIGHT_DECAY]) or np.isfinite(rules[1:4]).any()
        return schema.Update(words, hyper, rules, self._sums, self.averages)

    def work(self, rows: int, passes: int) -> int:
        """Multiply-adds of `passes` passes of this many rows through the network."""
        dense = self.inference.operations[self.inference.operations["weights"] >= 0]
        return int(passes * rows * ((dense["depth"] - 1) * dense["fan_out"]).sum())

    def piece_rows(self, batch_size: int) -> int:
        """Rows of the workspace in training: a batch, or as even a part of a large one as whole tiles allow."""
        if any(layer.needs_whole_batch for layer in self.layers):
            return batch_size
        pieces, tile = -(-batch_size // PIECE_ROWS), int(ROW_GRAIN)
        return min(batch_size, -(-batch_size // (pieces * tile)) * tile)

    def team_rows(self, size: int) -> int:
        """Rows of the workspace when each of `size` threads takes chunks of samples of its own."""
        row = schema.stride(max(self.widths), self.dtype) * self.dtype.itemsize
        least, most = int(ROW_GRAIN), int(CHUNK)
        return size * max(least, min(most, CHUNK_BYTES // row // least * least))


def _walk_shapes(layers: Sequence[Layer], shape: Shape) -> list[Shape]:
    """The shapes of one sample before, between and after all layers; a ValueError where it does not fit."""
    shapes = [shape]
    for layer in layers:
        shapes.append(layer.output_shape(shapes[-1]))
    if len(shapes[-1]) != 1:
        raise ValueError(
            f"the network puts out samples of shape {shapes[-1]}; expected rows of numbers: add Flatten()"
        )
    return shapes
