"""The product of pairs as machine code of its own, called by address; compiled when a plan first uses it."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from numba import types

from .. import simd
from ..compiler.jit import address, entry
from ..loops.pair_product import pair_product
from ..loops.tile_product import tile_product
from ..schema import ZERO, Matrix, Panels
from ..simd import Int, Pointer, Rows


@entry
def emulated_product(c, first, a, b, ldc, ldf, lda, step, rows, columns, groups):
    """`pair_product` on pointers."""
    pair_product(
        Matrix(c, ZERO, ldc), Matrix(first, ZERO, ldf), Matrix(a, ZERO, lda), Panels(b, ZERO, step), rows, columns,
        groups,
    )  # fmt: skip


@entry
def tiled_product(c, first, a, b, ldc, ldf, lda, step, rows, columns, groups):
    """`tile_product` on pointers: only a processor with a matrix unit can compile and run it."""
    tile_product(
        Matrix(c, ZERO, ldc), Matrix(first, ZERO, ldf), Matrix(a, ZERO, lda), Panels(b, ZERO, step), rows, columns,
        groups,
    )  # fmt: skip


_TYPES = (*[types.CPointer(types.float32)] * 4, *[types.int64] * 7)


def entries_of() -> Iterator[tuple[Any, tuple[types.Type, ...]]]:
    """The entries that this processor can run, each with the types of its arguments."""
    yield emulated_product, _TYPES
    if simd.matrix_unit().used:
        yield tiled_product, _TYPES


@cache
def product_address() -> int:
    """The address of the product's machine code, which is compiled or loaded: tiles, if there are any to use."""
    return address(tiled_product if simd.matrix_unit().used else emulated_product, _TYPES)


def emit_call(
    place: Pointer, C: Rows, first: Rows, A: Rows, B: Panels, rows: Int, columns: Int, groups: Int
) -> None:  # fmt: skip
    """Emit a call of the product whose address is at this place."""
    panels = B.arena + B.start
    place.call(
        C.start, first.start, A.start, panels, C.stride, first.stride, A.stride, B.step, rows, columns, groups
    )  # fmt: skip
