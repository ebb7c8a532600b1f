"""The tensors of a model file: their names, types and shapes, their order, and their bytes."""

import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .canonical_json import shown

MAX_DIMENSIONS = 64  # those of NumPy
MAX_NAME_LENGTH = 100
METADATA = "__metadata__"  # the one key of the header that is no name of a tensor
TENSOR_NAME = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*")
DTYPES: dict[str, np.dtype[Any]] = {
    "F32": np.dtype("<f4"),
    "F64": np.dtype("<f8"),
    "I64": np.dtype("<i8"),
    "U8": np.dtype("u1"),
}


class Spec(NamedTuple):
    """Type (as safetensors calls it) and shape of a tensor."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def n_bytes(self) -> int:
        """How long it is in the file."""
        return math.prod(self.shape) * DTYPES[self.dtype].itemsize


def spec_of(name: str, tensor: NDArray[Any]) -> Spec:
    """Return type and shape of an array that is to be written."""
    require_name(name)
    if not isinstance(tensor, np.ndarray):
        raise TypeError(f"tensor {name!r}: expected a NumPy array, got {type(tensor).__name__}")
    for dtype, stored in DTYPES.items():
        if tensor.dtype.newbyteorder("<") == stored:
            return Spec(dtype, tensor.shape)
    accepted = ", ".join(stored.name for stored in DTYPES.values())
    raise ValueError(f"tensor {name!r} has dtype {tensor.dtype}; accepted are {accepted}")


def require_name(name: str) -> None:
    """Raise a ValueError if no tensor may have this name."""
    fits = isinstance(name, str) and len(name) <= MAX_NAME_LENGTH and TENSOR_NAME.fullmatch(name)
    if not fits or name == METADATA:
        raise ValueError(
            f"tensor name {shown(name)}: accepted are words of a-z, 0-9 and _ joined by dots, "
            f"at most {MAX_NAME_LENGTH} characters"
        )


def payload_order(specs: Mapping[str, Spec]) -> list[str]:
    """The names in the order of the tensors in the file: the largest items first, so that each is aligned."""
    return sorted(specs, key=lambda name: (-DTYPES[specs[name].dtype].itemsize, name))


def bytes_of(array: NDArray[Any]) -> memoryview:
    """Return the memory of a contiguous array."""
    return array.reshape(-1).view(np.uint8).data


def require_finite(name: str, tensor: NDArray[Any]) -> None:
    """Raise a ValueError if this tensor holds NaN or infinity."""
    if tensor.dtype.kind == "f" and not np.isfinite(tensor).all():
        raise ValueError(f"tensor {name!r} holds NaN or infinity; allow_nonfinite=True accepts them")
