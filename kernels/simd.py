"""Emits vector IR: numbers with operators, so that a kernel reads like its mathematics.

The only file that imports llvmlite. A `primitive` is a Python function that writes LLVM instructions when a
kernel that calls it is compiled: its array arguments come as `Pointer`, integers as `Int`, floating-point
scalars as a `Vec` with that number in every lane. What it emits is exact IEEE 754 arithmetic: every operation
rounds once, `fma` once for both, nothing is reordered, so the bits do not depend on the width of the vectors.

Width: the widest registers of this machine, or what `FASTMLP_LANES` says (float32 lanes: 16 for AVX-512, 8 for
AVX2, 4 for NEON and SSE). A float64 vector has half as many lanes.
"""

import inspect
import os
import platform
from collections.abc import Callable, Sequence
from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LINE = 64  # bytes of a cache line, and of the alignment of every arena
FLOAT32_LINE = 16  # float32 numbers of a cache line

_INT = ir.IntType(64)
_INT32 = ir.IntType(32)
_POINTER = ir.PointerType()
SINGLE, DOUBLE, _BYTE = ir.FloatType(), ir.DoubleType(), ir.IntType(8)
_SCALARS = {
    types.float32: SINGLE,
    types.float64: DOUBLE,
    types.int64: _INT,
    types.int32: _INT32,
    types.uint8: _BYTE,
}
_SIZES = {SINGLE: 4, DOUBLE: 8, _INT: 8, _INT32: 4, _BYTE: 1}
_NAMES = {SINGLE: "f32", DOUBLE: "f64", _INT: "i64", _INT32: "i32", _BYTE: "i8"}
_BITS = {"float": _INT32, "double": ir.IntType(64)}


def _host_lanes() -> int:
    features = llvmlite.binding.get_host_cpu_features()
    if features.get("avx512f"):
        return 16
    return 8 if features.get("avx2") else 4


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


class Int:
    """A 64-bit signed integer of the emitted code."""

    def __init__(self, builder, value):
        self.builder, self.value = builder, value

    def _with(self, emit: Callable, other) -> "Int":
        return Int(self.builder, emit(self.value, _int(other)))

    def __add__(self, other):
        return self._with(self.builder.add, other)

    def __sub__(self, other):
        return self._with(self.builder.sub, other)

    def __mul__(self, other):
        return self._with(self.builder.mul, other)

    def __and__(self, other):
        return self._with(self.builder.and_, other)

    def __or__(self, other):
        return self._with(self.builder.or_, other)

    def __lshift__(self, bits):
        return self._with(self.builder.shl, bits)

    def __lt__(self, other):
        return self.builder.icmp_signed("<", self.value, _int(other))


def _int(number):
    return number.value if isinstance(number, Int) else ir.Constant(_INT, int(number))


class Vec:
    """A vector of the emitted code: floating-point numbers, the same number of bits as integers, or a mask."""

    def __init__(self, builder, value):
        self.builder, self.value = builder, value

    @property
    def lanes(self) -> int:
        """Number of lanes."""
        return self.value.type.count

    @property
    def scalar(self) -> ir.Type:
        """Type of a lane."""
        return self.value.type.element

    @property
    def is_double(self) -> bool:
        """Whether the lanes are float64."""
        return isinstance(self.scalar, ir.DoubleType)

    def like(self, number) -> "Vec":
        """The number in every lane, in this vector's type."""
        if isinstance(number, Vec):
            return number
        return Vec(self.builder, ir.Constant(self.value.type, [number] * self.lanes))

    def _with(self, emit: Callable, other, *, swap=False) -> "Vec":
        left, right = (self.like(other), self) if swap else (self, self.like(other))
        return Vec(self.builder, emit(left.value, right.value))

    @property
    def _is_float(self) -> bool:
        return not isinstance(self.scalar, ir.IntType)

    def __add__(self, other):
        return self._with(self.builder.fadd if self._is_float else self.builder.add, other)

    __radd__ = __add__

    def __sub__(self, other):
        return self._with(self.builder.fsub if self._is_float else self.builder.sub, other)

    def __rsub__(self, other):
        return self._with(self.builder.fsub if self._is_float else self.builder.sub, other, swap=True)

    def __mul__(self, other):
        return self._with(self.builder.fmul if self._is_float else self.builder.mul, other)

    __rmul__ = __mul__

    def __truediv__(self, other):
        return self._with(self.builder.fdiv, other)

    def __rtruediv__(self, other):
        return self._with(self.builder.fdiv, other, swap=True)

    def __neg__(self):
        return Vec(self.builder, self.builder.fneg(self.value))

    def __xor__(self, other):
        return self._with(self.builder.xor, other)

    def __and__(self, other):
        return self._with(self.builder.and_, other)

    def __or__(self, other):
        return self._with(self.builder.or_, other)

    def __lshift__(self, bits):
        return self._with(self.builder.shl, bits)

    def __rshift__(self, bits):
        """Logical shift: zeros come in from the left."""
        return self._with(self.builder.lshr, bits)

    def shift_signed(self, bits) -> "Vec":
        """Arithmetic shift: the sign comes in from the left."""
        return self._with(self.builder.ashr, bits)

    def _compare(self, sign: str, other) -> "Vec":
        emit = self.builder.fcmp_ordered if self._is_float else self.builder.icmp_unsigned
        return self._with(lambda a, b: emit(sign, a, b), other)

    def __lt__(self, other):
        return self._compare("<", other)

    def __gt__(self, other):
        return self._compare(">", other)

    def __ge__(self, other):
        return self._compare(">=", other)

    def equals(self, other) -> "Vec":
        """Mask of the equal lanes."""
        return self._compare("==", other)

    def as_bits(self) -> "Vec":
        """The same bits as unsigned integers."""
        kind = ir.VectorType(_BITS[str(self.scalar)], self.lanes)
        return Vec(self.builder, self.builder.bitcast(self.value, kind))

    def as_float(self) -> "Vec":
        """The same bits as floating-point numbers."""
        scalar = ir.FloatType() if self.scalar.width == 32 else ir.DoubleType()
        return Vec(self.builder, self.builder.bitcast(self.value, ir.VectorType(scalar, self.lanes)))

    def to_float(self, model: "Vec") -> "Vec":
        """The signed integers as floating-point numbers of the model's type."""
        return Vec(self.builder, self.builder.sitofp(self.value, model.value.type))

    def converted(self, scalar: ir.Type) -> "Vec":
        """The numbers in another floating-point type; bytes count from 0 to 255."""
        if self.scalar == scalar:
            return self
        kind = ir.VectorType(scalar, self.lanes)
        if isinstance(self.scalar, ir.IntType):
            return Vec(self.builder, self.builder.uitofp(self.value, kind))
        convert = self.builder.fpext if scalar == DOUBLE else self.builder.fptrunc
        return Vec(self.builder, convert(self.value, kind))

    def lanes_at(self, positions: Sequence[int]) -> "Vec":
        """The vector of the lanes at these positions."""
        mask = ir.Constant(ir.VectorType(_INT32, len(positions)), list(positions))
        undefined = ir.Constant(self.value.type, ir.Undefined)
        return Vec(self.builder, self.builder.shuffle_vector(self.value, undefined, mask))

    def lane(self, position: int):
        """One lane, as an IR scalar."""
        return self.builder.extract_element(self.value, ir.Constant(_INT32, position))


def _call(name: str, *arguments: Vec) -> Vec:
    """Call the LLVM intrinsic `name` on vectors of one type."""
    builder, kind = arguments[0].builder, arguments[0].value.type
    signature = ir.FunctionType(kind, [kind] * len(arguments))
    suffix = f"v{kind.count}f{64 if arguments[0].is_double else 32}"
    function = cgutils.get_or_insert_function(builder.module, signature, f"llvm.{name}.{suffix}")
    return Vec(builder, builder.call(function, [argument.value for argument in arguments]))


def fma(a: Vec, b, c) -> Vec:
    """a * b + c, rounded once."""
    return _call("fma", a, a.like(b), a.like(c))


def sqrt(x: Vec) -> Vec:
    """Square root, correctly rounded."""
    return _call("sqrt", x)


def absolute(x: Vec) -> Vec:
    """|x|."""
    return _call("fabs", x)


def select(mask: Vec, yes, no) -> Vec:
    """`yes` where the mask holds, else `no`; one of the two is a vector."""
    model = yes if isinstance(yes, Vec) else no
    builder = mask.builder
    return Vec(builder, builder.select(mask.value, model.like(yes).value, model.like(no).value))


def either(condition, yes: Vec, no: Vec) -> Vec:
    """The one or the other vector, by a comparison of integers."""
    return Vec(yes.builder, yes.builder.select(condition, yes.value, no.value))


def maximum(a: Vec, b) -> Vec:
    """The larger one, `b` where `a` is NaN."""
    return select(a > b, a, a.like(b))


def minimum(a: Vec, b) -> Vec:
    """The smaller one, `b` where `a` is NaN."""
    return select(a < b, a, a.like(b))


def with_sign_of(magnitude: Vec, sign: Vec) -> Vec:
    """|magnitude| with the sign of `sign`."""
    return _call("copysign", magnitude, sign)


def shuffle(a: Vec, b: Vec, positions: Sequence[int]) -> Vec:
    """The lanes at these positions of a and b, one behind the other."""
    mask = ir.Constant(ir.VectorType(_INT32, len(positions)), list(positions))
    return Vec(a.builder, a.builder.shuffle_vector(a.value, b.value, mask))


def polynomial(x: Vec, coefficients: Sequence[float]) -> Vec:
    """c0 + x (c1 + x (c2 + ...)), one fused operation a term."""
    total = x.like(coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        total = fma(total, x, coefficient)
    return total


class Pointer:
    """An address of the emitted code; offsets count elements. Addresses are computed with GEP only."""

    def __init__(self, builder, value, scalar):
        self.builder, self.value, self.scalar = builder, value, scalar
        value.type = _POINTER  # llvmlite would otherwise accept only loads and stores of one scalar here

    def __add__(self, offset) -> "Pointer":
        moved = self.builder.gep(self.value, [_int(offset)], source_etype=self.scalar)
        return Pointer(self.builder, moved, self.scalar)

    @property
    def lanes(self) -> int:
        """Lanes of a vector of what is here."""
        return lanes_of(self.scalar)

    @property
    def numbers_of_a_line(self) -> int:
        """How many of what is here fill a cache line."""
        return LINE // _SIZES[self.scalar]

    @property
    def _align(self) -> int:
        return _SIZES[self.scalar]

    def of(self, scalar: ir.Type) -> "Pointer":
        """The same address as one of numbers of another type."""
        return Pointer(self.builder, self.value, scalar)

    def load(self) -> Vec:
        """A vector from here on."""
        return self.load_at(0, self.lanes)

    def load_at(self, offset, lanes: int) -> Vec:
        """This many numbers from an offset on."""
        kind = ir.VectorType(self.scalar, lanes)
        return Vec(self.builder, self.builder.load((self + offset).value, align=self._align, typ=kind))

    def load_within(self, offset: Int, lanes: int, count: Int) -> Vec:
        """The same, but 0 for all numbers from the `count`-th on, which are not touched."""
        kind, places = ir.VectorType(self.scalar, lanes), ir.VectorType(_INT, lanes)
        steps = Vec(self.builder, ir.Constant(places, list(range(lanes))))
        mask = steps < _splat(self.builder, (count - offset).value, lanes)
        signature = ir.FunctionType(kind, [_POINTER, _INT32, mask.value.type, kind])
        name = f"llvm.masked.load.v{lanes}{_NAMES[self.scalar]}.p0"
        function = cgutils.get_or_insert_function(self.builder.module, signature, name)
        align = ir.Constant(_INT32, self._align)
        zeros = ir.Constant(kind, [0] * lanes)
        return Vec(
            self.builder, self.builder.call(function, [(self + offset).value, align, mask.value, zeros])
        )

    def store(self, vec: Vec) -> None:
        """A vector to here and on."""
        self.builder.store(vec.value, self.value, align=self._align)

    def store_one(self, vec: Vec) -> None:
        """The first lane of a vector to here."""
        self.builder.store(vec.lane(0), self.value, align=self._align)

    def splat(self) -> Vec:
        """The number here, in every lane."""
        return _splat(self.builder, self.read(), self.lanes)

    def where_not_zero(self) -> Vec:
        """Mask of the lanes from here on that hold something else than 0."""
        return Vec(self.builder, self.builder.fcmp_unordered("!=", self.load().value, self.zeros().value))

    def bits_of(self, mask: Vec) -> Int:
        """A mask as an integer, lane 0 in the lowest bit."""
        narrow = self.builder.bitcast(mask.value, ir.IntType(mask.lanes))
        return Int(self.builder, self.builder.zext(narrow, _INT))

    def prefetch(self) -> None:
        """Ask for the cache line of this address, which will be read soon."""
        kinds = [_POINTER, _INT32, _INT32, _INT32]
        signature = ir.FunctionType(ir.VoidType(), kinds)
        function = cgutils.get_or_insert_function(self.builder.module, signature, "llvm.prefetch.p0")
        read, keep, data = (ir.Constant(_INT32, number) for number in (0, 3, 1))
        self.builder.call(function, [self.value, read, keep, data])

    def zeros(self) -> Vec:
        """A vector of +0."""
        return Vec(self.builder, ir.Constant(ir.VectorType(self.scalar, self.lanes), [0.0] * self.lanes))

    def read_int(self) -> Int:
        """The signed integer here, as one of 64 bits."""
        number = self.read()
        return Int(self.builder, number if self.scalar == _INT else self.builder.sext(number, _INT))

    def read(self) -> Any:
        """The number here, as an IR scalar."""
        return self.builder.load(self.value, align=self._align, typ=self.scalar)

    def read_atomic(self) -> Any:
        """The number here, and all that its writer wrote before it."""
        return self.builder.load_atomic(self.value, "acquire", self._align, typ=self.scalar)

    def write_atomic(self, number: Int) -> None:
        """Publish a number here, after all that this thread wrote before."""
        kind, self.value.type = self.value.type, self.scalar.as_pointer()
        self.builder.store_atomic(number.value, self.value, "release", self._align)
        self.value.type = kind

    def add_atomic(self, number: Int) -> Any:
        """Add to the number here and return what it was: one indivisible step, ordered both ways."""
        return self.builder.atomic_rmw("add", self.value, number.value, "acq_rel")

    def swap_atomic(self, expected: Int, number: Int) -> Any:
        """Write a number here if the expected one stands here: one indivisible step; whether it was done."""
        done = self.builder.cmpxchg(self.value, expected.value, number.value, "acq_rel", "acquire")
        return self.builder.zext(self.builder.extract_value(done, 1), _INT)

    def call(self, *arguments: "Pointer | Int") -> None:
        """Call the kernel whose address stands here, with pointers and 64-bit integers.

        As Numba calls it: two places come first, for what it returns and for what it raises, both of which we ignore.
        """
        kinds = [_POINTER if isinstance(argument, Pointer) else _INT for argument in arguments]
        signature = ir.FunctionType(_INT32, [_POINTER, _POINTER, *kinds])
        code = self.builder.load(self.value, align=self._align, typ=signature.as_pointer())
        ignored = [cgutils.alloca_once(self.builder, _INT) for _ in range(2)]
        for place in ignored:
            place.type = _POINTER
        self.builder.call(code, [*ignored, *(argument.value for argument in arguments)])

    def columns(self, start: Int) -> Vec:
        """The 32-bit integers start, start + 1, ...: the column of each lane."""
        steps = ir.Constant(ir.VectorType(_INT32, self.lanes), list(range(self.lanes)))
        return self.integer(start) + Vec(self.builder, steps)

    def integer(self, number: Int) -> Vec:
        """A 32-bit integer in every lane."""
        return _splat(self.builder, self.builder.trunc(number.value, _INT32), self.lanes)


def pause(pointer: Pointer) -> None:
    """Tell the core that this is a waiting loop."""
    builder, machine = pointer.builder, platform.machine().lower()
    if machine in {"x86_64", "amd64"}:
        signature = ir.FunctionType(ir.VoidType(), [])
        builder.call(cgutils.get_or_insert_function(builder.module, signature, "llvm.x86.sse2.pause"), [])
    elif machine in {"aarch64", "arm64"}:
        signature = ir.FunctionType(ir.VoidType(), [_INT32])
        hint = cgutils.get_or_insert_function(builder.module, signature, "llvm.aarch64.hint")
        builder.call(hint, [ir.Constant(_INT32, 1)])


def _splat(builder, scalar, lanes: int) -> Vec:
    kind = ir.VectorType(scalar.type, lanes)
    zero = ir.Constant(_INT32, 0)
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), scalar, zero)
    mask = ir.Constant(ir.VectorType(_INT32, lanes), None)
    return Vec(builder, builder.shuffle_vector(first, ir.Constant(kind, ir.Undefined), mask))


def repeat(stop: Int, step, carried: Sequence[Vec], body: Callable) -> list[Vec]:
    """Emit `for i in range(0, stop, step): carried = body(i, carried)`; return what is carried out."""
    builder = stop.builder
    before = builder.block
    head, inside, after = (builder.append_basic_block(name) for name in ("head", "inside", "after"))
    builder.branch(head)
    builder.position_at_end(head)
    index = builder.phi(_INT)
    index.add_incoming(ir.Constant(_INT, 0), before)
    phis = [builder.phi(vec.value.type) for vec in carried]
    for phi, vec in zip(phis, carried, strict=True):
        phi.add_incoming(vec.value, before)
    builder.cbranch(Int(builder, index) < stop, inside, after)
    builder.position_at_end(inside)
    results = body(Int(builder, index), [Vec(builder, phi) for phi in phis]) or []
    index.add_incoming((Int(builder, index) + step).value, builder.block)
    for phi, vec in zip(phis, results, strict=True):
        phi.add_incoming(vec.value, builder.block)
    builder.branch(head)
    builder.position_at_end(after)
    return [Vec(builder, phi) for phi in phis]


def walk_bits(bits: Int, carried: Sequence[Vec], body: Callable) -> list[Vec]:
    """Emit `for i in (positions of the set bits, lowest first): carried = body(i, carried)`; return what is carried."""
    builder = bits.builder
    before = builder.block
    head, inside, after = (builder.append_basic_block(name) for name in ("bits", "bit", "no_bits"))
    builder.branch(head)
    builder.position_at_end(head)
    rest = builder.phi(_INT)
    rest.add_incoming(bits.value, before)
    phis = [builder.phi(vec.value.type) for vec in carried]
    for phi, vec in zip(phis, carried, strict=True):
        phi.add_incoming(vec.value, before)
    zero, one_bit = ir.Constant(_INT, 0), ir.Constant(_INT, 1)
    builder.cbranch(builder.icmp_unsigned("!=", rest, zero), inside, after)
    builder.position_at_end(inside)
    position = builder.cttz(rest, ir.Constant(ir.IntType(1), 1))
    results = body(Int(builder, position), [Vec(builder, phi) for phi in phis])
    rest.add_incoming(builder.and_(rest, builder.sub(rest, one_bit)), builder.block)
    for phi, vec in zip(phis, results, strict=True):
        phi.add_incoming(vec.value, builder.block)
    builder.branch(head)
    builder.position_at_end(after)
    return [Vec(builder, phi) for phi in phis]


Case = Int | int  # which one of a table


def choose(key: Case, cases: dict[int, Callable[[], None]]) -> None:
    """Emit a switch: run the case of this key; an unknown key does nothing. A key that is known now needs no switch."""
    if isinstance(key, int):
        cases[key]()
        return
    builder = key.builder
    after = builder.append_basic_block("chosen")
    switch = builder.switch(key.value, after)
    for number, case in cases.items():
        block = builder.append_basic_block(f"case{number}")
        switch.add_case(ir.Constant(_INT, number), block)
        builder.position_at_end(block)
        case()
        builder.branch(after)
    builder.position_at_end(after)


def primitive(emit: Callable) -> Any:
    """Make an emitting function callable from kernels.

    What it returns is annotated: None; int, an IR integer of 64 bits; float, an IR scalar of the first array's type.
    A parameter annotated `Case` comes as a plain number if its type says which (a literal), so that `choose` emits
    that one case and no other; else as an `Int`.
    """
    parameters = inspect.signature(emit).parameters
    is_case = [parameter.annotation is Case for parameter in parameters.values()]

    def definition(typing_context, *arguments):
        result = _returned_type(emit, arguments)

        def codegen(context, builder, signature, values):
            operands = [
                kind.literal_value
                if case and isinstance(kind, types.Literal)
                else _operand(context, builder, kind, value)
                for case, kind, value in zip(is_case, signature.args, values, strict=True)
            ]
            scalar = next(p.scalar for p in operands if isinstance(p, Pointer))
            operands = [_number(builder, operand, scalar) for operand in operands]
            returned = emit(*operands)
            return context.get_dummy_value() if returned is None else returned

        return result(*arguments), codegen

    definition.__name__ = definition.__qualname__ = emit.__name__
    definition.__doc__ = emit.__doc__
    # Numba wants one named parameter for each argument, after the typing context.
    names = ["typing_context", *parameters]
    definition.__signature__ = inspect.Signature(
        [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in names]
    )
    return intrinsic(prefer_literal=True)(definition) if any(is_case) else intrinsic(definition)


def _returned_type(emit: Callable, arguments):
    annotated = emit.__annotations__.get("return")
    if annotated is None:
        return types.void
    if annotated is int:
        return types.int64
    return next(kind.dtype for kind in arguments if isinstance(kind, types.Array))


def _operand(context, builder, kind, value):
    if isinstance(kind, types.Array):
        data = context.make_array(kind)(context, builder, value).data
        return Pointer(builder, data, _SCALARS[kind.dtype])
    if isinstance(kind, types.CPointer):
        return Pointer(builder, value, _SCALARS[kind.dtype])
    if isinstance(kind, types.Integer):
        return Int(builder, value if kind.bitwidth == 64 else builder.sext(value, _INT))
    return value


def _number(builder, operand, scalar):
    """Floating-point arguments, of whichever size, become vectors of the arrays' type."""
    if isinstance(operand, (Pointer, Int, int)):
        return operand
    if operand.type != scalar:
        convert = builder.fptrunc if isinstance(scalar, ir.FloatType) else builder.fpext
        operand = convert(operand, scalar)
    return _splat(builder, operand, lanes_of(scalar))


def one(model: Int) -> Int:
    """The integer 1."""
    return Int(model.builder, ir.Constant(_INT, 1))


def smaller(a: Int, b: int) -> Int:
    """The smaller one of two integers."""
    return Int(a.builder, a.builder.select(a < b, a.value, _int(b)))


def low_bits(count: Int) -> Int:
    """An integer with the lowest `count` bits set, 1 <= count <= 64."""
    builder = count.builder
    return Int(builder, builder.lshr(ir.Constant(_INT, -1), builder.sub(ir.Constant(_INT, 64), count.value)))


def bit(position: Int, lanes: int) -> Vec:
    """The integer with this bit set, in every lane."""
    builder = position.builder
    return _splat(builder, builder.shl(ir.Constant(_INT, 1), position.value), lanes)


def no_bits(like: Pointer) -> Vec:
    """A vector of 64-bit zeros with as many lanes as the pointer's vectors."""
    return Vec(like.builder, ir.Constant(ir.VectorType(_INT, like.lanes), [0] * like.lanes))


def no_lanes(like: Pointer) -> Vec:
    """The mask of none of the pointer's lanes."""
    return Vec(like.builder, ir.Constant(ir.VectorType(ir.IntType(1), like.lanes), None))


def joined_bits(like: Pointer, masks: Sequence[Vec]) -> Int:
    """The bits of some masks, one behind the other, the first in the lowest bits."""
    bits = like.bits_of(masks[0])
    for i, mask in enumerate(masks[1:], 1):
        bits = bits | (like.bits_of(mask) << (i * mask.lanes))
    return bits


def spill(vec: Vec) -> Pointer:
    """A copy of a vector of 64-bit integers in memory, to read a lane whose number is not known before."""
    place = cgutils.alloca_once(vec.builder, vec.value.type)
    place.type = _POINTER
    vec.builder.store(vec.value, place, align=8)
    return Pointer(vec.builder, place, _INT)
