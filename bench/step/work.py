"""The arithmetic of a plan: the operations and the bytes of each phase of each operation, for one step."""

from typing import Any, NamedTuple

from fastmlp.kernels.program.phases import BACKWARD, FORWARD, GRADIENT, TRANSPOSE, UPDATE
from fastmlp.kernels.schema import DENSE, INPUT, LOSS, MIXED, ROUND_DELTAS, ROUND_VALUES, SPARSE

PRODUCTS = (DENSE, SPARSE, MIXED)


class Work(NamedTuple):
    """What a phase has to do at least."""

    flops: float = 0.0  # of its products, two for each multiply-add; a sparse input counts as a dense one
    traffic: float = 0.0  # bytes that are read and written
    footprint: float = 0.0  # bytes of the memory that holds them

    def __add__(self, other: "Work") -> "Work":  # type: ignore[override]
        return Work(*(a + b for a, b in zip(self, other, strict=True)))


class Step(NamedTuple):
    """What the work of a step depends on besides its plan."""

    rows: int  # of the batch
    number: int  # bytes of a number of the network
    sample: int  # bytes of a sample in the data
    slots: int  # numbers of optimizer state for each parameter
    keeps_gradients: bool  # the gradients of all weights are summed before any is updated


def _moved(*arrays: float, twice: float = 0.0) -> Work:
    """Read or write each of these arrays once; and read and write again those that count in `twice`."""
    return Work(0.0, sum(arrays) + twice, sum(arrays))


def _product(flops: float, *arrays: float) -> Work:
    return Work(flops, sum(arrays), sum(arrays))


def _factor(op: dict[str, Any]) -> float:
    """The size of the factors of a product, compared with that of the network's numbers."""
    return 0.5 if op["kind"] == MIXED else 1.0


def _forward(op: dict[str, Any], step: Step, x: float, y: float, weights: float) -> Work:
    if op["kind"] == INPUT:
        return _moved(step.rows * step.sample, y)
    if op["kind"] == LOSS:
        return _moved(x, x)
    if op["kind"] == ROUND_DELTAS:
        return Work()
    if op["kind"] not in PRODUCTS:
        return _moved(x, y)  # of ROUND_VALUES, y is two copies of half the size
    factor = _factor(op)
    product = _product(2 * step.rows * op["depth"] * op["fan_out"], factor * x, factor * weights, y)
    # The second half sums are written, and read with the first ones, to which they are added.
    return product + _moved(y, twice=3 * y) if op["half"] else product


def _inner(op: dict[str, Any], step: Step) -> float:
    """Bytes of the weights without the biases."""
    return op["fan_in"] * op["fan_out"] * step.number


def _backward(op: dict[str, Any], step: Step, x: float, y: float) -> Work:
    if op["kind"] == ROUND_DELTAS:
        return _moved(y, y)
    if op["dx"] < 0 or op["kind"] in (INPUT, LOSS, ROUND_VALUES):
        return Work()
    if op["kind"] in PRODUCTS:
        factor = _factor(op)
        return _product(
            2 * step.rows * op["fan_in"] * op["fan_out"], factor * y, factor * _inner(op, step), x
        )
    return _moved(y, y, x)


def _of_weights(op: dict[str, Any], step: Step, x: float, y: float, weights: float) -> dict[int, Work]:
    """Gradient, update and transpose."""
    flops = 2 * step.rows * op["depth"] * op["fan_out"] if op["kind"] in PRODUCTS else 0
    factor, is_copied = _factor(op), op["kind"] == MIXED or op["transposed"] >= 0
    return {
        GRADIENT: _product(flops, factor * x, factor * y, weights),
        UPDATE: _moved(weights * (2 + step.slots), twice=weights * (1 + step.slots)),
        TRANSPOSE: _moved(2 * _inner(op, step))
        if is_copied
        else Work(),  # MIXED: two copies of half the size
    }


def work(plan: list[dict[str, Any]], step: Step) -> dict[tuple[int, int], Work]:
    """The work of a step by operation and phase, all ranks together.

    Where gradients are kept, those of all operations are one phase, and all updates with their transposes another, of
    operation 0.
    """
    found: dict[tuple[int, int], Work] = {}
    for i, op in enumerate(plan):
        x, y = (step.rows * op[name] * step.number for name in ("fan_in", "fan_out"))
        weights = max(op["depth"], 0) * op["fan_out"] * step.number
        found[i, FORWARD] = _forward(op, step, x, y, weights)
        found[i, BACKWARD] = _backward(op, step, x, y)
        if op["weights"] >= 0:
            for phase, amount in _of_weights(op, step, x, y, weights).items():
                place = (0, min(phase, UPDATE)) if step.keeps_gradients else (i, phase)
                found[place] = found.get(place, Work()) + amount
    return {place: amount for place, amount in found.items() if amount != Work()}
