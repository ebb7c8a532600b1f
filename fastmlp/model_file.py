"""The model file: a safetensors file in one canonical form, of which every bit is checked.

The layout is 8 bytes of header length, a JSON header, and the tensors one after the other; any safetensors
tool can open it. Here, one content has exactly one file: keys sorted, no whitespace but the spaces that fill
the header up to a multiple of 8, tensors in order of item size (largest first, so that each is aligned) and
name. The header is thus a function of configuration, names, types and shapes, and reading accepts it only if
writing it again gives the same bytes; that alone rules out duplicate keys, gaps and overlaps.
The checksum is the SHA-256 of the whole file with its own 64 digits as zeros.

A file holds numbers and a JSON object: no path, no address, no name of a class, nothing that can be run.
"""

import hashlib
import json
import math
import os
import re
import stat
from collections.abc import Mapping
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, NoReturn, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .atomic import atomic_write
from .errors import FileFormatError

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"

FORMAT = "fastmlp"
VERSION = "1"
MAX_HEADER_BYTES = 2**20
MAX_DIMENSIONS = 64  # those of NumPy
MAX_NAME_LENGTH = 100
TENSOR_NAME = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*")
METADATA = "__metadata__"  # the one key of the header that is not a tensor
DTYPES: dict[str, np.dtype[Any]] = {
    "F32": np.dtype("<f4"),
    "F64": np.dtype("<f8"),
    "I64": np.dtype("<i8"),
    "U8": np.dtype("u1"),
}
NO_DIGEST = "0" * 64


class ModelFile(NamedTuple):
    """What a model file holds: the configuration and the tensors by name."""

    config: dict[str, JSON]
    tensors: dict[str, NDArray[Any]]


class _Spec(NamedTuple):
    """Type (as safetensors calls it) and shape of a tensor."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def n_bytes(self) -> int:
        return math.prod(self.shape) * DTYPES[self.dtype].itemsize


def write_model(
    path: str | os.PathLike[str],
    config: dict[str, JSON],
    tensors: Mapping[str, NDArray[Any]],
    *,
    allow_nonfinite: bool = False,
) -> None:
    """Write a model file; the same content always gives the same bytes.

    The file appears complete or not at all (see `fastmlp.atomic.atomic_write`): on any error an older file at
    `path` is as it was. A symbolic link at `path` is replaced, not followed.

    Parameters
    ----------
    path
        The file to write; its folder must exist.
    config
        A JSON object: None, bool, int, finite float, str, list, and dict with string keys.
    tensors
        Arrays of float32, float64, int64 or uint8 by name, in any byte order and memory layout; they are
        stored little-endian and in C order. Names are lower-case words joined by dots: ``layers.0.weight``.
    allow_nonfinite
        Write NaN and infinities, which are refused otherwise.

    Raises
    ------
    TypeError, ValueError
        The configuration is not JSON, or a tensor has a name, type, shape or value that is not accepted.
    OSError
        The file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "model.safetensors")
    ...     write_model(path, {"units": 2}, {"bias": np.array([0.5, -0.5])})
    ...     read_model(path)
    ModelFile(config={'units': 2}, tensors={'bias': array([ 0.5, -0.5])})
    """
    with atomic_write(path) as file:
        _write(file, config, tensors, allow_nonfinite)


def model_to_bytes(
    config: dict[str, JSON], tensors: Mapping[str, NDArray[Any]], *, allow_nonfinite: bool = False
) -> bytes:
    """What `write_model` writes, without a file.

    Examples
    --------
    >>> model_from_bytes(model_to_bytes({"units": 2}, {}))
    ModelFile(config={'units': 2}, tensors={})
    """
    file = BytesIO()
    _write(file, config, tensors, allow_nonfinite)
    return file.getvalue()


def _write(
    file: BinaryIO, config: dict[str, JSON], tensors: Mapping[str, NDArray[Any]], allow_nonfinite: bool
) -> None:
    specs = {name: _spec_of(name, tensor) for name, tensor in tensors.items()}
    config_text = _config_text(config)
    unsigned = _encode(_header(config_text, specs, NO_DIGEST))
    if len(unsigned) > 8 + MAX_HEADER_BYTES:
        raise ValueError(
            f"the header (configuration, names and shapes) takes {len(unsigned) - 8} bytes; "
            f"at most {MAX_HEADER_BYTES} are accepted"
        )
    checksum = hashlib.sha256(unsigned)
    file.write(unsigned)
    for name in _payload_order(specs):
        # A copy, so that what is hashed is what is written even if another thread is training the model.
        stored = np.array(tensors[name], DTYPES[specs[name].dtype], order="C")
        if not allow_nonfinite:
            _require_finite(name, stored)
        file.write(_bytes_of(stored))
        checksum.update(_bytes_of(stored))
    file.seek(0)
    file.write(_encode(_header(config_text, specs, checksum.hexdigest())))


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
    if not stat.S_ISREG(path.stat().st_mode) and not path.is_dir():  # to open a pipe could take for ever
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
    header = _parse_json(prefix[8:].decode())
    if not isinstance(header, dict):
        raise ValueError("the header is not a JSON object")
    config, digest = _parse_metadata(header.get(METADATA))
    specs = {name: _parse_spec(name, entry) for name, entry in header.items() if name != METADATA}
    expected_bytes = len(prefix) + sum(spec.n_bytes for spec in specs.values())
    if file_bytes != expected_bytes:
        raise ValueError(
            f"its header asks for {expected_bytes} bytes, the file has {file_bytes}: truncated or damaged"
        )
    _require_canonical(header, prefix, _header(_to_json(config), specs, digest))

    checksum = hashlib.sha256(_encode(_header(_to_json(config), specs, NO_DIGEST)))
    tensors = {}
    for name in _payload_order(specs):
        stored = np.empty(specs[name].shape, DTYPES[specs[name].dtype])
        if file.readinto(_bytes_of(stored)) != stored.nbytes:
            raise ValueError("the file became shorter while it was read")
        checksum.update(_bytes_of(stored))
        tensors[name] = stored.astype(stored.dtype.newbyteorder("="), copy=False)
    if checksum.hexdigest() != digest:
        raise ValueError("the checksum does not fit the content: the file is damaged; restore it from a copy")
    if not allow_nonfinite:
        for name, tensor in tensors.items():
            _require_finite(name, tensor)
    return ModelFile(config, dict(sorted(tensors.items())))


def _read_prefix(file: BufferedReader | BytesIO, file_bytes: int) -> bytes:
    """Return the header with its 8 bytes of length, whose value is not believed before it is checked."""
    prefix = file.read(8)
    header_bytes = int.from_bytes(prefix, "little")
    if len(prefix) < 8:
        raise ValueError(f"{file_bytes} bytes are too few for a model file: empty or truncated")
    if header_bytes > min(MAX_HEADER_BYTES, file_bytes - 8):
        raise ValueError(
            f"it says that its header has {header_bytes} bytes; accepted are at most {MAX_HEADER_BYTES} and "
            f"no more than the file has ({file_bytes}): truncated, or not a model file"
        )
    return prefix + file.read(header_bytes)


def _parse_metadata(metadata: JSON) -> tuple[dict[str, JSON], str]:
    """Return the configuration and the checksum."""
    if not isinstance(metadata, dict) or metadata.get("format") != FORMAT:
        raise ValueError(f"its metadata does not say format = {FORMAT!r}: not a fastmlp model")
    version = metadata.get("version")
    if version != VERSION:
        if isinstance(version, str) and re.fullmatch("[1-9][0-9]{0,8}", version):
            raise ValueError(
                f"written by a newer fastmlp (format {version}); this one reads format {VERSION}"
            )
        raise ValueError(f"its format version is {_shown(version)}; this fastmlp reads format {VERSION}")
    config_text, digest = metadata.get("config"), metadata.get("sha256")
    if not isinstance(config_text, str) or not isinstance(digest, str):
        raise ValueError("its metadata lacks the texts 'config' and 'sha256'")
    config = _parse_json(config_text)
    if not isinstance(config, dict):
        raise ValueError("its configuration is not a JSON object")
    return config, digest


def _parse_spec(name: str, entry: JSON) -> _Spec:
    """Return type and shape from a tensor's entry in the header; the offsets follow from them."""
    _require_name(name)
    dtype, shape = (entry.get("dtype"), entry.get("shape")) if isinstance(entry, dict) else (None, None)
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise ValueError(f"tensor {name!r} has dtype {_shown(dtype)}; accepted are {', '.join(DTYPES)}")
    if not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS:
        raise ValueError(
            f"tensor {name!r} has shape {_shown(shape)}; a list of at most {MAX_DIMENSIONS} sizes is accepted"
        )
    sizes = tuple(size for size in shape if type(size) is int and size >= 0)
    # NumPy multiplies the sizes without the zeros, so even an empty array can be too large for it.
    n_bytes = math.prod(size or 1 for size in sizes) * DTYPES[dtype].itemsize
    if len(sizes) < len(shape) or n_bytes >= 2**63:
        raise ValueError(f"tensor {name!r} has shape {_shown(shape)}, which no array can have")
    return _Spec(dtype, sizes)


def _require_canonical(header: dict[str, JSON], prefix: bytes, expected: dict[str, JSON]) -> None:
    """Refuse a header of which a single byte differs from what `write_model` writes for the same content."""
    for name, entry in expected.items():
        if name != METADATA and header[name] != entry:
            raise ValueError(
                f"tensor {name!r} is declared as {_shown(header[name])}; expected {_shown(entry)}"
            )
    if prefix != _encode(expected):
        raise ValueError("the header is not written as fastmlp writes it: damaged, or edited")


def _require_name(name: str) -> None:
    fits = isinstance(name, str) and len(name) <= MAX_NAME_LENGTH and TENSOR_NAME.fullmatch(name)
    if not fits or name == METADATA:
        raise ValueError(
            f"tensor name {_shown(name)}: accepted are words of a-z, 0-9 and _ joined by dots, "
            f"at most {MAX_NAME_LENGTH} characters"
        )


def _spec_of(name: str, tensor: NDArray[Any]) -> _Spec:
    """Return type and shape of an array that is to be written."""
    _require_name(name)
    if not isinstance(tensor, np.ndarray):
        raise TypeError(f"tensor {name!r}: expected a NumPy array, got {type(tensor).__name__}")
    for dtype, stored in DTYPES.items():
        if tensor.dtype.newbyteorder("<") == stored:
            return _Spec(dtype, tensor.shape)
    accepted = ", ".join(stored.name for stored in DTYPES.values())
    raise ValueError(f"tensor {name!r} has dtype {tensor.dtype}; accepted are {accepted}")


def _require_finite(name: str, tensor: NDArray[Any]) -> None:
    if tensor.dtype.kind == "f" and not np.isfinite(tensor).all():
        raise ValueError(f"tensor {name!r} holds NaN or infinity; allow_nonfinite=True accepts them")


def _config_text(config: dict[str, JSON]) -> str:
    """Return the configuration as canonical JSON, if reading it gives the same configuration again."""
    accepted = "accepted is a dict with string keys of None, bool, int, finite float, str, list and dict"
    if not isinstance(config, dict):
        raise TypeError(f"the configuration is of type {type(config).__name__}; {accepted}")
    try:
        text = _to_json(config)
        changed = _parse_json(text) != config
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"the configuration is not JSON ({error}); {accepted}") from error
    if changed:
        raise ValueError(
            f"JSON would change the configuration (a tuple, or a key that is no string?); {accepted}"
        )
    return text


def _header(config_text: str, specs: Mapping[str, _Spec], digest: str) -> dict[str, JSON]:
    """Return the one header that this content has."""
    header: dict[str, JSON] = {
        METADATA: {"format": FORMAT, "version": VERSION, "config": config_text, "sha256": digest}
    }
    end = 0
    for name in _payload_order(specs):
        start, end = end, end + specs[name].n_bytes
        header[name] = {
            "dtype": specs[name].dtype,
            "shape": list(specs[name].shape),
            "data_offsets": [start, end],
        }
    return header


def _payload_order(specs: Mapping[str, _Spec]) -> list[str]:
    return sorted(specs, key=lambda name: (-DTYPES[specs[name].dtype].itemsize, name))


def _encode(header: dict[str, JSON]) -> bytes:
    """Return the bytes of the header as they stand in the file, with the length in front."""
    text = _to_json(header).encode("ascii")
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def _to_json(value: JSON) -> str:
    """Return the one canonical text of a JSON value, in ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _parse_json(text: str) -> JSON:
    """Parse JSON as the standard has it: no NaN, no infinities, no key twice."""

    def unique(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError(f"an object has a key twice: {_shown([key for key, _ in pairs])}")
        return dict(pairs)

    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is not JSON")

    value: JSON = json.loads(text, object_pairs_hook=unique, parse_constant=refuse)
    return value


def _bytes_of(array: NDArray[Any]) -> memoryview:
    """Return the memory of a contiguous array."""
    return array.reshape(-1).view(np.uint8).data


def _shown(value: object) -> str:
    """Return a value out of a file for an error message, which must stay short."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
