"""Every kernel on the shapes of the workloads; activations, losses and optimizers from the kernels' own tables."""

from collections.abc import Iterator
from functools import partial
from itertools import count

import numpy as np

from fastmlp.kernels import reference, schema, tables
from fastmlp.kernels.compiler.jit import kernel
from fastmlp.kernels.loops import losses, rng, softmax
from fastmlp.kernels.loops.activations import ACTIVATIONS, activation_backward, activation_forward
from fastmlp.kernels.loops.transpose import transpose
from fastmlp.kernels.program import gather, optimizer_code
from fastmlp.kernels.schema import Matrix
from tests.kernels import networks

from .problems import ITEM, SINGLE, Case, Output, Problem, blank, numbers, repeated
from .product_cases import pair_products, products, sparse_products

OPTION = np.float32(0.5)  # of losses and activations: small enough that all of them take it
FUNCTION_ULP = 4  # of NumPy's elementary functions
BLOCKS = {"small": (64, 128), "large": (256, 1024)}  # values between the layers
HEAD = (256, 10)
SAMPLES = 60_000


# Elementwise kernels: a fixed number of reads and writes per number.


def _activation(code: int, rows: int, columns: int, backward: bool) -> Problem:
    matrices = [numbers(rows, columns, seed) for seed in range(4 if backward else 2)]
    sizes = [float(np.abs(matrix.arena).max()) for matrix in matrices]
    if backward:
        kernel, twin = activation_backward, reference.activations.activation_backward
        # A derivative may be made of the output or the input: its error is at most that of its square.
        largest = sizes[1] * (1 + max(sizes[2:]) ** 2)
    else:
        kernel, twin = activation_forward, reference.activations.activation_forward
        # The reference's 1 + tanh cancels where x is far below 0: the error is in units of x, not of the result.
        largest = sizes[1]
    # Only the output or the input is read; for the identity, neither.
    row, formula = ACTIVATIONS[code]
    used = 2 if row.name == "identity" or not backward else 3
    size = ITEM * used * rows * columns
    return Problem(
        repeated(kernel, kernel.__name__), twin, (*matrices, rows, columns, code, 0.01),
        [Output(0, rows, columns, largest)],
        terms=int(2 * (formula.max_ulp + FUNCTION_ULP)), traffic=size, footprint=size,
    )  # fmt: skip


def _activations() -> Iterator[Case]:
    for code, activation in enumerate(tables.ACTIVATIONS):
        for rows, columns in BLOCKS.values():
            for name, backward in (("activation forward", False), ("activation backward", True)):
                build = partial(_activation, code, rows, columns, backward)
                yield Case(name, f"{activation.name} {rows} x {columns}", build)


def _softmax(backward: bool) -> Problem:
    rows, columns = HEAD
    x, out = numbers(rows, columns), blank(rows, columns)
    terms, size = columns + 4 * FUNCTION_ULP, ITEM * rows * columns
    if backward:
        output = Output(0, rows, columns, columns * float(np.abs(x.arena).max()) ** 3)
        arguments = (out, x, numbers(rows, columns, seed=1), rows, columns)
        return Problem(
            repeated(softmax.softmax_backward, "softmax_backward"), reference.softmax.softmax_backward,
            arguments, [output], terms=terms, traffic=3 * size, footprint=3 * size,
        )  # fmt: skip
    return Problem(
        repeated(softmax.softmax_forward, "softmax_forward"), reference.softmax.softmax_forward,
        (out, x, rows, columns), [Output(0, rows, columns)],
        terms=terms, traffic=2 * size, footprint=2 * size,
    )  # fmt: skip


def _loss(code: int) -> Problem:
    rows, columns = HEAD
    z, t = numbers(rows, columns), numbers(rows, columns, seed=1)
    t.arena[:] = np.abs(t.arena) % 1
    labels = np.random.default_rng(0).integers(0, columns, rows)
    row_losses, scores = (Matrix(np.zeros(rows, SINGLE), 0, 1) for _ in range(2))
    scale, largest = np.float32(1 / rows), float(np.abs(z.arena).max()) + 1
    targets = losses.Targets(Matrix(labels, 0, 1), t)
    arguments = (
        code, blank(rows, columns), row_losses, scores, z, targets, rows, columns, scale, OPTION
    )  # fmt: skip
    outputs = [Output(1, rows, columns, largest * scale), Output(2, rows, 1, largest**2)]
    size = ITEM * rows * columns
    return Problem(
        repeated(losses.loss_rows, "loss_rows"), reference.losses.loss_rows, arguments, outputs,
        terms=columns + 4 * FUNCTION_ULP, traffic=2 * size, footprint=2 * size,
    )  # fmt: skip


def _losses() -> Iterator[Case]:
    shape = " x ".join(map(str, HEAD))
    yield Case("softmax forward", shape, partial(_softmax, backward=False))
    yield Case("softmax backward", shape, partial(_softmax, backward=True))
    for code, loss in enumerate(tables.LOSSES):
        yield Case("loss", f"{loss.name} {shape}", partial(_loss, code))


def _optimizer(code: int, rows: int, columns: int) -> Problem:
    row = tables.OPTIMIZERS[code]
    w, g = numbers(rows, columns), numbers(rows, columns, seed=1)
    # From 0.3 to 0.4: a mean of squares is then above the square of a mean, as it is in training.
    states = [np.abs(numbers(rows, columns, seed=2 + j).arena) % 1 for j in range(len(row.slots))]
    slots = np.concatenate([np.float32(0.3) + np.float32(0.1) * state for state in states] or [w.arena[:0]])
    hyper = networks.hyper(row, SINGLE)
    arguments = (
        optimizer_code.prepared(code, np.dtype(SINGLE)), w, Matrix(slots, 0, w.stride), w.arena.size, g,
        Matrix(hyper, 0, 0), rows - 1, 1, columns,
    )  # fmt: skip
    size, held = ITEM * rows * columns, len(row.slots)
    return Problem(
        repeated(optimizer_code.call_step, "call_step"), _optimizer_twin, arguments,
        [Output(1, rows, columns, float(np.abs(w.arena).max()) + 1)],
        terms=12, traffic=(3 + 2 * held) * size, footprint=(2 + held) * size,
    )  # fmt: skip


def _optimizer_twin(words, *arguments):
    reference.optimizers.optimizer_step(*arguments, int(words[schema.CODE]))


def _optimizers() -> Iterator[Case]:
    for code, row in enumerate(tables.OPTIMIZERS):
        for rows, columns in ((785, 128), (1025, 1024)):
            yield Case(
                "optimizer", f"{row.name} {rows} x {columns}", partial(_optimizer, code, rows, columns)
            )


# The other kernels of a step.


def _dropout() -> Problem:
    rows, columns = BLOCKS["large"]
    x, y, epochs = numbers(rows, columns), blank(rows, columns), count()

    def twin(*arguments):
        # A new epoch each time: the reference keeps the factors of the last forward pass.
        reference.rng.dropout(*arguments[:-2], next(epochs), arguments[-1])

    arguments = (y, x, rows, columns, 0.2, np.uint64(7), schema.LAYER_PURPOSE, 0, 0)
    size = ITEM * 2 * rows * columns
    return Problem(
        repeated(rng.dropout, "dropout"), twin, arguments, [Output(0, rows, columns)],
        terms=2, traffic=size, footprint=size,
    )  # fmt: skip


def _transpose() -> Problem:
    rows = columns = 1024
    w, t = numbers(rows, columns), blank(columns, rows)

    def twin(t, w, rows, columns):
        np.copyto(reference.arenas.view(t, columns, rows), reference.arenas.view(w, rows, columns).T)

    size = ITEM * 2 * rows * columns
    return Problem(
        repeated(transpose, "transpose"), twin, (t, w, rows, columns), [Output(0, columns, rows)],
        terms=0, traffic=size, footprint=size,
    )  # fmt: skip


@kernel
def _gather(y, op, state, data, rows):
    gather.input_forward(op, state, data, 0, 0, rows, rows)


def _inputs(kind: int) -> Problem:
    rows, features = 256, 784
    plan, state = networks.build([("dense", 10)], features=features, rows=rows, dtype=SINGLE)
    data = networks.data(4 * rows, features, 10, SINGLE, kind=kind)._replace(targets=np.zeros(0, SINGLE))

    def twin(y, op, state, data, rows):
        reference.entries.forward(plan[:1], state, data, rows, 0, 0)

    read, written = schema.ITEM_TYPES[kind].itemsize * rows * features, ITEM * rows * features
    target = Matrix(state.workspace, 0, int(plan[0]["ldy"]))
    return Problem(
        repeated(_gather, "gather"), twin, (target, plan[0], state, data, rows), [Output(0, rows, features)],
        terms=2, traffic=read + written, footprint=read + written,
    )  # fmt: skip


def _shuffle() -> Problem:
    order = np.zeros(SAMPLES, np.int64)
    return Problem(
        repeated(rng.shuffle, "shuffle"), reference.rng.shuffle, (order, np.uint64(7), 0), [],
        terms=0, traffic=5 * order.nbytes, footprint=order.nbytes,
    )  # fmt: skip


def _rest() -> Iterator[Case]:
    yield Case("dropout", "256 x 1024", _dropout)
    yield Case("transpose", "1024 x 1024", _transpose)
    yield Case("gather", "256 rows of 784 bytes", partial(_inputs, schema.BYTES))
    yield Case("gather", "256 rows of 784 floats", partial(_inputs, schema.SINGLE))
    yield Case("shuffle", f"{SAMPLES:,} samples", _shuffle)


CASES = (
    *products(),
    *pair_products(),
    *sparse_products(),
    *_activations(),
    *_losses(),
    *_optimizers(),
    *_rest(),
)
