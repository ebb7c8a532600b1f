"""IDX, the format of the MNIST files: a magic number, the dimensions, then the values, all big-endian.

    byte 0, 1    zero
    byte 2       type of the values
    byte 3       number of dimensions
    4 bytes each size of a dimension, unsigned
    the rest     the values, last dimension fastest

A file is read only as far as its header declares, and memory is allocated only for as many bytes as a file of
this size can hold. So false headers and gzip data that expand without limit are both refused.
"""

import gzip
import math
import os
import struct
from contextlib import nullcontext
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..errors import FileFormatError
from ..files.atomic import atomic_write
from .opening import MOST_EXPANSION, fill, is_gzip, open_file, unzipped

DTYPES: dict[int, np.dtype[Any]] = {
    0x08: np.dtype(">u1"),
    0x09: np.dtype(">i1"),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}
_CODES = {dtype: code for code, dtype in DTYPES.items()}
_MOST_DIMENSIONS = 64  # of a NumPy array


def read_idx(path: str | os.PathLike[str]) -> NDArray[Any]:
    """Read an IDX file, plain or compressed with gzip (detected from the content, not from the name).

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    ndarray
        The array of the file, in C order and the byte order of this machine.

    Raises
    ------
    FileNotFoundError
        There is no file at `path`.
    FileFormatError
        The file is not IDX, is truncated or damaged, or has more or fewer bytes than its header declares.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_idx(f"{folder}/values", np.arange(6, dtype=np.int16).reshape(2, 3))
    ...     read_idx(f"{folder}/values")
    array([[0, 1, 2],
           [3, 4, 5]], dtype=int16)
    """
    path = Path(path)
    with open_file(path, "an IDX file, plain or gzip") as file:
        size = os.fstat(file.fileno()).st_size
        if not is_gzip(file):
            return _read_array(file, path, size)
        with unzipped(file, path) as stream:
            return _read_array(stream, path, size * MOST_EXPANSION)


def write_idx(path: str | os.PathLike[str], array: NDArray[Any]) -> None:
    """Write an array as an IDX file. If writing fails, an earlier file at `path` is unchanged.

    Parameters
    ----------
    path : path
        Where to write; compressed with gzip if the name ends in ``.gz``.
    array : ndarray of uint8, int8, int16, int32, float32 or float64
        What to write: 1 to 64 dimensions, none of them empty.

    Raises
    ------
    ValueError
        IDX cannot hold the array.
    """
    path = Path(path)
    header = idx_header(array)
    values = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder(">"))
    with atomic_write(path) as file:
        # No name and no time in the gzip header: the same array gives the same bytes.
        packed = gzip.GzipFile("", "wb", fileobj=file, mtime=0) if path.suffix == ".gz" else nullcontext(file)
        with packed as stream:
            stream.write(header)
            stream.write(values.reshape(-1).view(np.uint8).data)


def idx_header(array: NDArray[Any]) -> bytes:
    """Return the bytes before the values of `array` in an IDX file."""
    code = _CODES.get(array.dtype.newbyteorder(">"))
    if code is None:
        names = ", ".join(dtype.newbyteorder("=").name for dtype in DTYPES.values())
        raise ValueError(f"IDX: expected an array of {names}, got {array.dtype}; convert it with astype()")
    if not 1 <= array.ndim <= _MOST_DIMENSIONS or any(not 0 < size < 1 << 32 for size in array.shape):
        raise ValueError(f"IDX: expected 1 to 64 dimensions of at least 1 and below 2**32, got {array.shape}")
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape)


def _read_array(stream: BinaryIO, path: Path, most_bytes: int) -> NDArray[Any]:
    """Read header and values; `most_bytes` is the largest size that the (decompressed) file can have."""
    dtype, shape = _read_header(stream, path)
    size = math.prod(shape) * dtype.itemsize  # Python integers: no product overflows
    if 4 + 4 * len(shape) + size > most_bytes:
        raise FileFormatError(
            f"{path}: truncated, or not an IDX file: the header declares the shape {shape} of {dtype.name}, "
            f"{size} bytes, more than the file can hold"
        )
    values = np.empty(shape, dtype)
    if fill(stream, values.reshape(-1).view(np.uint8).data) < size:
        raise FileFormatError(f"{path}: truncated: the header declares the shape {shape} of {dtype.name}")
    if stream.read(1):
        raise FileFormatError(f"{path}: bytes follow the {size} bytes that the shape {shape} declares")
    return values.astype(dtype.newbyteorder("="), copy=False)


def _read_header(stream: BinaryIO, path: Path) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """Read type and dimensions; check them as far as possible without the values."""
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in DTYPES:
        raise FileFormatError(
            f"{path}: not an IDX file: it begins with {magic.hex() or 'nothing'}; "
            f"expected 0000, one of {', '.join(f'{code:02x}' for code in DTYPES)}, the number of dimensions"
        )
    ndim = magic[3]
    if not 1 <= ndim <= _MOST_DIMENSIONS:
        raise FileFormatError(
            f"{path}: the header declares {ndim} dimensions; expected 1 to {_MOST_DIMENSIONS}"
        )
    sizes = stream.read(4 * ndim)
    if len(sizes) < 4 * ndim:
        raise FileFormatError(f"{path}: truncated within the {ndim} dimensions of the header")
    shape = struct.unpack(f">{ndim}I", sizes)
    if 0 in shape:
        raise FileFormatError(f"{path}: the header declares the shape {shape}, which holds no values")
    return DTYPES[magic[2]], shape
