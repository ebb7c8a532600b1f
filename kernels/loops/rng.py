"""Random numbers from a counter: each is a hash of (seed, purpose, epoch, row, unit).

There is no state: the numbers do not depend on the thread or on the order of work, and a resumed run draws the same
ones. The 64-bit hash is the finaliser of SplitMix64 (Steele, Lea and Flood, 2014), the 32-bit one the two-multiply
hash found by C. Wellons' search ("lowbias32", bias 0.17).
"""

import numpy as np

from ..compiler.jit import entry, kernel
from ..schema import SHUFFLE_PURPOSE
from ..simd import Int, Pointer, Rows, Vec, fma, primitive, select, sqrt
from .elementary import cos_turns, log
from .elementwise import Place, map_row
from .matrices import submatrix

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


@kernel
def mix(number):
    """A 64-bit hash, which is a bijection."""
    z = np.uint64(number) + _GOLDEN
    z = (z ^ (z >> np.uint64(30))) * _FIRST
    z = (z ^ (z >> np.uint64(27))) * _SECOND
    return z ^ (z >> np.uint64(31))


@kernel
def key(seed, purpose, epoch, row):
    """The 64 random bits of these counters."""
    return mix(mix(mix(mix(np.uint64(seed)) ^ np.uint64(purpose)) ^ np.uint64(epoch)) ^ np.uint64(row))


@kernel
def _high_product(a, b):
    """The upper 64 bits of the 128-bit product of two 64-bit numbers."""
    mask, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    low_a, high_a, low_b, high_b = a & mask, a >> half, b & mask, b >> half
    cross = high_a * low_b + (low_a * low_b >> half)
    return high_a * high_b + (cross >> half) + ((low_a * high_b + (cross & mask)) >> half)


@kernel
def shuffle_rows(order, seed, epoch):
    """Shuffle `order` (int64) in place, keyed by seed and epoch (Fisher-Yates)."""
    for i in range(order.size - 1, 0, -1):
        # A uniform choice of 0, ..., i: the product's upper half; its bias is below i / 2^64 (Lemire 2019).
        j = np.int64(_high_product(key(seed, np.int64(SHUFFLE_PURPOSE), epoch, i), np.uint64(i + 1)))
        order[i], order[j] = order[j], order[i]


@entry
def shuffle(order, seed, epoch):
    """`shuffle_rows`, for Python."""
    shuffle_rows(order, seed, epoch)


@entry
def fill(bits, seed, purpose, epoch):
    """Fill `bits` (uint64) with 64 random bits each, keyed by the index."""
    for i in range(bits.size):
        bits[i] = key(seed, purpose, epoch, i)


def _hash32(number: Vec) -> Vec:
    number = (number ^ (number >> 16)) * 0x7FEB352D
    number = (number ^ (number >> 15)) * 0x846CA68B
    return number ^ (number >> 16)


def _unit_bits(at: Place, y: Pointer, low: Int, high: Int) -> Vec:
    """32 random bits for each column of a row whose 64 random bits are `low` and `high`."""
    return _hash32(_hash32(at.column + y.integer(low)) ^ y.integer(high))


@primitive
def _keep_row(y: Rows, x: Rows, columns: Int, low: Int, high: Int, threshold: Int, scale: Vec) -> None:
    """y = scale x where the random bits of the column are at least the threshold, else 0, along one row."""

    def keep(at: Place, value: Vec):
        bits = _unit_bits(at, y.start, low, high)
        return [select(bits >= y.start.integer(threshold), value * scale, 0.0)]

    map_row(columns, [y.start], [x.start], keep)


def _normal(bits: Vec, model: Vec) -> Vec:
    """Random numbers of the normal distribution (Box and Muller, 1958), from 24 of the bits and 24 of their hash."""
    radius = sqrt(log(((bits >> 8).to_float(model) + 1.0) * 2.0**-24) * -2.0)
    return radius * cos_turns((_hash32(bits) >> 8).to_float(model) * 2.0**-24)


@primitive
def _noisy_row(y: Rows, x: Rows, columns: Int, low: Int, high: Int, deviation: Vec) -> None:
    """y = x + deviation times a random number, along one row."""

    def add_noise(at: Place, value: Vec):
        bits = _unit_bits(at, y.start, low, high)
        return [fma(_normal(bits, value), deviation, value)]

    map_row(columns, [y.start], [x.start], add_noise)


@kernel
def _row_key(seed, purpose, epoch, row):
    """The random bits of a row: the lower and the upper 32."""
    bits = key(seed, purpose, epoch, row)
    return np.int64(bits & np.uint64(0xFFFFFFFF)), np.int64(bits >> np.uint64(32))


@kernel
def noise(y, x, rows, columns, deviation, seed, purpose, epoch, first_row):
    """y = x + noise of the normal distribution with mean 0 and this standard deviation.

    Row r of the matrices is row `first_row` + r of the epoch, which keys its random numbers.
    """
    for r in range(rows):
        low, high = _row_key(seed, purpose, epoch, first_row + r)
        _noisy_row(submatrix(y, r, 0), submatrix(x, r, 0), columns, low, high, deviation)


@kernel
def dropout(y, x, rows, columns, rate, seed, purpose, epoch, first_row):
    """y = x / (1 - rate) with probability 1 - rate, else 0. Forward: of the outputs; backward: of the deltas.

    Row r of the matrices is row `first_row` + r of the epoch, which keys its random numbers.
    """
    threshold = np.int64(rate * 4294967296.0)
    scale = 1.0 / (1.0 - rate)
    for r in range(rows):
        low, high = _row_key(seed, purpose, epoch, first_row + r)
        _keep_row(submatrix(y, r, 0), submatrix(x, r, 0), columns, low, high, threshold, scale)
