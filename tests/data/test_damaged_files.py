"""Files with random damage raise the errors that the readers document, and take no more memory than they may need."""

import gzip
import random
import resource
import struct
import zipfile

import numpy as np
import pytest

from fastmlp.data import load_csv, load_npz, read_idx, write_idx
from fastmlp.data.npz import read_npz
from fastmlp.errors import FileFormatError

MUTANTS = 300
INTERESTING = (0, 1, 2, 9, 10, 13, 34, 44, 127, 128, 254, 255)


def mutate(random, data):
    """Change, insert, remove or repeat bytes at a few places, or cut the end."""
    data = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 4))):
        place = random.randrange(len(data) + 1)
        length = random.choice((1, 1, 2, 4, 8))
        kind = random.randrange(6)
        if kind == 0:
            data[place : place + length] = random.randbytes(length)
        elif kind == 1:
            data[place : place + 1] = bytes([random.choice(INTERESTING)])
        elif kind == 2:
            data[place:place] = random.randbytes(length)
        elif kind == 3:
            del data[place : place + length]
        elif kind == 4:
            data[place:place] = data[place : place + 16]
        else:
            data[place : place + length] = random.choice((b"\xff", b"\0")) * length
    return bytes(data[: random.randrange(len(data))] if random.random() < 0.05 else data)


def rezipped(random, path):
    """Mutate the content of one entry of an archive and make the checksum right again, so that it is read."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    changed = random.choice(sorted(entries))
    header, values = entries[changed][:128], entries[changed][128:]
    entries[changed] = mutate(random, header) + values
    with zipfile.ZipFile(path, "w", random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)


def write_npz(path):
    np.savez(path, X=np.arange(12.0).reshape(4, 3), y=np.array(["a", "b", "a", "b"]))


def write_csv(path):
    path.write_bytes(b'a,b,kind\r\n1,2.5,"x"\r\n3,1e-3,y\n -4,NA,x\n')


def write_images(path):
    write_idx(path, np.arange(24, dtype=np.int16).reshape(2, 3, 4))


READERS = {
    "npz": (write_npz, load_npz),
    "csv": (write_csv, lambda path: load_csv(path, label=-1, missing="nan")),
    "csv.gz": (write_csv, lambda path: load_csv(path, label="kind", missing="nan", header=True)),
    "idx": (write_images, read_idx),
    "idx.gz": (write_images, read_idx),
}


@pytest.mark.survives("R7", "R14", "R15", "R17")
@pytest.mark.parametrize("kind", READERS)
def test_random_damage_raises_only_documented_errors(kind, tmp_path):
    write, read = READERS[kind]
    path = tmp_path / f"file.{kind.removesuffix('.gz')}"
    write(path)
    whole = path.read_bytes()
    read(path)
    chance = random.Random(7)
    refused = 0
    for number in range(MUTANTS):
        if kind == "npz" and number % 2:
            path.write_bytes(whole)
            rezipped(chance, path)
        elif kind.endswith(".gz") and number % 4:
            path.write_bytes(
                gzip.compress(mutate(chance, whole))
            )  # intact gzip data, so that what is in it is read
        elif kind.endswith(".gz"):
            path.write_bytes(mutate(chance, gzip.compress(whole)))
        else:
            path.write_bytes(mutate(chance, whole))
        try:
            read(path)
        except (FileFormatError, ValueError) as error:
            refused += isinstance(error, FileFormatError)
            assert str(error).startswith(str(path))
            # The one other error: a column that the caller chose is not there any more.
            assert isinstance(error, FileFormatError) or "column" in str(error)
    assert refused > MUTANTS // 8


def entry(shape, dtype="<f8", version=b"\x01\x00", values=b""):
    """An entry of an NPZ file with this header and these values."""
    header = f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape!r}, }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY" + version + struct.pack("<H", len(header)) + header + values


def archive_of(path, content, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("X.npy", content)


LIES = {
    "huge": entry((2**40, 2**10)),
    "huge product": entry((2**62, 2**62)),
    "negative": entry((-1, 4)),
    "too few values": entry((4, 4), values=b"\0" * 120),
    "too many values": entry((4, 4), values=b"\0" * 136),
    "many dimensions": entry((1,) * 70, values=b"\0" * 8),
    "objects": entry((2,), dtype="|O", values=b"\0" * 16),
    "a structure": entry((2, 1), dtype=[("a", "<f8")], values=b"\0" * 16),
    "no type": entry((2, 2), dtype="<q9"),
    "version": entry((2, 2), version=b"\x03\x00", values=b"\0" * 32),
    "no tokens": b"\x93NUMPY\x01\x00\x06\x00{'a': ",
    "nested": b"\x93NUMPY\x01\x00" + struct.pack("<H", 9000) + b"(" * 9000,
    "long header": b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**31) + b" " * 2**20,
    "empty": b"",
}


@pytest.mark.parametrize("lie", LIES)
def test_r7_an_npz_header_is_checked_before_memory_is_taken(lie, tmp_path):
    path = tmp_path / "lie.npz"
    archive_of(path, LIES[lie])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(FileFormatError, match=r"lie\.npz: ") as caught:
        load_npz(path, y=None)
    assert "\n" not in str(caught.value)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 2**10  # kB


def test_r7_an_npz_directory_that_declares_more_than_the_file_can_hold(tmp_path):
    path = tmp_path / "lie.npz"
    shape = (2**20, 2**10)
    header = entry(shape)
    archive_of(path, header, zipfile.ZIP_STORED)
    size = len(header) + 2**33
    directory = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        start = archive.start_dir
    struct.pack_into("<I", directory, start + 24, size % 2**32)  # the uncompressed size
    path.write_bytes(directory)
    with pytest.raises(FileFormatError, match=r"lie.npz: X.npy: damaged: "):
        load_npz(path, y=None)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_npz_files_that_numpy_does_not_write(tmp_path, method):
    path = tmp_path / "other.npz"
    archive_of(path, entry((2, 2), values=b"\0" * 32), method)
    with pytest.raises(FileFormatError, match=r"compressed by method .*; expected stored or deflated"):
        load_npz(path, y=None)


def test_an_encrypted_npz_file(tmp_path):
    path = tmp_path / "secret.npz"
    archive_of(path, entry((2, 2), values=b"\0" * 32))
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.index(signature) + offset] |= 1
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=r"secret.npz: .*encrypted"):
        load_npz(path, y=None)


def test_npz_texts_that_are_not_text(tmp_path):
    path = tmp_path / "text.npz"
    X = np.zeros((2, 1))
    points = [np.array([code, 97], "<u4").view("<U1") for code in (0xD800, 2**31)]
    for y in (np.array([b"\xff", b"a"]), *points):
        np.savez(path, X=X, y=y)
        with pytest.raises(FileFormatError, match=r"text.npz: y: "):
            load_npz(path)


def test_arrays_in_every_order_and_type_are_read_as_numpy_reads_them(tmp_path):
    path = tmp_path / "all.npz"
    arrays = {
        "fortran": np.asfortranarray(np.arange(12.0).reshape(3, 4)),
        "big_endian": np.arange(6, dtype=">i4").reshape(2, 3),
        "empty": np.empty((0, 3), np.float32),
        "scalar": np.array(2.5),
        "text": np.array(["a", "bc"]),
        "large": np.arange(2**18).reshape(2**9, 2**9),
    }
    for write in (np.savez, np.savez_compressed):
        write(path, **arrays)
        for name, array in read_npz(path, list(arrays)).items():
            np.testing.assert_array_equal(array, arrays[name], strict=True)
