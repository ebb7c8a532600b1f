"""The text of a CSV file in blocks of whole lines, as UTF-8 with line feeds."""

from __future__ import annotations

import codecs
import os
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from ..errors import FileFormatError
from .opening import is_gzip, open_file, unzipped

_BLOCK = 2**22  # bytes that are read together
_LONGEST_LINE = 2**27
# Text of tables compresses to a tenth or a thirtieth. Much more than that is refused, unless the text is small anyway.
_EXPANSION = 100
_ALWAYS_EXPANDED = 2**26

# Bytes at the start of a file that tell its encoding; those of UTF-32 begin like those of UTF-16.
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def check_encoding(name: object) -> None:
    """Raise a ValueError unless this is the name of a text encoding that can be read in blocks."""
    try:
        if isinstance(name, str):
            "a,b".encode(name)  # refuses codecs of bytes, such as zlib
            codecs.getincrementaldecoder(name)
            return
    except (LookupError, ValueError):
        pass
    raise ValueError(
        f"encoding: expected the name of a text encoding that Python knows, such as utf-8, utf-16 or cp1252, got "
        f"{name!r}"
    )


def read_blocks(path: Path, encoding: str) -> Generator[bytes, None, None]:
    """Read a CSV file, plain or gzip, in blocks of whole lines.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    FileFormatError
        The file is not text in this encoding, has a line that is too long, or is damaged or hostile gzip data.
    """
    with ExitStack() as stack:
        file = stack.enter_context(open_file(path, "a CSV file, plain or gzip"))
        if is_gzip(file):
            most = max(_ALWAYS_EXPANDED, _EXPANSION * os.fstat(file.fileno()).st_size)
            blocks = _limited(stack.enter_context(unzipped(file, path)), most, path)
        else:
            blocks = iter(lambda: file.read(_BLOCK), b"")
        if codecs.lookup(encoding).name != "utf-8":
            blocks = _transcoded(blocks, encoding, path)
        yield from _lines(_with_line_feeds(_checked(blocks, path)), path)


def _limited(stream: BinaryIO, most: int, path: Path) -> Iterator[bytes]:
    """Blocks of decompressed text, as long as there is not much more of it than compressed bytes."""
    size = 0
    while block := stream.read(_BLOCK):
        size += len(block)
        if size > most:
            raise FileFormatError(
                f"{path}: the gzip data expand to more than {most:,} bytes, {_EXPANSION} times their size, which is "
                "hardly a table; if it is one, decompress it and read the plain file"
            )
        yield block


def _transcoded(blocks: Iterator[bytes], encoding: str, path: Path) -> Iterator[bytes]:
    """The same text in UTF-8."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for block in blocks:
            yield decoder.decode(block).encode()
        yield decoder.decode(b"", final=True).encode()
    except UnicodeError as error:
        raise FileFormatError(
            f"{path}: not {encoding}: {error}; give the encoding of the file (encoding=, --encoding)"
        ) from None


def _checked(blocks: Iterator[bytes], path: Path) -> Iterator[bytes]:
    """The blocks without a byte-order mark; not text if the first one holds zero bytes."""
    first = next(blocks, b"")
    if b"\0" in first:
        raise FileFormatError(f"{path}: not a text file in UTF-8: it holds zero bytes; {_way_out(first)}")
    yield first.removeprefix(codecs.BOM_UTF8)
    yield from blocks


def _with_line_feeds(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The blocks with a line feed for each carriage return, with or without a line feed after it."""
    last = b""
    for block in blocks:
        block = last + block
        last = block[-1:] if block.endswith(b"\r") else b""  # its line feed may be in the next block
        block = block.removesuffix(b"\r")
        yield block.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in block else block
    yield last.replace(b"\r", b"\n")


def _way_out(first: bytes) -> str:
    """Which encoding to give for text with zero bytes."""
    found = next((name for mark, name in _MARKS.items() if first.startswith(mark)), None)
    if found is None and first[:4].count(0) == 2 and not any(first[0:4:2]):
        found = "utf-16-be"
    elif found is None and first[:4].count(0) == 2 and not any(first[1:4:2]):
        found = "utf-16-le"
    if found is None:
        return "save it as CSV in UTF-8"
    return f"it looks like {found}: give encoding={found!r} (--encoding {found}), or save it as CSV in UTF-8"


def _lines(blocks: Iterator[bytes], path: Path) -> Iterator[bytes]:
    """Blocks that end where a line ends."""
    rest = b""
    for block in blocks:
        rest += block
        end = rest.rfind(b"\n") + 1
        if end:
            yield rest[:end]
            rest = rest[end:]
        if len(rest) > _LONGEST_LINE:
            raise FileFormatError(f"{path}: a line is longer than {_LONGEST_LINE:,} bytes: not a CSV file")
    if rest:
        yield rest + b"\n"
