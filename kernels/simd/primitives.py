"""How a function that emits code becomes one that kernels call."""

import inspect
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .flow import Case
from .memory import Pointer
from .numbers import Int, splat
from .width import INT, SCALARS, lanes_of


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
        return Pointer(builder, data, SCALARS[kind.dtype])
    if isinstance(kind, types.CPointer):
        return Pointer(builder, value, SCALARS[kind.dtype])
    if isinstance(kind, types.Integer):
        return Int(builder, value if kind.bitwidth == 64 else builder.sext(value, INT))
    return value


def _number(builder, operand, scalar):
    """Floating-point arguments, of whichever size, become vectors of the arrays' type."""
    if isinstance(operand, (Pointer, Int, int)):
        return operand
    if operand.type != scalar:
        convert = builder.fptrunc if isinstance(scalar, ir.FloatType) else builder.fpext
        operand = convert(operand, scalar)
    return splat(builder, operand, lanes_of(scalar))
