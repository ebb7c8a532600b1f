"""Read a model file, in the order of trust."""

import hashlib
import os
import stat
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import FileFormatError
from .canonical_json import JSON, parse_json, to_json
from .header import (
    MAX_HEADER_BYTES,
    NO_DIGEST,
    encode,
    header_of,
    parse_metadata,
    parse_spec,
    require_canonical,
)
from .tensors import DTYPES, METADATA, bytes_of, payload_order, require_finite


class ModelFile(NamedTuple):
    """What a model file holds: the configuration and the tensors by name."""

    config: dict[str, JSON]
    tensors: dict[str, NDArray[Any]]


def read_model(path: str | os.PathLike[str], *, allow_nonfinite: bool = False) -> ModelFile:
    """Read a model file and check every bit of it; nothing in the file is ever run or opened.

    Parameters
    ----------
    path
        The file to read.
    allow_nonfinite
        Accept NaN and infinities, which are refused otherwise.

    Returns
    -------
    ModelFile
        The configuration, whose words the caller has yet to check, and the tensors: new, writable, in the
        order of their names.

    Raises
    ------
    FileFormatError
        The file is truncated, damaged, of a newer format, or no model file at all.
    OSError
        The file cannot be read: FileNotFoundError, IsADirectoryError, PermissionError.
    """
    path = Path(path)
    if not stat.S_ISREG(path.stat().st_mode) and not path.is_dir():  # opening a pipe could block
        raise FileFormatError(f"{path}: this is a device or a pipe, not a model file")
    with path.open("rb") as file:
        try:
            return _read(file, os.fstat(file.fileno()).st_size, allow_nonfinite)
        except (ValueError, RecursionError) as error:  # of ours, of the JSON and of the text decoder
            raise FileFormatError(f"{path}: {error}") from error


def model_from_bytes(content: bytes, *, allow_nonfinite: bool = False) -> ModelFile:
    """What `read_model` reads, without a file.

    Raises
    ------
    FileFormatError
        The bytes are not those of a model file.
    """
    try:
        return _read(BytesIO(content), len(content), allow_nonfinite)
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"bytes of a model: {error}") from error


def _read(file: BufferedReader | BytesIO, file_bytes: int, allow_nonfinite: bool) -> ModelFile:
    """Read in the order of trust: sizes, header, canonical form, and only then the tensors."""
    prefix = _read_prefix(file, file_bytes)
    header = parse_json(prefix[8:].decode())
    if not isinstance(header, dict):
        raise ValueError("the header is not a JSON object")
    config, digest = parse_metadata(header.get(METADATA))
    specs = {name: parse_spec(name, entry) for name, entry in header.items() if name != METADATA}
    expected_bytes = len(prefix) + sum(spec.n_bytes for spec in specs.values())
    if file_bytes != expected_bytes:
        raise ValueError(
            f"its header asks for {expected_bytes} bytes, the file has {file_bytes}: truncated or damaged"
        )
    require_canonical(header, prefix, header_of(to_json(config), specs, digest))

    checksum = hashlib.sha256(encode(header_of(to_json(config), specs, NO_DIGEST)))
    tensors = {}
    for name in payload_order(specs):
        stored = np.empty(specs[name].shape, DTYPES[specs[name].dtype])
        if file.readinto(bytes_of(stored)) != stored.nbytes:
            raise ValueError("the file became shorter while it was read")
        checksum.update(bytes_of(stored))
        tensors[name] = stored.astype(stored.dtype.newbyteorder("="), copy=False)
    if checksum.hexdigest() != digest:
        raise ValueError("the checksum does not fit the content: the file is damaged; restore it from a copy")
    if not allow_nonfinite:
        for name, tensor in tensors.items():
            require_finite(name, tensor)
    return ModelFile(config, dict(sorted(tensors.items())))


def _read_prefix(file: BufferedReader | BytesIO, file_bytes: int) -> bytes:
    """Return the header with its 8 bytes of length, which are checked before as many bytes are read."""
    prefix = file.read(8)
    header_bytes = int.from_bytes(prefix, "little")
    if len(prefix) < 8:
        raise ValueError(f"not a model file: {file_bytes} bytes are too few; it is empty or truncated")
    if header_bytes > min(MAX_HEADER_BYTES, file_bytes - 8):
        raise ValueError(
            f"not a model file, or truncated: it starts with the length of a header, {header_bytes} bytes; expected at "
            f"most {MAX_HEADER_BYTES}, and no more than the {file_bytes} bytes of the file"
        )
    return prefix + file.read(header_bytes)
