"""Random numbers: the documented hash, fair, and the same for any order of work."""

from itertools import permutations
from math import erf
from types import SimpleNamespace

import numpy as np
import pytest

from fastmlp.kernels import reference
from fastmlp.kernels.loops import rng
from fastmlp.kernels.schema import SHUFFLE_PURPOSE, Matrix, stride
from tests.cases import DTYPES
from tests.kernels.calls import from_python
from tests.tolerance import assert_close

SEED = np.uint64(7)
KERNELS = SimpleNamespace(dropout=from_python(rng.dropout), noise=from_python(rng.noise))
WORD = 2**64


def mix(z):
    """SplitMix64's finaliser in whole numbers."""
    z = (z + 0x9E3779B97F4A7C15) % WORD
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % WORD
    z = (z ^ z >> 27) * 0x94D049BB133111EB % WORD
    return z ^ z >> 31


def key(seed, purpose, epoch, row):
    return mix(mix(mix(mix(seed) ^ purpose) ^ epoch) ^ row)


COUNTERS = [(0, 0, 0, 0), (7, 1, 2, 3), (2**64 - 1, 1000, 99, 2**40)]


@pytest.mark.parametrize("counters", COUNTERS)
def test_key_is_the_documented_hash(counters):
    seed, *others = counters
    assert int(from_python(rng.key)(np.uint64(seed), *others)) == key(*counters)
    assert int(reference.rng.key(np.uint64(seed), *others)) == key(*counters)


@pytest.mark.parametrize("n", [0, 1, 2, 13, 1025])
def test_shuffle_is_the_documented_permutation(n):
    order, twin, expected = np.arange(n), np.arange(n), list(range(n))
    rng.shuffle(order, SEED, 3)
    reference.rng.shuffle(twin, SEED, 3)
    for i in range(n - 1, 0, -1):
        j = key(7, SHUFFLE_PURPOSE, 3, i) * (i + 1) // WORD
        expected[i], expected[j] = expected[j], expected[i]
    assert order.tolist() == expected
    assert twin.tolist() == expected
    assert sorted(expected) == list(range(n))


def test_shuffle_is_even():
    """Chi-squared over all permutations of 4: within four standard deviations of its mean."""
    counts, draws = dict.fromkeys(permutations(range(4)), 0), 4800
    for epoch in range(draws):
        order = np.arange(4)
        rng.shuffle(order, SEED, epoch)
        counts[tuple(order.tolist())] += 1
    expected = draws / len(counts)
    chi_squared = sum((count - expected) ** 2 / expected for count in counts.values())
    freedom = len(counts) - 1
    assert abs(chi_squared - freedom) <= 4 * np.sqrt(2 * freedom)


def dropout(which, x, rate, *, purpose=1000, epoch=0, first_row=0):
    rows, columns = x.shape
    ld = stride(columns, x.dtype)
    arena, y = np.zeros(rows * ld, x.dtype), np.full(rows * ld, np.nan, x.dtype)
    reference.arenas.matrix(arena, 0, ld, rows, columns)[:] = x
    matrices = Matrix(y, 0, ld), Matrix(arena, 0, ld)
    which.dropout(*matrices, rows, columns, rate, SEED, purpose, epoch, first_row)
    return reference.arenas.matrix(y, 0, ld, rows, columns).copy()


@pytest.mark.parametrize("columns", [1, 9, 16, 17, 129])
@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.99])
@pytest.mark.parametrize("dtype", DTYPES)
def test_dropout_has_the_bits_of_its_twin(dtype, rate, columns):
    x = np.random.default_rng(0).standard_normal((13, columns)).astype(dtype)
    actual, expected = (dropout(which, x, rate, first_row=5) for which in (KERNELS, reference.rng))
    assert np.array_equal(actual, expected)
    kept = actual != 0
    assert np.array_equal(actual[kept], (x * dtype(1 / (1 - rate)))[kept])


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_keeps_the_right_share(rate):
    x = np.ones((300, 129), np.float32)
    kept = dropout(KERNELS, x, rate) != 0
    for counts, draws in ((kept.sum(), x.size), (kept.sum(0), x.shape[0]), (kept.sum(1), x.shape[1])):
        # Within five standard deviations: in total, of each unit and of each row.
        assert np.all(np.abs(counts - draws * (1 - rate)) <= 5 * np.sqrt(draws * rate * (1 - rate)))


def test_masks_do_not_depend_on_chunks_or_width():
    x = np.ones((65, 129), np.float32)
    whole = dropout(KERNELS, x, 0.5, first_row=100)
    for first, last in ((0, 1), (1, 9), (9, 65)):
        assert np.array_equal(dropout(KERNELS, x[first:last], 0.5, first_row=100 + first), whole[first:last])
    assert np.array_equal(dropout(KERNELS, x[:, :17], 0.5, first_row=100), whole[:, :17])


def test_masks_differ_between_layers_epochs_and_rows():
    x = np.ones((64, 64), np.float32)
    mask = dropout(KERNELS, x, 0.5) != 0
    for other in ({"purpose": 1001}, {"epoch": 1}, {"first_row": 64}):
        agreement = np.mean(mask == (dropout(KERNELS, x, 0.5, **other) != 0))
        assert abs(agreement - 0.5) <= 5 * 0.5 / np.sqrt(x.size)


# Noise


def noise(which, x, deviation, *, purpose=1000, epoch=0, first_row=0):
    rows, columns = x.shape
    ld = stride(columns, x.dtype)
    arena, y = np.zeros(rows * ld, x.dtype), np.full(rows * ld, np.nan, x.dtype)
    reference.arenas.matrix(arena, 0, ld, rows, columns)[:] = x
    matrices = Matrix(y, 0, ld), Matrix(arena, 0, ld)
    which.noise(*matrices, rows, columns, deviation, SEED, purpose, epoch, first_row)
    return reference.arenas.matrix(y, 0, ld, rows, columns).copy()


@pytest.mark.parametrize("columns", [1, 9, 16, 17, 129])
@pytest.mark.parametrize("dtype", DTYPES)
def test_noise_is_that_of_its_twin(dtype, columns):
    x = np.random.default_rng(0).standard_normal((13, columns)).astype(dtype)
    actual, expected = (noise(which, x, 0.5, first_row=5) for which in (KERNELS, reference.rng))
    # The largest number is 5.8 deviations; near a zero of the cosine what counts is the error of its argument.
    assert_close(actual, expected, terms=12, scale=np.abs(x) + 5.8 * 0.5)


def test_noise_is_normal():
    """Moments within five standard deviations of theirs, and the largest distance to the distribution function."""
    numbers = noise(KERNELS, np.zeros((500, 400), np.float32), 1.0).astype(np.float64).ravel()
    n = numbers.size
    for power, moment, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs((numbers**power).mean() - moment) <= 5 * np.sqrt(variance / n)
    ordered, errors = np.sort(numbers), np.vectorize(erf)
    distance = np.abs((1 + errors(ordered / np.sqrt(2))) / 2 - (np.arange(n) + 0.5) / n).max()
    assert distance <= 2.2 / np.sqrt(n)  # Kolmogorov: exceeded once in 8,000 times


def test_noise_of_neighbours_has_nothing_in_common():
    numbers = noise(KERNELS, np.zeros((400, 400), np.float32), 1.0).astype(np.float64)
    others = (
        numbers[1:, :] * numbers[:-1, :], numbers[:, 1:] * numbers[:, :-1],
        *(numbers * noise(KERNELS, np.zeros((400, 400), np.float32), 1.0, **change)
          for change in ({"purpose": 1001}, {"epoch": 1}, {"first_row": 400})),
    )  # fmt: skip
    for product in others:
        assert abs(product.mean()) <= 5 / np.sqrt(product.size)


def test_noise_does_not_depend_on_chunks_or_width():
    x = np.ones((65, 129), np.float32)
    whole = noise(KERNELS, x, 0.5, first_row=100)
    for first, last in ((0, 1), (1, 9), (9, 65)):
        assert np.array_equal(noise(KERNELS, x[first:last], 0.5, first_row=100 + first), whole[first:last])
    assert np.array_equal(noise(KERNELS, x[:, :17], 0.5, first_row=100), whole[:, :17])
