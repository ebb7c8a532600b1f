"""The floating-point control register of a thread: how it rounds, and whether it flushes denormal numbers to zero.

Other libraries in the process may change it (code compiled with -ffast-math sets flush-to-zero when it is loaded), in
one thread and not in another. MXCSR on x86, FPCR on ARM; on other processors nothing is emitted.
"""

import platform

from llvmlite import ir
from numba.core import cgutils

from .memory import Pointer
from .numbers import Int
from .width import INT, INT32, POINTER

_MACHINE = platform.machine().lower()
_X86 = _MACHINE in {"x86_64", "amd64"}
_ARM = _MACHINE in {"aarch64", "arm64"}

# Round to nearest, keep denormal numbers, no traps.
_DEFAULT = 0x1F80 if _X86 else 0
# The same, but denormal numbers are zeros, both as operands (DAZ on x86) and as results (FTZ); FZ on ARM is both.
_FLUSHING = _DEFAULT | (0x8040 if _X86 else 1 << 24 if _ARM else 0)
_FLAGS = 0x3F if _X86 else 0  # what has happened since the flags were cleared: no mode


def _call(builder, name: str, result: ir.Type, *arguments):
    signature = ir.FunctionType(result, [argument.type for argument in arguments])
    return builder.call(cgutils.get_or_insert_function(builder.module, signature, name), arguments)


def _place(builder):
    """Four bytes of the stack, as an opaque pointer."""
    place = cgutils.alloca_once(builder, INT32)
    place.type = POINTER
    return place


def read_float_mode(like: Pointer) -> Int:
    """The register of this thread."""
    builder = like.builder
    if _X86:
        place = _place(builder)
        _call(builder, "llvm.x86.sse.stmxcsr", ir.VoidType(), place)
        return Int(builder, builder.zext(builder.load(place, typ=INT32), INT))
    if _ARM:
        return Int(builder, _call(builder, "llvm.aarch64.get.fpcr", INT))
    return Int(builder, ir.Constant(INT, _DEFAULT))


def write_float_mode(mode: Int) -> None:
    """Set the register of this thread."""
    builder = mode.builder
    if _X86:
        place = _place(builder)
        builder.store(builder.trunc(mode.value, INT32), place)
        _call(builder, "llvm.x86.sse.ldmxcsr", ir.VoidType(), place)
    elif _ARM:
        _call(builder, "llvm.aarch64.set.fpcr", ir.VoidType(), mode.value)


def _not_default(mode: Int):
    return mode.builder.icmp_unsigned("!=", (mode & ~_FLAGS).value, ir.Constant(INT, _DEFAULT))


def use_default_float_mode(like: Pointer) -> Int:
    """Emit: set the default mode if it is not set; the mode until now. Memory is read in the default mode only."""
    builder, mode = like.builder, read_float_mode(like)
    with builder.if_then(_not_default(mode), likely=False):
        write_float_mode(Int(builder, ir.Constant(INT, _DEFAULT)))
    builder.fence("seq_cst", "singlethread")
    return mode


def use_flushing_float_mode(like: Pointer) -> Int:
    """Emit: have denormal numbers count as zeros; the mode until now."""
    builder, mode = like.builder, read_float_mode(like)
    write_float_mode(Int(builder, ir.Constant(INT, _FLUSHING)))
    builder.fence("seq_cst", "singlethread")
    return mode


def restore_float_mode(mode: Int) -> None:
    """Emit: set the mode that `use_default_float_mode` found, after all that was computed has been written."""
    builder = mode.builder
    builder.fence("seq_cst", "singlethread")
    with builder.if_then(_not_default(mode), likely=False):
        write_float_mode(mode)


def leave_flushing_float_mode(mode: Int) -> None:
    """Emit: set the mode that `use_flushing_float_mode` found, after all that was computed has been written."""
    mode.builder.fence("seq_cst", "singlethread")
    write_float_mode(mode)
