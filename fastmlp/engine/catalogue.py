"""Everything that can be compiled: each entry with the types of its arguments, as fastmlp calls it.

`fastmlp warm` compiles what is listed here, and a platform wheel carries it. `tests/test_catalogue.py` checks that
training, evaluation, prediction and reading files call nothing else.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numba import typeof

from ..kernels import schema
from ..kernels.extras import decimal_parser, digits, orthonormal
from ..kernels.loops import rng
from ..kernels.program import entries, operation_code, optimizer_code
from ..kernels.tables import OPTIMIZERS
from .network import PRECISIONS

_INTEGER = 0
_SEED = np.uint64(0)  # a seed is unsigned wherever an entry takes one
_PLAN = np.zeros(0, schema.OPERATION)


class Compilation(NamedTuple):
    """An entry, and the types of the arguments that it is compiled for."""

    entry: Any
    types: tuple[Any, ...]


def compilations(dtypes: Sequence[str]) -> Iterator[Compilation]:
    """All that networks of these precisions use, in a fixed order; what most processes need comes first.

    Those of `mixed_bfloat16` use what is listed for it and all that is listed for `float32`.
    """
    for precision in (PRECISIONS[name] for name in dtypes):
        dtype = precision.dtype
        if precision.mixed:
            yield from (Compilation(*each) for each in operation_code.mixed_entries())
            continue
        yield from _program(dtype)
        yield from (Compilation(*each) for each in operation_code.entries_of(dtype))
        for code in range(len(OPTIMIZERS)):
            yield from (Compilation(*each) for each in optimizer_code.entries_of(code, dtype))
    yield from _beside_the_program()


def _of(entry: Any, *arguments: Any) -> Compilation:
    """An entry for arguments like these."""
    return Compilation(entry, tuple(map(typeof, arguments)))


def _array(dtype: Any, dimensions: int = 1) -> np.ndarray:
    return np.zeros((0,) * dimensions, dtype)


def _read_only(dtype: Any) -> np.ndarray:
    array = _array(dtype)
    array.flags.writeable = False
    return array


def _state(dtype: np.dtype) -> schema.State:
    arena = _array(dtype)
    return schema.State(arena, arena, arena, arena, arena, arena, arena, _array(np.int64))


def _data(dtype: np.dtype) -> schema.Data:
    integers, numbers = _read_only(np.int64), _read_only(dtype)
    samples = _read_only(np.uint8), _INTEGER, integers, _read_only(np.int32)
    return schema.Data(*samples, integers, numbers, numbers, order=_array(np.int64))


def _update(dtype: np.dtype) -> schema.Update:
    numbers = _array(dtype)
    return schema.Update(_array(np.int64), numbers, _array(np.float64), numbers, numbers)


def _epochs(dtype: np.dtype) -> schema.Epochs:
    numbers, results = _array(dtype), _array(np.float64)
    return schema.Epochs(_array(np.int64), numbers, numbers, results, results, results)


def _program(dtype: np.dtype) -> Iterator[Compilation]:
    """The entries that execute a plan."""
    numbers, state, data, update = _array(dtype), _state(dtype), _data(dtype), _update(dtype)
    key = _SEED, _INTEGER
    team = _array(np.int64), _INTEGER, _INTEGER
    epochs, evaluation = _epochs(dtype), schema.Evaluation(numbers, numbers, _PLAN, state, data, _INTEGER)
    yield _of(entries.train, _PLAN, state, data, _INTEGER, update, epochs, evaluation, *key, _INTEGER, *team)
    yield _of(entries.evaluate, _array(np.float64), evaluation, *team)
    yield _of(entries.predict, _array(dtype, 2), _PLAN, state, data, *team)
    yield _of(entries.predict_row, _PLAN, numbers, numbers)
    yield _of(entries.forward, _PLAN, state, data, _INTEGER, *key)
    yield _of(entries.backward, _PLAN, state, _INTEGER, *key)
    yield _of(entries.step, _PLAN, state, update)


def _beside_the_program() -> Iterator[Compilation]:
    """The entries that are the same for all networks."""
    integers, table, pairs = _array(np.int64), _array(np.float64, 2), _array(np.int64, 2)
    yield _of(rng.fill, _array(np.uint64), _SEED, _INTEGER, _INTEGER)
    yield _of(rng.shuffle, integers, _SEED, _INTEGER)
    yield _of(orthonormal.orthonormalise, table, _array(np.float64))
    yield _of(
        decimal_parser.read_lines, table, pairs, integers, integers, _array(np.uint8), integers, _INTEGER
    )
    points = _array(np.float32, 2)
    yield _of(
        digits.draw_digits, _array(np.uint8, 3), _array(np.uint8), points, points, pairs, pairs, points, pairs,
        _SEED, _SEED,
    )  # fmt: skip
