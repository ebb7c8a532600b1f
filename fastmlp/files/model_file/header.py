"""The header of a model file: made from its content, and read back."""

import math
import re
from collections.abc import Mapping

from .canonical_json import JSON, parse_json, shown, to_json
from .tensors import DTYPES, MAX_DIMENSIONS, METADATA, Spec, payload_order, require_name

FORMAT = "fastmlp"
VERSION = "1"
MAX_HEADER_BYTES = 2**20
NO_DIGEST = "0" * 64


def header_of(config_text: str, specs: Mapping[str, Spec], digest: str) -> dict[str, JSON]:
    """Return the one header that this content has."""
    header: dict[str, JSON] = {
        METADATA: {"format": FORMAT, "version": VERSION, "config": config_text, "sha256": digest}
    }
    end = 0
    for name in payload_order(specs):
        start, end = end, end + specs[name].n_bytes
        header[name] = {
            "dtype": specs[name].dtype,
            "shape": list(specs[name].shape),
            "data_offsets": [start, end],
        }
    return header


def encode(header: dict[str, JSON]) -> bytes:
    """Return the bytes of the header as they are in the file, after their length."""
    text = to_json(header).encode("ascii")
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def parse_metadata(metadata: JSON) -> tuple[dict[str, JSON], str]:
    """Return the configuration and the checksum."""
    if not isinstance(metadata, dict) or metadata.get("format") != FORMAT:
        raise ValueError(f"its metadata does not say format = {FORMAT!r}: not a fastmlp model")
    version = metadata.get("version")
    if version != VERSION:
        if isinstance(version, str) and re.fullmatch("[1-9][0-9]{0,8}", version):
            raise ValueError(
                f"written by a newer fastmlp (format {version}); this one reads format {VERSION}"
            )
        raise ValueError(f"its format version is {shown(version)}; this fastmlp reads format {VERSION}")
    config_text, digest = metadata.get("config"), metadata.get("sha256")
    if not isinstance(config_text, str) or not isinstance(digest, str):
        raise ValueError("its metadata lacks the texts 'config' and 'sha256'")
    config = parse_json(config_text)
    if not isinstance(config, dict):
        raise ValueError("its configuration is not a JSON object")
    return config, digest


def parse_spec(name: str, entry: JSON) -> Spec:
    """Return type and shape from a tensor's entry in the header; the offsets follow from them."""
    require_name(name)
    dtype, shape = (entry.get("dtype"), entry.get("shape")) if isinstance(entry, dict) else (None, None)
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise ValueError(f"tensor {name!r} has dtype {shown(dtype)}; accepted are {', '.join(DTYPES)}")
    if not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS:
        raise ValueError(
            f"tensor {name!r} has shape {shown(shape)}; a list of at most {MAX_DIMENSIONS} sizes is accepted"
        )
    sizes = tuple(size for size in shape if type(size) is int and size >= 0)
    # NumPy multiplies the sizes without the zeros, so even an empty array can be too large for it.
    n_bytes = math.prod(size or 1 for size in sizes) * DTYPES[dtype].itemsize
    if len(sizes) < len(shape) or n_bytes >= 2**63:
        raise ValueError(f"tensor {name!r} has shape {shown(shape)}, which no array can have")
    return Spec(dtype, sizes)


def require_canonical(header: dict[str, JSON], prefix: bytes, expected: dict[str, JSON]) -> None:
    """Refuse a header of which a single byte differs from what `write_model` writes for the same content."""
    for name, entry in expected.items():
        if name != METADATA and header[name] != entry:
            raise ValueError(f"tensor {name!r} is declared as {shown(header[name])}; expected {shown(entry)}")
    if prefix != encode(expected):
        raise ValueError("the header is not written as fastmlp writes it: damaged, or edited")
