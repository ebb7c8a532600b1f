"""Opening a data file, plain or compressed with gzip, and reading bytes from it."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, cast

from ..errors import FileFormatError

GZIP_MAGIC = b"\x1f\x8b"
# Deflate codes at most 258 bytes in 2 bits: no compressed data expands to more than 1032 times its size.
MOST_EXPANSION = 1032
_CHUNK = 1 << 20


@contextmanager
def open_file(path: Path, expected: str) -> Iterator[BinaryIO]:
    """Open a file for reading.

    Parameters
    ----------
    path : Path
        The file.
    expected : str
        What should be there, for messages.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    FileFormatError
        It is a folder, a pipe or a device.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path}: there is no such file; expected {expected}")
    if not path.is_file():
        raise FileFormatError(f"{path}: not a regular file; expected {expected}")
    with path.open("rb") as file:
        yield file


def is_gzip(file: BinaryIO) -> bool:
    """Whether a file starts as gzip data does; the position stays at the start."""
    magic = file.read(len(GZIP_MAGIC))
    file.seek(0)
    return magic == GZIP_MAGIC


@contextmanager
def unzipped(file: BinaryIO, path: Path) -> Iterator[BinaryIO]:
    """The decompressed bytes of a gzip file; damage found while the block reads them is a FileFormatError."""
    try:
        with gzip.GzipFile(fileobj=cast(IO[bytes], file)) as stream:
            yield cast(BinaryIO, stream)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise FileFormatError(f"{path}: damaged or truncated gzip data: {error}") from error


def fill(stream: IO[bytes], buffer: memoryview) -> int:
    """Read into `buffer` until it is full or the stream ends; return the number of bytes read."""
    filled = 0
    while filled < len(buffer):
        chunk = stream.read(min(_CHUNK, len(buffer) - filled))
        if not chunk:
            break
        buffer[filled : filled + len(chunk)] = chunk
        filled += len(chunk)
    return filled
