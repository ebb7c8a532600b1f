"""The model file: a safetensors file in one canonical form, with every bit checked.

The layout is 8 bytes of header length, a JSON header, and the tensors one after the other; any safetensors
tool can open it. Here, one content has exactly one file: keys sorted, no whitespace but the spaces that fill
the header up to a multiple of 8, tensors in order of item size (largest first, so that each is aligned) and
name. The header is thus a function of configuration, names, types and shapes, and reading accepts it only if
writing it again gives the same bytes; that alone rules out duplicate keys, gaps and overlaps.
The checksum is the SHA-256 of the whole file with its own 64 digits as zeros.

A file holds numbers and a JSON object: no path, no address, no name of a class, nothing that can be run.
"""

from .header import MAX_HEADER_BYTES
from .reading import ModelFile, model_from_bytes, read_model
from .tensors import MAX_DIMENSIONS, MAX_NAME_LENGTH
from .writing import model_to_bytes, write_model

__all__ = [
    "MAX_DIMENSIONS",
    "MAX_HEADER_BYTES",
    "MAX_NAME_LENGTH",
    "ModelFile",
    "model_from_bytes",
    "model_to_bytes",
    "read_model",
    "write_model",
]
