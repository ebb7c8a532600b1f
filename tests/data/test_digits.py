"""Synthetic digits: the same bits always and everywhere, and a problem worth learning."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.data import load_synthetic, synthetic_digits
from fastmlp.data.digit_glyphs import VARIANTS, tabulate
from fastmlp.kernels.extras import digits as kernels
from fastmlp.kernels.loops import rng

# Of the first 1000 images of seed 0. A change of the drawing changes it, and with it every published
# result on synthetic digits.
FIRST_1000 = "833ce61e8a06aba6ead12184f45d779b01ad89729d84705b7ea21ddc2699113a"
LAST = 2**64


@pytest.fixture(scope="module")
def thousand():
    return synthetic_digits(1000)


def test_the_first_images_are_pinned(thousand):
    assert hashlib.sha256(thousand[0]).hexdigest() == FIRST_1000


def test_shapes_types_and_labels(thousand):
    images, labels = thousand
    assert images.shape == (1000, 28, 28)
    assert images.dtype == labels.dtype == np.uint8
    np.testing.assert_array_equal(labels, np.arange(1000) % 10)


@given(start=st.integers(0, 999), n=st.integers(0, 40))
def test_an_image_does_not_depend_on_what_is_drawn_before_it(thousand, start, n):
    n = min(n, 1000 - start)
    images, labels = synthetic_digits(n, start=start)
    np.testing.assert_array_equal(images, thousand[0][start : start + n], strict=True)
    np.testing.assert_array_equal(labels, thousand[1][start : start + n], strict=True)


@given(
    seed=st.integers(0, LAST - 1),
    start=st.integers(0, LAST - 12),
    cuts=st.lists(st.integers(0, 12), max_size=3).map(sorted),
)
def test_chunks_make_the_whole(seed, start, cuts):
    whole, _ = synthetic_digits(12, seed, start)
    edges = [0, *cuts, 12]
    chunks = [synthetic_digits(b - a, seed, start + a)[0] for a, b in pairwise(edges)]
    np.testing.assert_array_equal(np.concatenate(chunks), whole, strict=True)


def test_no_images_at_the_very_end():
    assert len(synthetic_digits(0, 0, LAST)[0]) == 0


def test_threads_draw_the_same(thousand):
    with ThreadPoolExecutor(4) as pool:
        chunks = list(pool.map(lambda start: synthetic_digits(50, start=start)[0], range(0, 1000, 50)))
    np.testing.assert_array_equal(np.concatenate(chunks), thousand[0], strict=True)


def test_the_machine_code_rounds_as_numpy_does(thousand, monkeypatch):
    """The Python source, run on NumPy's scalars, gives the same bits: nothing is fused or reassociated."""
    for module in (kernels, rng):
        for name, value in vars(module).copy().items():
            if hasattr(value, "py_func"):
                monkeypatch.setattr(module, name, value.py_func)
    with np.errstate(over="ignore"):  # the hash wraps around
        images, labels = synthetic_digits(20, start=500)
    np.testing.assert_array_equal(images, thousand[0][500:520], strict=True)
    np.testing.assert_array_equal(labels, thousand[1][500:520], strict=True)


def test_seeds_give_different_images(thousand):
    others = [thousand[0], *(synthetic_digits(1000, seed)[0] for seed in (1, 2, LAST - 1))]
    distinct = {image.tobytes() for images in others for image in images}
    assert len(distinct) == sum(map(len, others))


def test_about_as_many_pixels_are_not_zero_as_in_mnist():
    images, _ = synthetic_digits(10_000)
    assert 0.17 < (images > 0).mean() < 0.21
    assert images.max() == 255


def test_every_image_shows_something(thousand):
    ink = (thousand[0] > 127).sum(axis=(1, 2))
    assert ink.min() >= 10


def test_a_linear_classifier_learns_much_but_not_all():
    """Least squares on the pixels: digits of a class are alike, and not so alike that it is no problem."""
    images, labels = synthetic_digits(6000)
    pixels = np.c_[images.reshape(6000, -1) / 255, np.ones(6000)]
    train, test = slice(0, 5000), slice(5000, 6000)
    gram = pixels[train].T @ pixels[train] + np.eye(785)
    weights = np.linalg.solve(gram, pixels[train].T @ np.eye(10)[labels[train]])
    accuracy = ((pixels[test] @ weights).argmax(axis=1) == labels[test]).mean()
    assert 0.7 < accuracy < 0.9


def test_training_and_test_set_share_no_image():
    data = load_synthetic(2000, 500, seed=3)
    assert (data.x_train.shape, data.x_test.shape) == ((2000, 28, 28), (500, 28, 28))
    assert len({image.tobytes() for image in (*data.x_train, *data.x_test)}) == 2500
    assert np.bincount(data.y_train).tolist() == [200] * 10
    assert np.bincount(data.y_test).tolist() == [50] * 10


def test_the_test_set_is_the_same_for_every_size_of_the_training_set():
    np.testing.assert_array_equal(load_synthetic(10, 100).x_test, load_synthetic(30, 100).x_test)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"n": -1}, "n of at least 0, got -1"),
        ({"n": 1, "seed": -1}, "seed from 0 to"),
        ({"n": 1, "seed": LAST}, "seed from 0 to"),
        ({"n": 1, "start": -1}, "images between"),
        ({"n": 2, "start": LAST - 1}, "images between"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments, reason):
    with pytest.raises(ValueError, match=f"^synthetic_digits: expected.*{reason}"):
        synthetic_digits(**arguments)


@pytest.mark.parametrize("name", ["n", "seed", "start"])
def test_arguments_that_are_no_integers_are_refused(name):
    with pytest.raises(TypeError):
        synthetic_digits(**{"n": 1, name: 1.5})


def test_every_digit_has_skeletons_for_eight_writers():
    assert [sum(writers for writers, _ in digit) for digit in VARIANTS] == [8] * 10


def test_the_tables_fit_the_kernel():
    tables = tabulate()
    assert tables.variant_of.shape == (kernels.CLASSES, 8)
    assert sorted(set(tables.variant_of.flat)) == list(range(len(tables.variants)))
    first_point, end_point, first_span, end_span = tables.variants.T
    assert (end_point - first_point).max() <= kernels.MOST_POINTS
    assert (first_point[0], first_span[0]) == (0, 0)
    np.testing.assert_array_equal(first_point[1:], end_point[:-1])
    np.testing.assert_array_equal(first_span[1:], end_span[:-1])
    assert (end_point[-1], end_span[-1]) == (len(tables.points), len(tables.spans))
    for points, first, end in zip(end_point - first_point, first_span, end_span, strict=True):
        used = tables.spans[first:end, :4]
        assert set(used.flat) == set(range(points))
    assert tables.spans[:, 4].min() >= 1
    assert np.abs(tables.points).max() <= 10


def test_the_draws_of_an_image_do_not_collide():
    numbers = [value for name, value in vars(kernels).items() if name.startswith("DRAW_")]
    assert len(set(numbers)) == len(numbers)
    single = [number for number in numbers if number < kernels.DRAW_POINT]
    assert len(single) == len(numbers) - 2
    assert kernels.DRAW_PIXEL - kernels.DRAW_POINT >= kernels.MOST_POINTS
