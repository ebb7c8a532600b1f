"""Arrays that end where memory ends: a read or a write behind them ends the process.

Each array is put right before a page that may not be touched. Arenas of the package keep the room behind them that
`schema.ROOM` promises to the kernels, and nothing more.
"""

import ctypes
import mmap
import sys

import numpy as np

from fastmlp.engine import buffers
from fastmlp.kernels import schema

_libc = ctypes.CDLL(None, use_errno=True)


def _bytes_before_a_guard(size):
    """`size` bytes of zeros, the last of which is the last before a page without access."""
    pages = -(-size // mmap.PAGESIZE) + 1
    memory = mmap.mmap(-1, pages * mmap.PAGESIZE)
    everything = np.frombuffer(memory, np.uint8)
    guard = everything.ctypes.data + (pages - 1) * mmap.PAGESIZE
    if _libc.mprotect(ctypes.c_void_p(guard), ctypes.c_size_t(mmap.PAGESIZE), 0):
        raise OSError(ctypes.get_errno(), "mprotect")
    stop = (pages - 1) * mmap.PAGESIZE
    return everything[stop - size : stop]


def at_the_end(array):
    """A copy of an array that ends where memory ends."""
    copy = _bytes_before_a_guard(array.nbytes).view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def guarded_zeros(size, dtype):
    """An arena as `buffers.aligned_zeros` makes it, but its room ends where memory ends."""
    item = np.dtype(dtype).itemsize
    return _bytes_before_a_guard(size * item + schema.ROOM)[: size * item].view(dtype)


def guard_arenas():
    """Have the whole package use `guarded_zeros` from now on, in this process."""
    plain = buffers.aligned_zeros
    for name, module in list(sys.modules.items()):
        if name.startswith(("fastmlp", "tests")) and getattr(module, "aligned_zeros", None) is plain:
            module.aligned_zeros = guarded_zeros
