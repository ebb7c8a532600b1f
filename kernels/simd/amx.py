"""The matrix unit of Intel's processors (AMX): eight tiles of 16 rows of 64 bytes, and a product of bfloat16 pairs.

A thread loads a configuration (how many rows each tile has) before it uses tiles, and releases them after it, so that
the system need not save them when it switches threads. Linux gives the tiles to a process that asks for them once, and
to all of its threads.
"""

import ctypes
import os
import sys
from functools import cache
from typing import NamedTuple, Protocol

import numba
from llvmlite import ir
from numba.core import cgutils

from .host import FEATURES
from .memory import Pointer, on_stack
from .numbers import Int
from .width import BYTE, INT

TILE_ROWS = 16
TILE_BYTES = 64  # of a row: 16 float32 numbers, or 16 pairs
TILES = 8

_ARCH_PRCTL, _REQUEST_PERMISSION, _TILE_DATA = 158, 0x1023, 18  # of Linux on x86-64


class MatrixUnit(NamedTuple):
    """Whether products of pairs are computed by the matrix unit, and why."""

    used: bool
    why: str


def _wanted() -> bool:
    setting = os.environ.get("FASTMLP_AMX", "")
    if setting not in {"", "0", "1"}:
        raise ImportError(f"FASTMLP_AMX: expected 0 (no matrix unit) or 1, got {setting!r}; unset it")
    return setting != "0"


_WANTED = _wanted()


@cache
def matrix_unit() -> MatrixUnit:
    """Ask the system for the tiles, once in a process."""
    if not FEATURES.issuperset({"amx-tile", "amx-bf16"}):
        return MatrixUnit(False, "this processor has no AMX with bfloat16")
    if not _WANTED:
        return MatrixUnit(False, "FASTMLP_AMX is 0")
    if numba.config.CPU_NAME or numba.config.CPU_FEATURES:
        return MatrixUnit(False, "Numba is told to compile for another processor")
    if sys.platform != "linux":
        return MatrixUnit(False, "only Linux is asked for AMX")
    if ctypes.CDLL(None, use_errno=True).syscall(_ARCH_PRCTL, _REQUEST_PERMISSION, _TILE_DATA):
        return MatrixUnit(False, f"the system refuses AMX: {os.strerror(ctypes.get_errno())}")
    return MatrixUnit(True, "AMX")


class Tiles(Protocol):
    """What a product does with tiles: `HardwareTiles`, or tiles in memory for tests on other processors."""

    def configure(self, rows: list[Int | int]) -> None:
        """Set how many rows each tile has; all tiles become zero."""

    def load(self, tile: int, place: Pointer, stride: Int | int) -> None:
        """Read the rows of a tile, `stride` numbers apart."""

    def multiply(self, total: int, left: int, right: int) -> None:
        """Add the product of two tiles of pairs to a tile of float32 numbers: TDPBF16PS."""

    def store(self, tile: int, place: Pointer, stride: Int | int) -> None:
        """Write the rows of a tile, `stride` numbers apart."""

    def release(self) -> None:
        """Give the tiles back."""


class HardwareTiles:
    """The instructions."""

    def __init__(self, like: Pointer) -> None:
        self._like, self._builder = like, like.builder

    def _call(self, name: str, *arguments: ir.Value) -> None:
        signature = ir.FunctionType(ir.VoidType(), [argument.type for argument in arguments])
        function = cgutils.get_or_insert_function(self._builder.module, signature, f"llvm.x86.{name}")
        self._builder.call(function, arguments)

    def configure(self, rows: list[Int | int]) -> None:
        """LDTILECFG: byte 0 is the palette, from 16 on are the bytes of a row of each tile, from 48 on its rows."""
        configuration = on_stack(self._like.of(BYTE), 64)
        words = configuration.of(INT)
        for i in range(8):
            (words + i).write_scalar(ir.Constant(INT, int(i == 0)))
        for tile, count in enumerate(rows):
            number = (
                self._builder.trunc(count.value, BYTE) if isinstance(count, Int) else ir.Constant(BYTE, count)
            )
            (configuration + (16 + 2 * tile)).write_scalar(ir.Constant(BYTE, TILE_BYTES))
            (configuration + (48 + tile)).write_scalar(number)
        self._call("ldtilecfg", configuration.value)

    def _move(self, name: str, tile: int, place: Pointer, stride: Int | int) -> None:
        distance = Int(self._builder, ir.Constant(INT, stride)) if isinstance(stride, int) else stride
        self._call(name, ir.Constant(BYTE, tile), place.value, (distance * 4).value)

    def load(self, tile: int, place: Pointer, stride: Int | int) -> None:
        """TILELOADD."""
        self._move("tileloadd64", tile, place, stride)

    def multiply(self, total: int, left: int, right: int) -> None:
        """TDPBF16PS."""
        self._call("tdpbf16ps", *(ir.Constant(BYTE, tile) for tile in (total, left, right)))

    def store(self, tile: int, place: Pointer, stride: Int | int) -> None:
        """TILESTORED."""
        self._move("tilestored64", tile, place, stride)

    def release(self) -> None:
        """TILERELEASE."""
        self._call("tilerelease")
