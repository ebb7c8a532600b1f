"""A file that fastmlp did not write itself is refused: for a bit, for a lie, whatever its bytes are."""

import itertools
import json
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastmlp.errors import FileFormatError
from fastmlp.files.model_file import MAX_DIMENSIONS, MAX_HEADER_BYTES, read_model, write_model
from tests.model_files import (
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
        # So that the cap, not the size of the file, speaks for the first length.
        file.truncate(2 * MAX_HEADER_BYTES)
    tracemalloc.start()
    try:
        with pytest.raises(
            FileFormatError, match=f"the length of a header, {length} bytes; expected at most"
        ):
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
