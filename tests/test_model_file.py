"""The model file keeps what it was given; what cannot be read or written is named."""

import json
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from fastmlp.errors import FileFormatError
from fastmlp.files.model_file import (
    MAX_DIMENSIONS,
    MAX_HEADER_BYTES,
    MAX_NAME_LENGTH,
    ModelFile,
    read_model,
    reading,
    write_model,
    writing,
)
from tests.model_files import (
    CONFIG,
    PAYLOAD,
    TENSORS,
    TOO_DEEP,
    assert_refused,
    assert_same,
    compact,
    crafted,
    entry,
    json_values,
    metadata,
    names,
)

# What goes in comes out.


def test_round_trip(tmp_path):
    write_model(tmp_path / "model", CONFIG, TENSORS)
    assert_same(read_model(str(tmp_path / "model")), CONFIG, TENSORS)


arrays = hnp.arrays(
    st.sampled_from(["<f4", ">f4", "<f8", ">f8", "<i8", ">i8", "u1"]),
    hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
)


@settings(deadline=None)  # the disk sets the pace
@given(
    config=st.dictionaries(st.text(), json_values, max_size=4),
    tensors=st.dictionaries(names.filter(lambda name: name != "__metadata__"), arrays, max_size=4),
)
def test_round_trip_of_everything_that_is_accepted(tmp_path_factory, config, tensors):
    path = tmp_path_factory.getbasetemp() / "round trip"
    write_model(path, config, tensors, allow_nonfinite=True)
    assert_same(read_model(path, allow_nonfinite=True), config, tensors)
    # NumPy's view of what another reader finds, whatever the dtype and shape.
    for name, tensor in load_file(path).items():
        assert tensor.tobytes() == tensors[name].astype(tensors[name].dtype.newbyteorder("<")).tobytes()


def test_the_bytes_are_those_of_the_description(tmp_path):
    path = tmp_path / "model"
    write_model(path, {"b": [1, 0.5], "a": "é"}, {"w": np.array([1.5, -2], np.float32), "n": np.array(3)})
    header = {
        "__metadata__": metadata(config='{"a":"\\u00e9","b":[1,0.5]}'),
        "n": entry("I64", (), (0, 8)),
        "w": entry(data_offsets=(8, 16)),
    }
    assert path.read_bytes() == crafted(header, np.array(3, "<i8").tobytes() + PAYLOAD)


def test_the_same_content_gives_the_same_bytes_in_any_order(tmp_path):
    write_model(tmp_path / "one", CONFIG, TENSORS)
    write_model(tmp_path / "two", dict(reversed(CONFIG.items())), dict(reversed(TENSORS.items())))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize(
    "change",
    [
        lambda a: a.astype(a.dtype.newbyteorder(">")),
        np.asfortranarray,
        lambda a: np.repeat(np.repeat(a, 2, axis=0), 3, axis=1)[::2, ::3],
        lambda a: a[::-1, ::-1].copy()[::-1, ::-1],
        lambda a: np.lib.stride_tricks.as_strided(a, writeable=False),
    ],
    ids=["big-endian", "Fortran", "strided", "negative strides", "read-only"],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.uint8])
def test_r12_byte_order_and_layout_do_not_show(tmp_path, change, dtype):
    plain = np.arange(20, dtype=dtype).reshape(4, 5)
    write_model(tmp_path / "plain", {}, {"w": plain})
    write_model(tmp_path / "changed", {}, {"w": change(plain)})
    assert (tmp_path / "plain").read_bytes() == (tmp_path / "changed").read_bytes()


def test_what_was_read_is_writable_and_its_own(tmp_path):
    write_model(tmp_path / "model", {}, TENSORS)
    first, second = read_model(tmp_path / "model"), read_model(tmp_path / "model")
    first.tensors["0.bias"] += 1
    assert_same(second, {}, TENSORS)


def test_a_tensor_that_changes_while_it_is_saved_still_gives_a_whole_file(tmp_path, monkeypatch):
    weight = np.zeros(1000, np.float32)
    original = writing.bytes_of

    def changing(array):
        weight.__iadd__(1)
        return original(array)

    monkeypatch.setattr(writing, "bytes_of", changing)
    write_model(tmp_path / "model", {}, {"w": weight})
    assert weight[0] > 0
    assert np.unique(read_model(tmp_path / "model").tensors["w"]).size == 1


# Other tools.


def test_the_safetensors_package_opens_the_file(tmp_path):
    path = tmp_path / "model.safetensors"
    write_model(path, CONFIG, TENSORS)
    loaded = load_file(path)
    assert_same(ModelFile({}, {name: loaded[name] for name in sorted(loaded)}), {}, TENSORS)
    with safe_open(path, framework="numpy") as file:
        assert json.loads(file.metadata()["config"]) == CONFIG


def test_a_file_of_another_tool_is_refused(tmp_path):
    save_file(TENSORS, tmp_path / "other", metadata={"format": "pt"})
    assert_refused(tmp_path, (tmp_path / "other").read_bytes(), "not a fastmlp model")


# What cannot be read or written at all.


def test_a_path_that_is_no_file_is_named(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileNotFoundError, match="missing"):
        read_model(tmp_path / "missing")
    with pytest.raises(IsADirectoryError, match=tmp_path.name):
        read_model(tmp_path)
    with pytest.raises(FileFormatError, match="pipe: this is a device or a pipe"):
        read_model(tmp_path / "pipe")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_named(tmp_path):
    write_model(tmp_path / "model", {}, {})
    (tmp_path / "model").chmod(0)
    with pytest.raises(PermissionError, match="model"):
        read_model(tmp_path / "model")


def test_a_file_that_shrinks_while_it_is_read_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "model"
    write_model(path, {}, {"w": np.zeros(2**20)})  # more than a buffer takes at once
    original = reading.require_canonical

    def shrinking(*arguments):
        os.truncate(path, path.stat().st_size - 2)
        original(*arguments)

    monkeypatch.setattr(reading, "require_canonical", shrinking)
    with pytest.raises(FileFormatError, match="became shorter"):
        read_model(path)


@pytest.mark.parametrize("dtype", ["f2", "i4", "u8", "?", "O", "S3", "U3", "c8", "M8[s]", "f4,f4", "g"])
def test_r12_other_dtypes_are_refused_by_the_writer(tmp_path, dtype):
    with pytest.raises(ValueError, match=r"'w' has dtype .*; accepted are float32, float64, int64, uint8"):
        write_model(tmp_path / "model", {}, {"w": np.zeros(2, dtype)})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name",
    [
        "",
        "W",
        "a/b",
        "../a",
        "a..b",
        ".a",
        "a.",
        "a b",
        "a\n",
        "é",
        "__metadata__",
        "x" * (MAX_NAME_LENGTH + 1),
        3,
    ],
)
def test_r4_other_names_are_refused_by_the_writer(tmp_path, name):
    with pytest.raises(ValueError, match=r"tensor name .* accepted are words of a-z"):
        write_model(tmp_path / "model", {}, {name: np.zeros(2)})


def test_a_tensor_that_is_no_array_is_refused(tmp_path):
    with pytest.raises(TypeError, match="'w': expected a NumPy array, got list"):
        write_model(tmp_path / "model", {}, {"w": [1.0]})


def test_the_longest_name_and_the_most_dimensions_are_kept(tmp_path):
    tensors = {
        "x" * MAX_NAME_LENGTH: np.ones((1,) * MAX_DIMENSIONS),
        "empty": np.zeros((2**40, 0), np.float32),
    }
    write_model(tmp_path / "model", {}, tensors)
    assert_same(read_model(tmp_path / "model"), {}, tensors)


def deep() -> dict:
    value: list = []
    for _ in range(10**5):
        value = [value]
    return {"a": value}


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"a": float("nan")}, "not JSON compliant"),
        ({"a": [float("-inf")]}, "not JSON compliant"),
        ({"a": (1, 2)}, "JSON would change"),
        ({1: "a"}, "JSON would change"),
        ({None: "a"}, "JSON would change"),
        ({1: "a", "b": 2}, "not supported between"),
        ({"a": np.float32(1)}, "not JSON serializable"),
        ({"a": np.ones(2)}, "not JSON serializable"),
        ({"a": b"bytes"}, "not JSON serializable"),
        ({"a": {1}}, "not JSON serializable"),
        ({"a": 10**5000}, "integer string conversion"),
        (deep(), TOO_DEEP),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_configuration_that_json_does_not_keep_is_refused(tmp_path, config, reason):
    with pytest.raises(ValueError, match=f"configuration.*{reason}|{reason}.*configuration"):
        write_model(tmp_path / "model", config, {})
    assert list(tmp_path.iterdir()) == []


def test_a_configuration_that_is_no_dict_is_refused(tmp_path):
    with pytest.raises(TypeError, match="the configuration is of type list; accepted is a dict"):
        write_model(tmp_path / "model", [1], {})


def test_a_header_above_the_cap_is_refused_by_the_writer(tmp_path):
    largest = MAX_HEADER_BYTES - len(compact({"__metadata__": metadata(config=compact({"a": ""}))}))
    write_model(tmp_path / "model", {"a": "x" * largest}, {})
    assert read_model(tmp_path / "model").config == {"a": "x" * largest}
    with pytest.raises(ValueError, match=f"takes {MAX_HEADER_BYTES + 8} bytes; at most {MAX_HEADER_BYTES}"):
        write_model(tmp_path / "model", {"a": "x" * (largest + 1)}, {})
