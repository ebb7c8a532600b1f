"""Types of numbers, and the number of lanes of a vector on this machine."""

import os

from llvmlite import ir
from numba import types

from ..schema import LINE as LINE
from .host import FEATURES

FLOAT32_LINE = LINE // 4  # float32 numbers of a cache line

INT = ir.IntType(64)
INT32 = ir.IntType(32)
POINTER = ir.PointerType()
SINGLE, DOUBLE, BYTE = ir.FloatType(), ir.DoubleType(), ir.IntType(8)
SCALARS = {
    types.float32: SINGLE,
    types.float64: DOUBLE,
    types.int64: INT,
    types.int32: INT32,
    types.uint8: BYTE,
}
SIZES = {SINGLE: 4, DOUBLE: 8, INT: 8, INT32: 4, BYTE: 1}
NAMES = {SINGLE: "f32", DOUBLE: "f64", INT: "i64", INT32: "i32", BYTE: "i8"}


def _host_lanes() -> int:
    if "avx512f" in FEATURES:
        return 16
    return 8 if "avx2" in FEATURES else 4


def _chosen_lanes() -> int:
    override = os.environ.get("FASTMLP_LANES", "")
    if override not in {"", "4", "8", "16"}:
        raise ImportError(f"FASTMLP_LANES: expected 4, 8 or 16 float32 lanes, got {override!r}; unset it")
    return int(override or _host_lanes())


HOST_LANES = _host_lanes()
FLOAT32_LANES = _chosen_lanes()


def lanes_of(scalar: ir.Type) -> int:
    """Lanes of a vector of this floating-point type."""
    return FLOAT32_LANES // (2 if isinstance(scalar, ir.DoubleType) else 1)
