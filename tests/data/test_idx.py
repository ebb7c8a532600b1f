"""IDX files: what is written is read back, and whatever lies, is cut or swells is refused."""

import gzip
import re
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fastmlp.data import read_idx, write_idx
from fastmlp.errors import FileFormatError

DTYPES = ["uint8", "int8", "int16", "int32", "float32", "float64"]
MIB = 1 << 20


def idx_bytes(code, shape, payload):
    return struct.pack(f">BBBB{len(shape)}I", 0, 0, code, len(shape), *shape) + payload


SMALL = idx_bytes(0x08, (2, 3), bytes(range(6)))


def refused(path, reason=""):
    """The one way in which a bad file may fail: the error of the format, naming the file."""
    return pytest.raises(FileFormatError, match=re.escape(str(path)) + ".*" + reason)


@pytest.mark.parametrize("name", ["values", "values.gz"])
@given(data=st.data())
def test_round_trip(tmp_path_factory, name, data):
    dtype = data.draw(st.sampled_from(DTYPES))
    array = data.draw(hnp.arrays(dtype, hnp.array_shapes(max_dims=5, max_side=4)))
    path = tmp_path_factory.mktemp("idx") / name
    write_idx(path, array)
    again = read_idx(path)
    assert again.dtype == array.dtype
    assert again.dtype.isnative
    assert again.shape == array.shape
    assert again.tobytes() == array.tobytes()


@pytest.mark.parametrize(
    ("code", "letter", "dtype"),
    [
        (0x08, "B", "u1"),
        (0x09, "b", "i1"),
        (0x0B, "h", "i2"),
        (0x0C, "i", "i4"),
        (0x0D, "f", "f4"),
        (0x0E, "d", "f8"),
    ],
)
def test_values_are_big_endian(tmp_path, code, letter, dtype):
    path = tmp_path / "values"
    path.write_bytes(idx_bytes(code, (2, 2), struct.pack(f">4{letter}", 1, 2, 3, 100)))
    array = read_idx(path)
    np.testing.assert_array_equal(array, np.array([[1, 2], [3, 100]], dtype), strict=True)
    assert array.flags.c_contiguous
    assert array.flags.writeable
    write_idx(path.with_name("again"), array)
    assert path.with_name("again").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("layout", ["fortran", "strided", "big-endian"])
def test_any_layout_is_written_in_c_order(tmp_path, layout):
    array = np.arange(24, dtype=np.int32).reshape(4, 6)
    given = {
        "fortran": np.asfortranarray(array),
        "strided": np.repeat(array, 2, 1)[:, ::2],
        "big-endian": array.astype(">i4"),
    }
    write_idx(tmp_path / "values", given[layout])
    np.testing.assert_array_equal(read_idx(tmp_path / "values"), array, strict=True)


def test_the_content_decides_whether_a_file_is_compressed(tmp_path):
    (tmp_path / "packed").write_bytes(gzip.compress(SMALL))
    (tmp_path / "plain.gz").write_bytes(SMALL)
    np.testing.assert_array_equal(read_idx(tmp_path / "packed"), read_idx(tmp_path / "plain.gz"), strict=True)


def test_the_same_array_gives_the_same_compressed_bytes(tmp_path):
    for name in ("a.gz", "b.gz"):
        write_idx(tmp_path / name, np.arange(10, dtype=np.uint8))
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


@pytest.mark.survives("R13", "R15")
@pytest.mark.parametrize("packed", [False, True])
def test_every_truncation_is_refused(tmp_path, packed):
    contents = gzip.compress(SMALL) if packed else SMALL
    path = tmp_path / "cut"
    for length in range(len(contents)):
        path.write_bytes(contents[:length])
        with refused(path):
            read_idx(path)


def test_sound_compressed_data_that_is_too_short_is_refused(tmp_path):
    path = tmp_path / "short"
    for length in range(len(SMALL)):
        path.write_bytes(gzip.compress(SMALL[:length]))
        with refused(path):
            read_idx(path)


@pytest.mark.parametrize("packed", [False, True])
def test_bytes_that_follow_are_refused(tmp_path, packed):
    path = tmp_path / "long"
    path.write_bytes(gzip.compress(SMALL + b"\0") if packed else SMALL + b"\0")
    with refused(path, "bytes follow"):
        read_idx(path)


def test_bytes_that_follow_compressed_data_are_refused(tmp_path):
    path = tmp_path / "long"
    path.write_bytes(gzip.compress(SMALL) + b"more")
    with refused(path):
        read_idx(path)


@pytest.mark.survives("R15")
def test_every_flipped_header_bit_is_refused_or_read_as_it_now_says(tmp_path):
    path = tmp_path / "flipped"
    read = []
    for bit in range(12 * 8):
        contents = bytearray(SMALL)
        contents[bit // 8] ^= 1 << bit % 8
        path.write_bytes(contents)
        try:
            read.append(read_idx(path))
        except FileFormatError as error:
            assert str(path) in str(error)
    # One flip of the type makes bytes signed ones of the same size; IDX has no checksum to tell.
    assert [array.dtype for array in read] == [np.dtype(np.int8)]


def test_every_flipped_bit_of_a_compressed_file_is_refused_or_harmless(tmp_path):
    path = tmp_path / "flipped"
    contents = gzip.compress(SMALL)
    expected = np.arange(6, dtype=np.uint8).reshape(2, 3)
    refusals = 0
    for bit in range(len(contents) * 8):
        flipped = bytearray(contents)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        try:
            np.testing.assert_array_equal(read_idx(path), expected, strict=True)
        except FileFormatError:
            refusals += 1
    # Harmless are only the time, the level and the system in the ten bytes before the data, which no
    # checksum covers, and the reserved flags.
    assert refusals >= (len(contents) - 10) * 8


@pytest.mark.survives("R7", "R15")
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    "shape",
    [
        (1 << 30,),
        (0xFFFFFFFF,) * 3,
        (1 << 31, 1 << 31, 4),  # 2**64: nothing, to a counter of 64 bits
        (1 << 31, 1 << 31, 4, 6),
        (0xFFFFFFFF,) * 64,
    ],
)
def test_a_shape_beyond_the_file_is_refused_before_anything_is_allocated(tmp_path, packed, shape):
    path = tmp_path / "liar"
    contents = idx_bytes(0x08, shape, bytes(6))
    path.write_bytes(gzip.compress(contents) if packed else contents)
    tracemalloc.start()
    try:
        with refused(path, "declares the shape"):
            read_idx(path)
        assert tracemalloc.get_traced_memory()[1] < MIB
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "shape", [(), (0,), (0, 28, 28), (3, 0), (0, 0xFFFFFFFF, 0xFFFFFFFF), (1,) * 65, (1,) * 255]
)
def test_a_shape_without_values_or_with_too_many_dimensions_is_refused(tmp_path, shape):
    path = tmp_path / "liar"
    path.write_bytes(idx_bytes(0x08, shape, b"\0" if shape and 0 not in shape else b""))
    with refused(path, "the header declares"):
        read_idx(path)


@pytest.mark.survives("R15")
@pytest.mark.parametrize(
    "contents",
    [b"", b"\0", b"\x89PNG\r\n\x1a\n", b"\x80\x04cposix\nsystem", b"\0\0\x0a\x01", b"\0\1\x08\x01"],
)
def test_what_is_not_idx_is_refused(tmp_path, contents):
    path = tmp_path / "other"
    path.write_bytes(contents)
    with refused(path, "not an IDX file"):
        read_idx(path)


def endless_zeros(beginning, mebibytes):
    """A gzip stream of `beginning` and so many MiB of zeros, cut off before its end."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    stream = compressor.compress(beginning) + compressor.flush(zlib.Z_FULL_FLUSH)
    # After a full flush the state is the same, so one block can be repeated.
    block = compressor.compress(bytes(MIB)) + compressor.flush(zlib.Z_FULL_FLUSH)
    return stream + block * mebibytes


@pytest.mark.survives("R14")
def test_a_gzip_bomb_is_refused_without_expanding_it(tmp_path):
    path = tmp_path / "bomb.gz"
    path.write_bytes(endless_zeros(idx_bytes(0x08, (16,), bytes(16)), 1024))
    tracemalloc.start()
    try:
        # The stream has no end: reading on would say "truncated", not "bytes follow".
        with refused(path, "bytes follow"):
            read_idx(path)
        assert tracemalloc.get_traced_memory()[1] < MIB
    finally:
        tracemalloc.stop()


def test_a_compressed_file_expands_at_most_as_far_as_deflate_can(tmp_path):
    path = tmp_path / "zeros.gz"
    write_idx(path, np.zeros(32 * MIB, np.uint8))
    assert not read_idx(path).any()
    assert path.stat().st_size * 1032 >= 32 * MIB


def test_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere: there is no such file; expected an IDX file"):
        read_idx(tmp_path / "nowhere")
    with refused(tmp_path, "not a regular file"):
        read_idx(tmp_path)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros(3, bool),
        np.zeros(3, np.uint16),
        np.zeros(3, np.complex64),
        np.array([None]),
        np.array(["text"]),
        np.array(7, np.uint8),
        np.zeros((0, 28, 28), np.uint8),
    ],
    ids=["bool", "uint16", "complex", "object", "text", "scalar", "empty"],
)
def test_what_idx_cannot_hold_is_refused_and_nothing_is_written(tmp_path, array):
    path = tmp_path / "values"
    path.write_bytes(b"old")
    with pytest.raises(ValueError, match=r"^IDX: expected"):
        write_idx(path, array)
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["values"]


@pytest.mark.parametrize("name", ["values", "values.gz"])
def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch, name):
    def full_disk(descriptor):
        raise OSError(28, "No space left on device")

    write_idx(tmp_path / name, np.arange(3, dtype=np.uint8))
    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_idx(tmp_path / name, np.zeros(100, np.uint8))
    np.testing.assert_array_equal(read_idx(tmp_path / name), np.arange(3))
    assert [entry.name for entry in tmp_path.iterdir()] == [name]
