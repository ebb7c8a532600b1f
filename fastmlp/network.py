"""A built network: the memory of its parameters, its plans, and every run of the program over them."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from importlib import import_module
from types import ModuleType
from typing import Any, Concatenate, NoReturn, ParamSpec, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from . import team
from .arenas import aligned_zeros, matrix, read_only
from .kernels import layers as layer_kernels
from .kernels import program, schema
from .kernels import threads as words
from .layer import Layer, Shape
from .lowering import lower
from .names import look_up
from .optimizers import Optimizer
from .pace import Pace
from .plan import Plan
from .samples import Samples, as_numbers
from .schedules import NO_PLATEAU
from .targets import Targets

DTYPES: dict[str, np.dtype[Any]] = {"float32": np.dtype(np.float32), "float64": np.dtype(np.float64)}
ENGINES = {"kernels": ".kernels.program", "reference": ".kernels.reference"}
CHUNK_BYTES = 2**22  # of the widest value of a chunk of samples, so that it stays in the caches

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def _in_turn(
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
        self._pace: tuple[object, Pace] = (None, Pace(1, 1))  # of the last training
        self._by_hand = 0  # rows of the last forward call
        for layer in self.layers:
            layer._network = self
        for layer in self.layers:
            layer.initialize(seed)

    def __reduce__(self) -> NoReturn:
        """Copies would lose the views and the alignment, and pickles can run code."""
        raise TypeError("a built model cannot be copied or pickled: use its save, and load")

    # Memory

    def weight_rows(self, position: int, arena: np.ndarray) -> np.ndarray:
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
                        averages = self.weight_rows(layer._position, self.averages)
                        self.weight_rows(layer._position, self.params)[...] = averages
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

    def _prepare(
        self, plan_of: Callable[[], Plan], purpose: str, key: object, threads: int
    ) -> tuple[Plan, schema.State]:
        """A plan and its arenas, kept for the next run of this purpose if its key is the same."""
        self.check_ready()
        if purpose not in self._runs or self._runs[purpose][0] != (key, threads):
            plan = plan_of()
            self._runs[purpose] = (key, threads), plan, self._state(plan, threads)
        return self._runs[purpose][1:]

    def _state(self, plan: Plan, threads: int) -> schema.State:
        """The arenas of a plan: those of the network, and workspace of its own."""
        widest = int(plan.operations["ldw"].max(initial=0))
        return schema.State(
            params=self.params,
            gradients=self.gradients,
            slots=self.slots,
            workspace=aligned_zeros(plan.workspace, self.dtype),
            scratch=aligned_zeros(threads * int(layer_kernels.UPDATE_ROWS) * widest, self.dtype),
            losses=aligned_zeros(plan.rows, self.dtype),
            scores=aligned_zeros(plan.rows, self.dtype),
            labels=aligned_zeros(plan.rows, np.dtype(np.int64)),
        )

    def _data(self, samples: Samples, targets: Targets | None, order: np.ndarray) -> schema.Data:
        none = np.zeros(0, self.dtype)
        labels, values, weights, _ = targets or (np.zeros(0, np.int64), none, none, None)
        # All read-only: to Numba, arrays that may not be written are a type of their own, compiled anew.
        arrays = (samples.bytes(), samples.starts, samples.columns, labels, values, weights, order)
        inputs, *others = map(read_only, arrays)
        return schema.Data(inputs, samples.kind, *others)

    def _update(self, optimizer: Optimizer, engine: str, hyper: np.ndarray) -> schema.Update:
        """How gradients become steps, for an engine."""
        words, rules = _entries(engine).prepared(optimizer.code, self.dtype), optimizer.rules
        words[schema.NORMS] = optimizer.needs_norms
        words[schema.CLIPS] = bool(rules[schema.WEIGHT_DECAY]) or np.isfinite(rules[1:4]).any()
        return schema.Update(words, hyper, rules, self._sums, self.averages)

    def _pace_of(self, engine: str, threads: int | None, batch_size: int) -> Pace:
        """The pace of such a training, with what it knows from the last one; a given number of threads is kept."""
        work = self.work(batch_size, 3)
        size = choose_size(engine, threads, work)
        key = (size, threads is None, batch_size)
        if self._pace[0] != key:
            self._pace = key, Pace(size, work, fixed=threads is not None)
        return self._pace[1]

    def work(self, rows: int, passes: int) -> int:
        """Multiply-adds of `passes` passes of this many rows through the network."""
        dense = self.inference.operations[self.inference.operations["weights"] >= 0]
        return int(passes * rows * ((dense["depth"] - 1) * dense["fan_out"]).sum())

    def team_rows(self, size: int) -> int:
        """Rows of the workspace when each of `size` threads takes chunks of samples of its own."""
        row = schema.stride(max(self.widths), self.dtype) * self.dtype.itemsize
        least, most = int(program.ROW_GRAIN), int(program.CHUNK)
        return size * max(least, min(most, CHUNK_BYTES // row // least * least))

    # Runs

    @_in_turn
    def train_epoch(
        self,
        samples: Samples,
        targets: Targets,
        order: np.ndarray,
        *,
        optimizer: Optimizer,
        batch_size: int,
        epoch: int,
        threads: int | None,
        engine: str,
        on_step: Callable[[int], None] | None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Train once on the samples whose numbers are in `order`.

        Returns
        -------
        totals : ndarray, float64
            Sum of the losses, sum of the scores, number of samples.
        control : ndarray
            The shared words, which tell how it ended.
        """
        pace = self._pace_of(engine, threads, batch_size)
        self.prepare_slots(optimizer)
        if optimizer.needs_norms:
            self.keep_gradients()
        plan, state = self._prepare(
            lambda: lower(
                self.layers,
                self.features,
                batch_size,
                self.dtype,
                loss=targets.formula,
                training=True,
                sparse_input=samples.sparse,
            ),
            "train",
            (targets.formula, batch_size, samples.sparse),
            pace.largest,
        )
        data = self._data(samples, targets, order)
        first, count = max(self.steps) + 1, -(-order.size // batch_size)
        update = self._update(optimizer, engine, optimizer.hyper(first, count, self.dtype, self.plateau))
        totals, seed = np.zeros(3), np.uint64(self.seed)
        run = _entries(engine).train_epoch
        control = team.new_control()
        while (
            (done := int(control[words.STEP])) < count
            and not control[words.HALT]
            and not control[words.BROKEN]
        ):
            size, steps = pace.next(count - done)
            part = data._replace(order=read_only(order[: (done + steps) * batch_size]))
            control = team.new_control()
            control[words.STEP] = done

            def work(control: np.ndarray, rank: int, size: int, part: schema.Data = part) -> None:
                run(
                    totals, plan.operations, state, part, batch_size, update, seed, epoch, control, rank, size,
                )  # fmt: skip

            start = time.perf_counter()
            try:
                team.run(work, size, control, amount=steps * self.work(batch_size, 3), on_wait=on_step)
            finally:
                self.steps = [first - 1 + int(control[words.STEP])] * len(self.layers)
            pace.note(size, steps, time.perf_counter() - start)
            if on_step is not None:
                on_step(int(control[words.STEP]))
        return totals, control

    @_in_turn
    def evaluate(
        self,
        samples: Samples,
        targets: Targets,
        *,
        threads: int | None,
        engine: str,
        order: np.ndarray | None = None,
    ) -> tuple[float, float]:
        """Mean loss and mean score of the samples whose numbers are in `order`; without one, of all."""
        order = np.arange(samples.count) if order is None else order
        count, work_of_all = order.size, self.work(order.size, 1)
        size = choose_size(engine, threads, work_of_all)
        rows = self.team_rows(size) if engine == "kernels" else count
        plan, state = self._prepare(
            lambda: lower(
                self.layers,
                self.features,
                rows,
                self.dtype,
                loss=targets.formula,
                sparse_input=samples.sparse,
            ),
            "evaluate",
            (targets.formula, rows, samples.sparse),
            size,
        )
        data = self._data(samples, targets, order)
        losses, scores = np.zeros(count, self.dtype), np.zeros(count, self.dtype)
        run = _entries(engine).evaluate

        def work(control: np.ndarray, rank: int, size: int) -> None:
            run(losses, scores, plan.operations, state, data, control, rank, size)

        team.run(work, size, team.new_control(), amount=work_of_all)
        # fsum is exact, so the order of the rows does not matter.
        return math.fsum(losses) / count, math.fsum(scores) / count

    @_in_turn
    def predict(
        self, samples: Samples, *, threads: int | None, engine: str, order: np.ndarray | None = None
    ) -> np.ndarray:
        """The outputs for the samples whose numbers are in `order`, shape (samples, outputs); without one, for all."""
        order = np.arange(samples.count) if order is None else order
        count, work_of_all = order.size, self.work(order.size, 1)
        size = choose_size(engine, threads, work_of_all)
        rows = self.team_rows(size) if engine == "kernels" else count
        plan, state = self._prepare(
            lambda: lower(self.layers, self.features, rows, self.dtype, sparse_input=samples.sparse),
            "predict",
            (rows, samples.sparse),
            size,
        )
        data = self._data(samples, None, order)
        outputs = np.empty((count, self.outputs), self.dtype)
        run = _entries(engine).predict

        def work(control: np.ndarray, rank: int, size: int) -> None:
            run(outputs, plan.operations, state, data, control, rank, size)

        team.run(work, size, team.new_control(), amount=work_of_all)
        return outputs

    # One pass at a time, by hand

    def _hand_run(self, rows: int) -> tuple[Plan, schema.State]:
        self.keep_gradients()
        return self._prepare(
            lambda: lower(self.layers, self.features, rows, self.dtype, training=True, input_delta=True),
            "by hand",
            rows,
            1,
        )

    @_in_turn
    def forward(self, span: slice, samples: Samples) -> np.ndarray:
        """Run some of the layers forward, as in training."""
        rows, width = samples.count, self.widths[span.start]
        if math.prod(samples.shape) != width:
            raise ValueError(f"X: expected {width} columns, got samples of shape {samples.shape}")
        plan, state = self._hand_run(rows)
        data = self._data(samples, None, np.arange(rows))
        # The values come in where the operation before these would put them.
        operations = _operations(plan, span)
        entry, before = plan.operations[:1].copy(), plan.operations[plan.spans[span.start].start - 1]
        for field in ("y", "ldy", "fan_out"):
            entry[field] = before[field]
        walked = np.concatenate([entry, operations])
        program.forward(walked, state, data, rows, np.uint64(self.seed), 0)
        self._by_hand = rows
        last = walked[-1]
        return matrix(state.workspace, int(last["y"]), int(last["ldy"]), rows, int(last["fan_out"])).copy()

    def backward(self, span: slice, d_y: ArrayLike) -> np.ndarray:
        """Run some of the layers backward, after `forward` of the same rows or of one; fill their gradients."""
        given = as_numbers(d_y, "d_y")
        d_x = self._backward(span, np.atleast_2d(given))
        return d_x[0] if given.ndim == 1 else d_x

    @_in_turn
    def _backward(self, span: slice, d_y: np.ndarray) -> np.ndarray:
        rows, columns = self._by_hand, self.widths[span.stop]
        if rows == 0:
            raise RuntimeError("backward: call forward first")
        if d_y.shape != (rows, columns):
            raise ValueError(
                f"d_y: expected shape {(rows, columns)}, that of the last forward output, got {d_y.shape}"
            )
        plan, state = self._hand_run(rows)
        operations = _operations(plan, span)
        if len(operations) == 0:
            return d_y.astype(self.dtype)
        first, last = operations[0], operations[-1]
        matrix(state.workspace, int(last["dy"]), int(last["ldy"]), rows, columns)[...] = d_y
        program.backward(operations, state, rows, np.uint64(self.seed), 0)
        return matrix(state.workspace, int(first["dx"]), int(first["ldx"]), rows, int(first["fan_in"])).copy()

    @_in_turn
    def step(self, optimizer: Optimizer, span: slice) -> None:
        """Update some of the layers from the gradients of the last `backward`."""
        self.require_parameters("step")
        optimizer.check_dtype(self.dtype)
        self.kept_gradients()
        self.prepare_slots(optimizer)
        plan, state = self._hand_run(max(self._by_hand, 1))
        for position in range(*span.indices(len(self.layers))):
            self.steps[position] += 1
        operations = _operations(plan, span)
        if len(operations):
            rows = [
                optimizer.hyper(self.steps[layer], 1, self.dtype, self.plateau)
                for layer in operations["layer"].tolist()
            ]
            program.step(operations, state, self._update(optimizer, "kernels", np.concatenate(rows)))


def _entries(engine: str) -> ModuleType:
    """The module with the entries of an engine; few processes need both."""
    return import_module(look_up("engine", engine, ENGINES), __package__)


def choose_size(engine: str, threads: int | None, work: float) -> int:
    """Size of the team; the reference runs on one thread, and its BLAS on as many as it likes."""
    size = team.choose_threads(threads, work)
    return size if engine == "kernels" else 1


def _operations(plan: Plan, span: slice) -> np.ndarray:
    spans = plan.spans[span]
    return plan.operations[spans[0].start : spans[-1].stop]


def _walk_shapes(layers: Sequence[Layer], shape: Shape) -> list[Shape]:
    """The shapes of one sample before, between and after all layers; a ValueError where it does not fit."""
    if not layers:
        raise ValueError("the model has no layers: add some first, e.g. add(Dense(10, 'softmax'))")
    shapes = [shape]
    for layer in layers:
        shapes.append(layer.output_shape(shapes[-1]))
    if len(shapes[-1]) != 1:
        raise ValueError(
            f"the network puts out samples of shape {shapes[-1]}; expected rows of numbers: add Flatten()"
        )
    return shapes
