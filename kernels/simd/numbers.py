"""Integers and vectors of the emitted code: Python operators write instructions."""

from collections.abc import Callable, Sequence

from llvmlite import ir
from numba.core import cgutils

from .width import DOUBLE, INT, INT32

_BITS = {"float": INT32, "double": INT}


class Int:
    """A 64-bit signed integer of the emitted code."""

    def __init__(self, builder, value):
        self.builder, self.value = builder, value

    def _with(self, emit: Callable, other) -> "Int":
        return Int(self.builder, emit(self.value, as_value(other)))

    def __add__(self, other):
        return self._with(self.builder.add, other)

    def __sub__(self, other):
        return self._with(self.builder.sub, other)

    def __mul__(self, other):
        return self._with(self.builder.mul, other)

    __rmul__ = __mul__

    def __and__(self, other):
        return self._with(self.builder.and_, other)

    def __or__(self, other):
        return self._with(self.builder.or_, other)

    def __lshift__(self, bits):
        return self._with(self.builder.shl, bits)

    def __lt__(self, other):
        return self.builder.icmp_signed("<", self.value, as_value(other))

    def shifted_right(self, bits: int) -> "Int":
        """A number that is not negative, divided by a power of two and rounded down."""
        return self._with(self.builder.lshr, bits)

    def half(self) -> "Int":
        """Half of a number that is not negative, rounded down."""
        return self.shifted_right(1)


def as_value(number):
    """An integer of the emitted code, or a Python one, as an IR value."""
    return number.value if isinstance(number, Int) else ir.Constant(INT, int(number))


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
        """These signed integers as floating-point numbers of the type of `model`."""
        return Vec(self.builder, self.builder.sitofp(self.value, model.value.type))

    def converted(self, scalar: ir.Type) -> "Vec":
        """The numbers in another floating-point type; bytes are 0 to 255."""
        if self.scalar == scalar:
            return self
        kind = ir.VectorType(scalar, self.lanes)
        if isinstance(self.scalar, ir.IntType):
            return Vec(self.builder, self.builder.uitofp(self.value, kind))
        convert = self.builder.fpext if scalar == DOUBLE else self.builder.fptrunc
        return Vec(self.builder, convert(self.value, kind))

    def lanes_at(self, positions: Sequence[int]) -> "Vec":
        """The vector of the lanes at these positions."""
        mask = ir.Constant(ir.VectorType(INT32, len(positions)), list(positions))
        undefined = ir.Constant(self.value.type, ir.Undefined)
        return Vec(self.builder, self.builder.shuffle_vector(self.value, undefined, mask))

    def lane(self, position: int):
        """One lane, as an IR scalar."""
        return self.builder.extract_element(self.value, ir.Constant(INT32, position))


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
    """One of two vectors, chosen by a comparison of integers."""
    return Vec(yes.builder, yes.builder.select(condition, yes.value, no.value))


def either_int(condition, yes: Int, no: Int) -> Int:
    """One of two integers, chosen by a comparison of integers."""
    return Int(yes.builder, yes.builder.select(condition, yes.value, no.value))


def maximum(a: Vec, b) -> Vec:
    """The larger number of each lane; `b` where `a` is NaN."""
    return select(a > b, a, a.like(b))


def minimum(a: Vec, b) -> Vec:
    """The smaller number of each lane; `b` where `a` is NaN."""
    return select(a < b, a, a.like(b))


def with_sign_of(magnitude: Vec, sign: Vec) -> Vec:
    """|magnitude| with the sign of `sign`."""
    return _call("copysign", magnitude, sign)


def shuffle(a: Vec, b: Vec, positions: Sequence[int]) -> Vec:
    """The lanes at these positions of the lanes of a followed by those of b."""
    mask = ir.Constant(ir.VectorType(INT32, len(positions)), list(positions))
    return Vec(a.builder, a.builder.shuffle_vector(a.value, b.value, mask))


def polynomial(x: Vec, coefficients: Sequence[float]) -> Vec:
    """c0 + x (c1 + x (c2 + ...)), with one fused operation for each term."""
    total = x.like(coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        total = fma(total, x, coefficient)
    return total


def splat(builder, scalar, lanes: int) -> Vec:
    """An IR scalar in every lane."""
    kind = ir.VectorType(scalar.type, lanes)
    zero = ir.Constant(INT32, 0)
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), scalar, zero)
    mask = ir.Constant(ir.VectorType(INT32, lanes), None)
    return Vec(builder, builder.shuffle_vector(first, ir.Constant(kind, ir.Undefined), mask))


def zero(model: Int) -> Int:
    """The integer 0."""
    return Int(model.builder, ir.Constant(INT, 0))


def smaller(a: Int, b: Int | int) -> Int:
    """The smaller of two integers."""
    return either_int(a < b, a, Int(a.builder, as_value(b)))


def low_bits(count: Int) -> Int:
    """An integer with the lowest `count` bits set, 1 <= count <= 64."""
    builder = count.builder
    return Int(builder, builder.lshr(ir.Constant(INT, -1), builder.sub(ir.Constant(INT, 64), count.value)))


def bit(position: Int, lanes: int) -> Vec:
    """The integer with this bit set, in every lane."""
    builder = position.builder
    return splat(builder, builder.shl(ir.Constant(INT, 1), position.value), lanes)
