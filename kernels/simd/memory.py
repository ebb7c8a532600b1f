"""Addresses of the emitted code, and what is read and written there."""

import platform
from collections.abc import Sequence
from typing import Any, NamedTuple

from llvmlite import ir
from numba.core import cgutils

from .numbers import Int, Vec, as_value, splat
from .width import BYTE, INT, INT32, LINE, NAMES, POINTER, SIZES, lanes_of


def _with_type(builder, value, kind: ir.Type):
    """The same address with another pointer type of llvmlite; all of them are `ptr` in LLVM.

    The type is set on an instruction of our own, since Numba may hold the value too.
    """
    same = builder.gep(value, [ir.Constant(INT32, 0)], source_etype=BYTE)
    same.type = kind
    return same


def _opaque(builder, value):
    """The same address as an opaque pointer: llvmlite would let a typed one load and store its own type only."""
    return value if value.type.is_opaque else _with_type(builder, value, POINTER)


class Pointer:
    """An address of the emitted code; offsets count numbers of type `scalar`. Addresses are computed with GEP only."""

    def __init__(self, builder, value, scalar):
        self.builder, self.value, self.scalar = builder, _opaque(builder, value), scalar

    def __add__(self, offset) -> "Pointer":
        moved = self.builder.gep(self.value, [as_value(offset)], source_etype=self.scalar)
        return Pointer(self.builder, moved, self.scalar)

    @property
    def lanes(self) -> int:
        """Lanes of a vector of these numbers."""
        return lanes_of(self.scalar)

    @property
    def numbers_of_a_line(self) -> int:
        """How many of these numbers fill a cache line."""
        return LINE // SIZES[self.scalar]

    @property
    def _align(self) -> int:
        return SIZES[self.scalar]

    def of(self, scalar: ir.Type) -> "Pointer":
        """The same address, for numbers of another type."""
        return Pointer(self.builder, self.value, scalar)

    def load(self) -> Vec:
        """The vector that starts here."""
        return self.load_at(0, self.lanes)

    def load_at(self, offset, lanes: int) -> Vec:
        """The vector of `lanes` numbers that starts at this offset."""
        kind = ir.VectorType(self.scalar, lanes)
        return Vec(self.builder, self.builder.load((self + offset).value, align=self._align, typ=kind))

    def load_within(self, offset: Int, lanes: int, count: Int) -> Vec:
        """The same, but the numbers at offset `count` and later are 0 and their memory is not read."""
        kind, places = ir.VectorType(self.scalar, lanes), ir.VectorType(INT, lanes)
        steps = Vec(self.builder, ir.Constant(places, list(range(lanes))))
        mask = steps < splat(self.builder, (count - offset).value, lanes)
        signature = ir.FunctionType(kind, [POINTER, INT32, mask.value.type, kind])
        name = f"llvm.masked.load.v{lanes}{NAMES[self.scalar]}.p0"
        function = cgutils.get_or_insert_function(self.builder.module, signature, name)
        align = ir.Constant(INT32, self._align)
        zeros = ir.Constant(kind, [0] * lanes)
        return Vec(
            self.builder, self.builder.call(function, [(self + offset).value, align, mask.value, zeros])
        )

    def store(self, vec: Vec) -> None:
        """Write a vector, from here on."""
        self.builder.store(vec.value, self.value, align=self._align)

    def store_one(self, vec: Vec) -> None:
        """Write the first lane of a vector."""
        self.builder.store(vec.lane(0), self.value, align=self._align)

    def splat(self) -> Vec:
        """The number at this address, in every lane."""
        return splat(self.builder, self.read(), self.lanes)

    def where_not_zero(self) -> Vec:
        """Mask of the lanes of the vector here that are not 0; NaN is not 0."""
        return Vec(self.builder, self.builder.fcmp_unordered("!=", self.load().value, self.zeros().value))

    def bits_of(self, mask: Vec) -> Int:
        """A mask as an integer, lane 0 in the lowest bit."""
        narrow = self.builder.bitcast(mask.value, ir.IntType(mask.lanes))
        return Int(self.builder, self.builder.zext(narrow, INT))

    def prefetch(self, level: int = 1) -> None:
        """Start to load the cache line of this address, which will be read soon, into this level of the caches."""
        kinds = [POINTER, INT32, INT32, INT32]
        signature = ir.FunctionType(ir.VoidType(), kinds)
        function = cgutils.get_or_insert_function(self.builder.module, signature, "llvm.prefetch.p0")
        read, keep, data = (ir.Constant(INT32, number) for number in (0, 4 - level, 1))
        self.builder.call(function, [self.value, read, keep, data])

    def zeros(self) -> Vec:
        """A vector of +0."""
        return Vec(self.builder, ir.Constant(ir.VectorType(self.scalar, self.lanes), [0.0] * self.lanes))

    def read_int(self) -> Int:
        """The signed integer at this address, extended to 64 bits."""
        number = self.read()
        return Int(self.builder, number if self.scalar == INT else self.builder.sext(number, INT))

    def read(self) -> Any:
        """The number at this address, as an IR scalar."""
        return self.builder.load(self.value, align=self._align, typ=self.scalar)

    def write_scalar(self, number: Any) -> None:
        """Write a number, an IR scalar of this type, to this address."""
        self.builder.store(number, self.value, align=self._align)

    def read_atomic(self) -> Any:
        """The number at this address; what its writer wrote before it is visible too (acquire)."""
        return self.builder.load_atomic(self.value, "acquire", self._align, typ=self.scalar)

    def write_atomic(self, number: Int) -> None:
        """Write a number; who reads it sees what this thread wrote before (release)."""
        # llvmlite has no atomic store to an opaque pointer.
        typed = _with_type(self.builder, self.value, self.scalar.as_pointer())
        self.builder.store_atomic(number.value, typed, "release", self._align)

    def write(self, number: Int) -> None:
        """Write a 64-bit integer."""
        self.builder.store(number.value, self.value, align=self._align)

    def address_here(self) -> "Pointer":
        """The address that is stored here."""
        return Pointer(
            self.builder, self.builder.load(self.value, align=self._align, typ=POINTER), self.scalar
        )

    def add_atomic(self, number: Int) -> Any:
        """Add to the number at this address in one indivisible step (acquire and release); return what it was."""
        return self.builder.atomic_rmw("add", self.value, number.value, "acq_rel")

    def swap_atomic(self, expected: Int, number: Int) -> Any:
        """Write a number if the expected one is here, in one indivisible step; return 1 if it was written, else 0."""
        done = self.builder.cmpxchg(self.value, expected.value, number.value, "acq_rel", "acquire")
        return self.builder.zext(self.builder.extract_value(done, 1), INT)

    def call(self, *arguments: "Pointer | Int | Vec") -> None:
        """Call the entry whose machine code is at the address that is stored here.

        It takes pointers, 64-bit integers, and floating-point numbers: of a vector, the first lane.

        In Numba's calling convention, two pointers come first: to the returned value and to the raised exception. The
        entry returns None and never raises, so both are ignored.
        """
        values = [each.lane(0) if isinstance(each, Vec) else each.value for each in arguments]
        signature = ir.FunctionType(INT32, [POINTER, POINTER, *(value.type for value in values)])
        code = self.builder.load(self.value, align=self._align, typ=signature.as_pointer())
        ignored = [_opaque(self.builder, cgutils.alloca_once(self.builder, INT)) for _ in range(2)]
        self.builder.call(code, [*ignored, *values])

    def columns(self, start: Int) -> Vec:
        """The 32-bit integers start, start + 1, ...: the column of each lane."""
        steps = ir.Constant(ir.VectorType(INT32, self.lanes), list(range(self.lanes)))
        return self.integer(start) + Vec(self.builder, steps)

    def integer(self, number: Int) -> Vec:
        """A 32-bit integer in every lane."""
        return splat(self.builder, self.builder.trunc(number.value, INT32), self.lanes)

    def count(self, number: Int) -> Vec:
        """An integer of at most 32 bits as a floating-point number of this pointer's type, in every lane."""
        return self.integer(number).to_float(self.zeros())


class Rows(NamedTuple):
    """Rows of numbers: where row 0 starts, and the distance from a row to the next (0: every row is the same)."""

    start: Pointer
    stride: Int | int

    def row(self, r: Int | int) -> Pointer:
        """Where row r starts."""
        return self.start + self.stride * r

    def from_row(self, r: Int | int) -> "Rows":
        """The rows from row r on."""
        return Rows(self.row(r), self.stride)


def no_bits(like: Pointer) -> Vec:
    """A vector of 64-bit zeros with as many lanes as the pointer's vectors."""
    return Vec(like.builder, ir.Constant(ir.VectorType(INT, like.lanes), [0] * like.lanes))


def no_lanes(like: Pointer) -> Vec:
    """The mask of none of the pointer's lanes."""
    return Vec(like.builder, ir.Constant(ir.VectorType(ir.IntType(1), like.lanes), None))


def joined_bits(like: Pointer, masks: Sequence[Vec]) -> Int:
    """The bits of several masks as one integer, the first mask in the lowest bits."""
    bits = like.bits_of(masks[0])
    for i, mask in enumerate(masks[1:], 1):
        bits = bits | (like.bits_of(mask) << (i * mask.lanes))
    return bits


def spill(vec: Vec) -> Pointer:
    """A copy of a vector of 64-bit integers in memory, from which a lane can be read by a variable index."""
    place = Pointer(vec.builder, cgutils.alloca_once(vec.builder, vec.value.type), INT)
    place.store(vec)
    return place


def either_place(condition, yes: Pointer, no: Pointer) -> Pointer:
    """One of two addresses, chosen by a comparison of integers."""
    return Pointer(yes.builder, yes.builder.select(condition, yes.value, no.value), yes.scalar)


def on_stack(like: Pointer, count: int) -> Pointer:
    """Room for this many numbers of the pointer's type on the stack, aligned to a cache line."""
    place = cgutils.alloca_once(like.builder, ir.ArrayType(like.scalar, count))
    place.align = LINE
    return Pointer(like.builder, place, like.scalar)


def pause(pointer: Pointer) -> None:
    """Tell the core that this is a waiting loop."""
    builder, machine = pointer.builder, platform.machine().lower()
    if machine in {"x86_64", "amd64"}:
        signature = ir.FunctionType(ir.VoidType(), [])
        builder.call(cgutils.get_or_insert_function(builder.module, signature, "llvm.x86.sse2.pause"), [])
    elif machine in {"aarch64", "arm64"}:
        signature = ir.FunctionType(ir.VoidType(), [INT32])
        hint = cgutils.get_or_insert_function(builder.module, signature, "llvm.aarch64.hint")
        builder.call(hint, [ir.Constant(INT32, 1)])


def clock(pointer: Pointer) -> Int:
    """A counter of this core that runs at a constant rate, the same on all cores; 0 on other processors."""
    builder, machine = pointer.builder, platform.machine().lower()
    if machine in {"x86_64", "amd64"}:
        signature = ir.FunctionType(INT, [])
        counter = cgutils.get_or_insert_function(builder.module, signature, "llvm.readcyclecounter")
        return Int(builder, builder.call(counter, []))
    if machine in {"aarch64", "arm64"}:
        read = ir.InlineAsm(ir.FunctionType(INT, []), "mrs $0, cntvct_el0", "=r", side_effect=True)
        return Int(builder, builder.call(read, []))
    return Int(builder, ir.Constant(INT, 0))
