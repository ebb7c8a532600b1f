"""Every entry computes in the default floating-point mode, whatever other libraries have set in its thread."""

from .. import simd
from ..simd import Int, Pointer, primitive


@primitive
def enter_default_mode(any_array: Pointer) -> int:
    """Set the default mode of this thread; return the mode until now."""
    return simd.use_default_float_mode(any_array).value


@primitive
def leave_default_mode(any_array: Pointer, mode: Int) -> None:
    """Set the mode that this thread had before."""
    simd.restore_float_mode(mode)
