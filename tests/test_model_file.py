"""The model file keeps what it was given, and refuses everything that it did not write itself."""

import hashlib
import io
import itertools
import json
import os
import tokenize
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from fastmlp import kernels, model_file
from fastmlp.errors import FileFormatError
from fastmlp.model_file import (
    MAX_DIMENSIONS,
    MAX_HEADER_BYTES,
    MAX_NAME_LENGTH,
    ModelFile,
    read_model,
    write_model,
)

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


# What goes in comes out.


def test_round_trip(tmp_path):
    write_model(tmp_path / "model", CONFIG, TENSORS)
    assert_same(read_model(str(tmp_path / "model")), CONFIG, TENSORS)


names = st.from_regex(r"[a-z0-9_]{1,8}(\.[a-z0-9_]{1,8}){0,3}", fullmatch=True)
arrays = hnp.arrays(
    st.sampled_from(["<f4", ">f4", "<f8", ">f8", "<i8", ">i8", "u1"]),
    hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
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
    original = model_file._bytes_of

    def changing(array):
        weight.__iadd__(1)
        return original(array)

    monkeypatch.setattr(model_file, "_bytes_of", changing)
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


# R13: every bit counts.


@pytest.fixture(scope="module")
def small_file(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("small") / "model"
    write_model(path, {"a": [0, 1.5]}, {"w": np.array([[1.5, -2]], np.float32), "n": np.array([3], np.uint8)})
    content = path.read_bytes()
    assert_same(
        read_model(path), {"a": [0, 1.5]}, {"w": np.array([[1.5, -2]], np.float32), "n": np.uint8([3])}
    )
    assert b" " in content, "the padding takes part in the tests below"
    return content


def test_r13_every_truncation_is_refused(tmp_path, small_file):
    for length in range(len(small_file)):
        assert_refused(tmp_path, small_file[:length], "truncated")


def test_r13_every_flipped_bit_is_refused(tmp_path, small_file):
    for position, bit in itertools.product(range(len(small_file)), range(8)):
        damaged = bytearray(small_file)
        damaged[position] ^= 1 << bit
        assert_refused(tmp_path, bytes(damaged))


def test_r13_every_removed_or_doubled_byte_is_refused(tmp_path, small_file):
    for i in range(len(small_file)):
        assert_refused(tmp_path, small_file[:i] + small_file[i + 1 :])
        assert_refused(tmp_path, small_file[: i + 1] + small_file[i:])


@pytest.mark.parametrize("tail", [b"\0", b" ", b"\n", b"x" * 100])
def test_r13_trailing_bytes_are_refused(tmp_path, small_file, tail):
    assert_refused(tmp_path, small_file + tail, "asks for .* bytes, the file has")


@pytest.mark.parametrize("same", ["1.50", "15e-1", "+1.5"])
def test_another_spelling_of_the_same_configuration_is_refused(tmp_path, same):
    header = {"__metadata__": metadata(config=f'{{"a":{same}}}'), "w": entry()}
    assert_refused(tmp_path, crafted(header, PAYLOAD), "not written as fastmlp writes it|Expecting value")


@pytest.mark.parametrize(
    "respell",
    [
        lambda text: text.replace(",", ", "),
        lambda text: text + " " * 8,
        lambda text: "\n" + text,
        lambda text: text.replace("shape", "\\u0073hape"),
        lambda text: json.dumps(dict(reversed(json.loads(text).items())), separators=(",", ":")),
    ],
)
def test_another_spelling_of_the_same_header_is_refused(tmp_path, respell):
    text = compact({"__metadata__": metadata(), "w": entry()})
    (tmp_path / "plain").write_bytes(crafted(text, PAYLOAD))
    assert_same(read_model(tmp_path / "plain"), {}, {"w": np.array([1.5, -2], np.float32)})
    assert_refused(tmp_path, crafted(respell(text), PAYLOAD), "not written as fastmlp writes it")


# R7-R12: lies, each with a checksum that fits, so that the check that is named is the one that refuses.

LIES = {
    "R7 huge shape": ({"w": entry(shape=(2**40,), data_offsets=(0, 2**42))}, "asks for .* truncated"),
    "R7 huge shape, small offsets": ({"w": entry(shape=(2**40, 2**20))}, "asks for .* truncated"),
    "R8 product overflows to 8 bytes": ({"w": entry(shape=(2**62 + 2**1, 2**2))}, "no array can have"),
    "R8 product overflows to 0": ({"w": entry(shape=(2**32, 2**32)), "x": entry()}, "no array can have"),
    "R8 sizes beyond 64 bits": ({"w": entry(shape=(10**30,))}, "no array can have"),
    "R8 empty but too large": ({"w": entry(shape=(0, 2**61), data_offsets=(0, 0))}, "no array can have"),
    "negative sizes": ({"w": entry(shape=(-1, -2))}, "no array can have"),
    "a size that is a float": ({"w": entry(shape=(2.0,))}, "no array can have"),
    "a size that is a bool": ({"w": entry(shape=(2, True))}, "no array can have"),
    "a size that is a list": ({"w": entry(shape=([2],))}, "no array can have"),
    "too many dimensions": ({"w": entry(shape=[1] * MAX_DIMENSIONS + [2])}, "at most 64 sizes"),
    "shape is a text": ({"w": entry() | {"shape": "2"}}, "at most 64 sizes"),
    "no shape": ({"w": {"dtype": "F32", "data_offsets": [0, 8]}}, "at most 64 sizes"),
    "R11 overlap": (
        {"v": entry(shape=(1,), data_offsets=(0, 4)), "w": entry(shape=(1,), data_offsets=(0, 4))},
        "'w' is declared as .* expected",
    ),
    "R11 swapped": (
        {"v": entry(shape=(1,), data_offsets=(4, 8)), "w": entry(shape=(1,), data_offsets=(0, 4))},
        "'v' is declared as .* expected",
    ),
    "R11 gap": (
        {"v": entry(shape=(1,), data_offsets=(0, 4)), "w": entry(shape=(1,), data_offsets=(8, 12))},
        "'w' is declared as .* expected",
    ),
    "R11 gap in front": ({"w": entry(data_offsets=(8, 16))}, "'w' is declared as .* expected"),
    "R11 outside": ({"w": entry(data_offsets=(0, 2**64))}, "'w' is declared as .* expected"),
    "R11 backwards": ({"w": entry(data_offsets=(8, 0))}, "'w' is declared as .* expected"),
    "R11 negative": ({"w": entry(data_offsets=(-8, 0))}, "'w' is declared as .* expected"),
    "R11 offsets as floats": ({"w": entry(data_offsets=(0.0, 8.0))}, "not written as fastmlp writes it"),
    "R11 no offsets": ({"w": {"dtype": "F32", "shape": [2]}}, "'w' is declared as .* expected"),
    "R11 payload without tensor": ({}, "asks for .* bytes, the file has"),
    "R11 payload for less than the tensors": ({"v": entry(), "w": entry(data_offsets=(8, 16))}, "truncated"),
    "an extra key": ({"w": entry() | {"path": "/etc/passwd"}}, "'w' is declared as .* expected"),
    "a tensor that is a list": ({"w": [1]}, "has dtype None"),
    "R12 unknown dtype": ({"w": entry(dtype="F16")}, "has dtype 'F16'; accepted are F32, F64, I64, U8"),
    "R12 big-endian dtype": ({"w": entry(dtype=">f4")}, "has dtype '>f4'"),
    "R12 object dtype": ({"w": entry(dtype="O")}, "has dtype 'O'"),
    "dtype is a list": ({"w": entry(dtype=["F32"])}, "has dtype"),
    "dtype is an object": ({"w": entry(dtype={})}, "has dtype"),
    "R12 dtype of another size": ({"w": entry(dtype="F64")}, "asks for .* truncated"),
    **{
        f"R4 name {name[:20]!r}": ({name: entry()}, "tensor name")
        for name in [
            "../w",
            "/etc/passwd",
            "http://w",
            "a..b",
            ".a",
            "a.",
            "",
            "W",
            "a b",
            "a\n",
            "é",
            "a\\b",
            "x" * 101,
        ]
    },
}


@pytest.mark.parametrize(("tensors", "reason"), LIES.values(), ids=LIES)
def test_r7_to_r12_lies_in_the_header_are_refused(tmp_path, tensors, reason):
    assert_refused(tmp_path, crafted({"__metadata__": metadata(), **tensors}, PAYLOAD), reason)


METADATA_LIES = {
    "none": (None, "not a fastmlp model"),
    "not an object": ([], "not a fastmlp model"),
    "another format": (metadata(format="pt"), "not a fastmlp model"),
    "R29 newer": (metadata(version="2"), r"written by a newer fastmlp \(format 2\); this one reads format 1"),
    "R29 much newer": (metadata(version="10", extra="x"), r"newer fastmlp \(format 10\)"),
    "older than the first": (metadata(version="0"), "its format version is '0'"),
    "version is a word": (metadata(version="one"), "its format version is 'one'"),
    "version is a number": (metadata(version=1), "its format version is 1;"),
    "version of a million digits": (metadata(version="9" * 10**5), "its format version is '9999"),
    "config is an object": (metadata(config={}), "lacks the texts"),
    "config is no JSON": (metadata(config="{"), "Expecting"),
    "config is a list": (metadata(config="[]"), "its configuration is not a JSON object"),
    "NaN": (metadata(config='{"a":NaN}'), "NaN is not JSON"),
    "Infinity": (metadata(config='{"a":[-Infinity]}'), "-Infinity is not JSON"),
    "too large a float": (metadata(config='{"a":1e999}'), "not JSON compliant"),
    "too large an int": (metadata(config='{"a":' + "9" * 10**5 + "}"), "integer string conversion"),
    "R10 key twice": (metadata(config='{"a":1,"a":1}'), "an object has a key twice"),
    "R10 key twice, deep": (metadata(config='{"a":[{"b":1,"c":2,"b":1}]}'), "an object has a key twice"),
    "deep nesting": (metadata(config='{"a":' + "[" * 10**5 + "]" * 10**5 + "}"), TOO_DEEP),
    "no checksum": ({k: v for k, v in metadata().items() if k != "sha256"}, "lacks the texts"),
    "checksum of another file": (metadata(sha256="1" * 64), "checksum does not fit"),
    "checksum is a number": (metadata(sha256=1), "lacks the texts"),
    "an extra key": (metadata(url="http://example.org"), "not written as fastmlp writes it"),
}


@pytest.mark.parametrize(("found", "reason"), METADATA_LIES.values(), ids=METADATA_LIES)
def test_lies_in_the_metadata_are_refused(tmp_path, found, reason):
    header = {"w": entry()} | ({} if found is None else {"__metadata__": found})
    assert_refused(tmp_path, crafted(header, PAYLOAD), reason)


HEADERS = {
    "R10 tensor twice": (
        compact({"__metadata__": metadata(), "w": entry()})[:-1] + ',"w":' + compact(entry()) + "}"
    ),
    "R10 metadata twice": ('{"__metadata__":{},' + compact({"__metadata__": metadata(), "w": entry()})[1:]),
    "R10 shape twice": (
        compact({"__metadata__": metadata(), "w": entry()}).replace('"shape"', '"shape":[9],"shape"')
    ),
}


@pytest.mark.parametrize("text", HEADERS.values(), ids=HEADERS)
def test_r10_duplicate_keys_are_refused(tmp_path, text):
    assert_refused(tmp_path, crafted(text, PAYLOAD), "an object has a key twice")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[" * 10**5, TOO_DEEP),
        ('{"a":' * 10**5, TOO_DEEP),
        ("[]", "not a JSON object"),
        ("", "Expecting value"),
        ("\ufeff{}", "BOM"),
        ('{"__metadata__":NaN}', "NaN is not JSON"),
    ],
)
def test_a_header_that_is_no_object_is_refused(tmp_path, text, reason):
    assert_refused(tmp_path, crafted(text, PAYLOAD), reason)


def test_a_header_that_is_not_utf8_is_refused(tmp_path, small_file):
    assert_refused(tmp_path, small_file[:20] + b"\xff" + small_file[21:], "utf-8")
    utf16 = '{"a":1} '.encode("utf-16-le")
    assert_refused(tmp_path, len(utf16).to_bytes(8, "little") + utf16, "Expecting")


@pytest.mark.parametrize("length", [MAX_HEADER_BYTES + 1, 2**31, 2**63, 2**64 - 1])
def test_r9_a_header_length_bomb_is_refused_before_it_is_read(tmp_path, length):
    path = tmp_path / "model"
    with path.open("wb") as file:
        file.write(length.to_bytes(8, "little"))
        file.truncate(
            2 * MAX_HEADER_BYTES
        )  # so that the cap, not the size of the file, speaks for the first length
    tracemalloc.start()
    try:
        with pytest.raises(FileFormatError, match=f"its header has {length} bytes; accepted are at most"):
            read_model(path)
        assert tracemalloc.get_traced_memory()[1] < MAX_HEADER_BYTES / 2
    finally:
        tracemalloc.stop()


def test_r7_a_lie_about_the_size_is_refused_before_anything_is_allocated(tmp_path):
    path = tmp_path / "model"
    path.write_bytes(
        crafted({"__metadata__": metadata(), "w": entry(shape=(2**24,), data_offsets=(0, 2**26))}, b"")
    )
    tracemalloc.start()
    try:
        with pytest.raises(FileFormatError, match="truncated"):
            read_model(path)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("dtype", ["<f4", "<f8"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_r12_nonfinite_values_need_to_be_asked_for(tmp_path, dtype, value):
    path = tmp_path / "model"
    tensors = {"w": np.array([0, value, 1], dtype)}
    write_model(path, {}, TENSORS)
    with pytest.raises(ValueError, match="'w' holds NaN or infinity; allow_nonfinite=True accepts them"):
        write_model(path, {}, tensors)
    assert_same(read_model(path), {}, TENSORS)
    assert [file.name for file in tmp_path.iterdir()] == ["model"]
    write_model(path, {}, tensors, allow_nonfinite=True)
    with pytest.raises(FileFormatError, match="'w' holds NaN or infinity; allow_nonfinite=True accepts them"):
        read_model(path)
    assert_same(read_model(path, allow_nonfinite=True), {}, tensors)


@settings(deadline=None)  # the disk sets the pace
@given(
    st.binary(max_size=300) | st.binary(max_size=300).map(lambda tail: len(tail).to_bytes(8, "little") + tail)
)
def test_any_bytes_raise_only_the_documented_error(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any bytes"
    path.write_bytes(content)
    with pytest.raises(FileFormatError):
        read_model(path)


@settings(deadline=None)  # the disk sets the pace
@given(
    st.dictionaries(
        st.sampled_from(["w", "v", "__metadata__"]) | names,
        json_values
        | st.fixed_dictionaries({"dtype": json_values, "shape": json_values, "data_offsets": json_values}),
        max_size=3,
    )
)
def test_any_json_header_raises_only_the_documented_error(tmp_path_factory, header):
    path = tmp_path_factory.getbasetemp() / "any header"
    path.write_bytes(crafted({"__metadata__": metadata(), "w": 0} | header, PAYLOAD))
    with pytest.raises(FileFormatError):
        read_model(path)


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
    original = model_file._require_canonical

    def shrinking(*arguments):
        os.truncate(path, path.stat().st_size - 2)
        original(*arguments)

    monkeypatch.setattr(model_file, "_require_canonical", shrinking)
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


# R1: nothing in the package can run what it reads.

FORBIDDEN = {
    "pickle", "cPickle", "_pickle", "dill", "cloudpickle", "shelve", "joblib", "marshal",
    "eval", "exec", "__import__", "allow_pickle", "runpy",
}  # fmt: skip


def forbidden_words(source: bytes) -> list[str]:
    """Forbidden names that stand in the code itself: comments and strings are other kinds of token."""
    tokens = tokenize.tokenize(io.BytesIO(source).readline)
    return [f"{token.string} in line {token.start[0]}" for token in tokens if token.string in FORBIDDEN]


def package_sources() -> list[Path]:
    """All modules of fastmlp and of fastmlp.kernels, wherever they are installed."""
    folders = {Path(model_file.__file__).parent, Path(kernels.__file__).parent}
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


@pytest.mark.parametrize("path", package_sources(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_r1_no_source_can_run_what_it_reads(path):
    assert forbidden_words(path.read_bytes()) == []


def test_r1_the_search_covers_both_trees():
    found = {f"{path.parent.name}/{path.name}" for path in package_sources()}
    assert {"fastmlp/model_file.py", "kernels/jit.py"} <= found


@pytest.mark.parametrize("word", sorted(FORBIDDEN))
def test_r1_the_search_finds_code_and_only_code(word):
    for code in [
        f"import {word}",
        f"from {word} import load",
        f"x = {word}('1')",
        f"np.load(f, {word}=True)",
    ]:
        assert forbidden_words(code.encode()) == [f"{word} in line 1"]
    assert forbidden_words(f'"""No {word} here."""\n# nor {word}\nx = "{word}"\nre{word} = 1'.encode()) == []
