"""How a function that emits code becomes one that kernels call."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ..schema import Matrix
from .flow import Case
from .memory import Pointer, Rows
from .numbers import Int, splat
from .width import INT, SCALARS, lanes_of


def primitive(emit: Callable) -> Any:
    """Make an emitting function callable from kernels.

    What a kernel passes becomes what the function computes with: a `Matrix` becomes `Rows`, an array a `Pointer`, a
    record a `Pointer` to its 64-bit words, an integer or a boolean an `Int`, and a floating-point number a `Vec` of the
    type of the first array with the number in every lane. Any other named tuple stays one, of such operands.

    A parameter annotated `Case` comes as a Python number if the type of the argument says which (a literal), so that
    `choose` emits that one case and no other.

    The annotation of the return value is None, int (an IR integer of 64 bits) or float (an IR scalar of the first
    array's type).
    """
    parameters = inspect.signature(emit).parameters
    is_case = [parameter.annotation is Case for parameter in parameters.values()]

    def definition(typing_context, *arguments):
        result = _returned_type(emit, arguments)

        def codegen(context, builder, signature, values):
            scalar = SCALARS[_first_array(signature.args).dtype]
            operands = [
                kind.literal_value
                if case and isinstance(kind, types.Literal)
                else _operand(context, builder, kind, value, scalar)
                for case, kind, value in zip(is_case, signature.args, values, strict=True)
            ]
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
    return types.int64 if annotated is int else _first_array(arguments).dtype


def _arrays(kinds) -> Iterator[types.Type]:
    """The types of all arrays among the arguments, those inside of tuples included."""
    for kind in kinds:
        if isinstance(kind, types.BaseNamedTuple):
            yield from _arrays(kind.types)
        elif isinstance(kind, (types.Array, types.CPointer)):
            yield kind


def _first_array(kinds) -> types.Type:
    return next(_arrays(kinds))


def _operand(context, builder, kind, value, scalar):
    """What an emitting function gets for an argument of this Numba type."""
    if isinstance(kind, types.BaseNamedTuple):
        fields = [
            _operand(context, builder, field, builder.extract_value(value, i), scalar)
            for i, field in enumerate(kind.types)
        ]
        if kind.instance_class is Matrix:
            arena, start, stride = fields
            return Rows(arena + start, stride)
        return kind.instance_class(*fields)
    if isinstance(kind, types.Array):
        data = context.make_array(kind)(context, builder, value).data
        return Pointer(builder, data, SCALARS[kind.dtype])
    if isinstance(kind, types.CPointer):
        return Pointer(builder, value, SCALARS[kind.dtype])
    if isinstance(kind, types.Record):
        return Pointer(builder, value, INT)
    if isinstance(kind, types.Boolean):
        return Int(builder, builder.zext(value, INT))
    if isinstance(kind, types.Integer):
        return Int(builder, value if kind.bitwidth == 64 else builder.sext(value, INT))
    return _number(builder, value, scalar)


def _number(builder, value, scalar):
    """A floating-point number, of whichever size, in every lane of a vector of this type."""
    if value.type != scalar:
        convert = builder.fptrunc if isinstance(scalar, ir.FloatType) else builder.fpext
        value = convert(value, scalar)
    return splat(builder, value, lanes_of(scalar))
