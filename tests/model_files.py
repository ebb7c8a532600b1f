"""Model files to test with: written as the format's description says, without the code that is tested."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st

from fastmlp.errors import FileFormatError
from fastmlp.files.model_file import ModelFile, read_model

CONFIG = {"layers": [{"units": 3, "activation": "relu"}], "seed": 7, "rate": 1e-3, "note": None, "ok": True}
TOO_DEEP = "(?:recursion|Stack overflow)"  # the words of Python before and from 3.14
TENSORS = {
    "0.bias": np.array([-0.0, 1.5], np.float32),
    "0.weight": np.arange(6, dtype=np.float32).reshape(3, 2) / 7,
    "mean": np.array([[1e-300]]),
    "step": np.array(-5, np.int64),
    "table": np.array([1, 2, 255], np.uint8),
}


def assert_same(found: ModelFile, config, tensors) -> None:
    """The same to the last bit, in native byte order and C order."""
    assert json.dumps(found.config, sort_keys=True) == json.dumps(config, sort_keys=True)
    assert list(found.tensors) == sorted(tensors)
    for name, tensor in tensors.items():
        assert found.tensors[name].dtype == tensor.dtype.newbyteorder("=")
        assert found.tensors[name].dtype.isnative
        assert found.tensors[name].shape == tensor.shape
        assert found.tensors[name].tobytes() == tensor.astype(tensor.dtype.newbyteorder("=")).tobytes()
        assert found.tensors[name].flags.carray


def compact(value) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def crafted(header: dict | str, payload: bytes, seal: bool = True) -> bytes:
    """A file as the format's description says, written without the code that it tests."""

    def prefix(text: str) -> bytes:
        padded = text.encode() + b" " * (-len(text.encode()) % 8)
        return len(padded).to_bytes(8, "little") + padded

    text = header if isinstance(header, str) else compact(header)
    digest = hashlib.sha256(prefix(text) + payload).hexdigest()
    return prefix(text.replace("0" * 64, digest) if seal else text) + payload


def metadata(**changes) -> dict[str, str]:
    return {"format": "fastmlp", "version": "1", "config": "{}", "sha256": "0" * 64} | changes


def entry(dtype="F32", shape=(2,), data_offsets=(0, 8)) -> dict:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(data_offsets)}


PAYLOAD = np.array([1.5, -2], "<f4").tobytes()


def assert_refused(tmp_path: Path, content: bytes, reason: str | None = None) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=reason) as caught:
        read_model(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert len(str(caught.value)) < len(str(path)) + 400


# Any name and any value of a configuration, for hypothesis.
names = st.from_regex(r"[a-z0-9_]{1,8}(\.[a-z0-9_]{1,8}){0,3}", fullmatch=True)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
