"""Emits vector IR: numbers with operators, so that a kernel reads like its mathematics.

The only folder that builds LLVM's IR. A `primitive` is a Python function that writes LLVM instructions when a kernel
that calls it is compiled. It gets a `Matrix` as `Rows`, an array as a `Pointer`, an integer as an `Int`, and a
floating-point number as a `Vec` with the number in every lane. What it emits is exact IEEE 754 arithmetic: every
operation rounds once, `fma` once for both operations, and nothing is reordered, so the bits do not depend on the width
of the vectors.

Vectors have the width of this machine's widest registers, or of the environment variable FASTMLP_LANES (float32 lanes:
16 for AVX-512, 8 for AVX2, 4 for NEON and SSE). A float64 vector has half as many lanes.

Emitted code does not check indices, not even with FASTMLP_BOUNDSCHECK=1: Numba checks only the indexing that it
compiles itself. With this setting, a choice that has no case ends the process.
"""

from .amx import TILE_ROWS, TILES, HardwareTiles, MatrixUnit, Tiles, matrix_unit
from .float_mode import (
    leave_flushing_float_mode,
    read_float_mode,
    restore_float_mode,
    use_default_float_mode,
    use_flushing_float_mode,
    write_float_mode,
)
from .flow import CHECKED, TIMED, Case, choose, each_bit, repeat, when
from .host import FEATURES, LLVMLITE_VERSION, TRIPLE, missing_instructions, require_instructions
from .memory import Pointer, Rows, clock, either_place, joined_bits, no_bits, no_lanes, on_stack, pause, spill
from .numbers import (
    Int,
    Vec,
    absolute,
    bit,
    either,
    either_int,
    fma,
    low_bits,
    maximum,
    minimum,
    polynomial,
    select,
    shuffle,
    smaller,
    sqrt,
    with_sign_of,
    zero,
)
from .primitives import primitive
from .width import DOUBLE, FLOAT32_LANES, FLOAT32_LINE, HOST_LANES, INT32, LINE, SINGLE

__all__ = [
    "CHECKED", "DOUBLE", "FEATURES", "FLOAT32_LANES", "FLOAT32_LINE", "HOST_LANES", "INT32", "LINE",
    "LLVMLITE_VERSION", "SINGLE", "TILES", "TILE_ROWS", "TIMED", "TRIPLE", "Case", "HardwareTiles", "Int",
    "MatrixUnit", "Pointer", "Rows", "Tiles", "Vec", "absolute", "bit", "choose", "clock", "each_bit", "either",
    "either_int", "either_place", "fma", "joined_bits", "leave_flushing_float_mode", "low_bits", "matrix_unit",
    "maximum", "minimum", "missing_instructions", "no_bits", "no_lanes", "on_stack", "pause", "polynomial",
    "primitive", "read_float_mode", "repeat", "require_instructions", "restore_float_mode", "select", "shuffle",
    "smaller", "spill", "sqrt", "use_default_float_mode", "use_flushing_float_mode", "when", "with_sign_of",
    "write_float_mode", "zero",
]  # fmt: skip
