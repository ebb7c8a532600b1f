"""Folders of four IDX files that belong together, or do not."""

import re

import numpy as np
import pytest

from fastmlp.data import load_idx_folder, write_idx
from fastmlp.data.folder import FILE_NAMES
from fastmlp.errors import FileFormatError

ARRAYS = {
    "train-images-idx3-ubyte": np.arange(3 * 5 * 4, dtype=np.uint8).reshape(3, 5, 4),
    "train-labels-idx1-ubyte": np.array([0, 2, 1], np.uint8),
    "t10k-images-idx3-ubyte": np.full((2, 5, 4), 7, np.uint8),
    "t10k-labels-idx1-ubyte": np.array([2, 0], np.uint8),
}
NAMES_IN_USE = [
    lambda name: name,
    lambda name: name + ".gz",
    lambda name: name.replace("-idx", ".idx"),
    lambda name: name.replace("-idx", ".idx") + ".gz",
]


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "small"
    path.mkdir()
    for name, array in ARRAYS.items():
        write_idx(path / name, array)
    return path


@pytest.mark.parametrize("rename", NAMES_IN_USE)
def test_each_name_in_use_is_found(tmp_path, rename):
    for name, array in ARRAYS.items():
        write_idx(tmp_path / rename(name), array)
    data = load_idx_folder(tmp_path)
    loaded = (data.x_train, data.y_train, data.x_test, data.y_test)
    for array, name in zip(loaded, FILE_NAMES, strict=True):
        np.testing.assert_array_equal(array, ARRAYS[name], strict=True)
    assert data.name == tmp_path.name


def test_names_and_shapes_are_shown(folder):
    assert repr(load_idx_folder(folder)) == "DataSet('small', train=(3, 5, 4), test=(2, 5, 4))"


def test_the_plain_file_comes_before_the_others(folder):
    for rename in NAMES_IN_USE[1:]:
        (folder / rename(FILE_NAMES[1])).write_bytes(b"not looked at")
    np.testing.assert_array_equal(load_idx_folder(folder).y_train, ARRAYS[FILE_NAMES[1]])


def test_missing_files_are_listed_in_one_error(folder):
    (folder / FILE_NAMES[1]).unlink()
    (folder / FILE_NAMES[2]).unlink()
    expected = f"{folder}: {FILE_NAMES[1]}, {FILE_NAMES[2]} not found; expected the four IDX files"
    with pytest.raises(FileNotFoundError, match=re.escape(expected)):
        load_idx_folder(folder)


@pytest.mark.survives("R15")
@pytest.mark.parametrize(
    ("name", "array", "reason"),
    [
        (FILE_NAMES[0], ARRAYS[FILE_NAMES[0]].astype(np.int8), "expected images"),
        (FILE_NAMES[0], ARRAYS[FILE_NAMES[0]].astype(np.float32), "expected images"),
        (FILE_NAMES[2], ARRAYS[FILE_NAMES[2]].reshape(2, 20), "expected images"),
        (FILE_NAMES[2], ARRAYS[FILE_NAMES[2]].reshape(2, 4, 5), "images of (4, 5) pixels, but"),
        (FILE_NAMES[1], ARRAYS[FILE_NAMES[1]].astype(np.int32), "expected labels"),
        (FILE_NAMES[3], ARRAYS[FILE_NAMES[3]].reshape(2, 1), "expected labels"),
        (FILE_NAMES[1], np.array([0, 2], np.uint8), "2 labels, but train-images-idx3-ubyte has 3 images"),
        (FILE_NAMES[3], np.array([0, 2, 1], np.uint8), "3 labels, but t10k-images-idx3-ubyte has 2 images"),
        (
            FILE_NAMES[3],
            np.array([0, 3], np.uint8),
            "has a label 3, but train-labels-idx1-ubyte ends with the class 2",
        ),
    ],
)
def test_files_that_do_not_belong_together_are_refused(folder, name, array, reason):
    write_idx(folder / name, array)
    with pytest.raises(FileFormatError, match=re.escape(f"{folder / name}: ") + ".*" + re.escape(reason)):
        load_idx_folder(folder)


@pytest.mark.survives("R15")
@pytest.mark.parametrize("name", FILE_NAMES)
def test_every_flipped_header_bit_is_refused(folder, name):
    path = folder / name
    contents = path.read_bytes()
    for bit in range((4 + 4 * ARRAYS[name].ndim) * 8):
        flipped = bytearray(contents)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        with pytest.raises(FileFormatError, match=re.escape(str(path))):
            load_idx_folder(folder)
