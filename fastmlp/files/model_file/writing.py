"""Write a model file."""

import hashlib
import os
from collections.abc import Mapping
from io import BytesIO
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..atomic import atomic_write
from .canonical_json import JSON, config_as_text
from .header import MAX_HEADER_BYTES, NO_DIGEST, encode, header_of
from .tensors import DTYPES, bytes_of, payload_order, require_finite, spec_of


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
    >>> from fastmlp.files.model_file import read_model
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
    >>> from fastmlp.files.model_file import model_from_bytes
    >>> model_from_bytes(model_to_bytes({"units": 2}, {}))
    ModelFile(config={'units': 2}, tensors={})
    """
    file = BytesIO()
    _write(file, config, tensors, allow_nonfinite)
    return file.getvalue()


def _write(
    file: BinaryIO, config: dict[str, JSON], tensors: Mapping[str, NDArray[Any]], allow_nonfinite: bool
) -> None:
    specs = {name: spec_of(name, tensor) for name, tensor in tensors.items()}
    config_text = config_as_text(config)
    unsigned = encode(header_of(config_text, specs, NO_DIGEST))
    if len(unsigned) > 8 + MAX_HEADER_BYTES:
        raise ValueError(
            f"the header (configuration, names and shapes) takes {len(unsigned) - 8} bytes; "
            f"at most {MAX_HEADER_BYTES} are accepted"
        )
    checksum = hashlib.sha256(unsigned)
    file.write(unsigned)
    for name in payload_order(specs):
        # A copy, so that what is hashed is what is written even if another thread is training the model.
        stored = np.array(tensors[name], DTYPES[specs[name].dtype], order="C")
        if not allow_nonfinite:
            require_finite(name, stored)
        file.write(bytes_of(stored))
        checksum.update(bytes_of(stored))
    file.seek(0)
    file.write(encode(header_of(config_text, specs, checksum.hexdigest())))
