"""Emits vector IR: numbers with operators, so that a kernel reads like its mathematics.

The only folder that imports llvmlite. A `primitive` is a Python function that writes LLVM instructions when a
kernel that calls it is compiled: its array arguments come as `Pointer`, integers as `Int`, floating-point
scalars as a `Vec` with that number in every lane. What it emits is exact IEEE 754 arithmetic: every operation
rounds once, `fma` once for both, nothing is reordered, so the bits do not depend on the width of the vectors.

Width: the widest registers of this machine, or what `FASTMLP_LANES` says (float32 lanes: 16 for AVX-512, 8 for
AVX2, 4 for NEON and SSE). A float64 vector has half as many lanes.
"""

from .flow import CHECKED, Case, choose, each_bit, repeat
from .memory import Pointer, Rows, joined_bits, no_bits, no_lanes, pause, spill
from .numbers import (
    Int,
    Vec,
    absolute,
    bit,
    either,
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
from .width import DOUBLE, FLOAT32_LANES, FLOAT32_LINE, HOST_LANES, LINE, SINGLE

__all__ = [
    "CHECKED", "DOUBLE", "FLOAT32_LANES", "FLOAT32_LINE", "HOST_LANES", "LINE", "SINGLE", "Case", "Int", "Pointer",
    "Rows", "Vec", "absolute", "bit", "choose", "each_bit", "either", "fma", "joined_bits", "low_bits", "maximum",
    "minimum", "no_bits", "no_lanes", "pause", "polynomial", "primitive", "repeat", "select", "shuffle", "smaller",
    "spill", "sqrt", "with_sign_of", "zero",
]  # fmt: skip
