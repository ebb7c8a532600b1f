"""The random numbers in NumPy, bit for bit: the shuffle, dropout, and the bits of noise."""

from functools import lru_cache

import numpy as np

from ..schema import SHUFFLE_PURPOSE
from .arenas import view, width


@np.errstate(over="ignore")
def mix(number):
    """A 64-bit hash: a bijection that looks random."""
    z = np.asarray(number, np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def key(seed, purpose, epoch, row):
    """The 64 random bits of these counters, for one row or an array of rows."""
    return mix(mix(mix(mix(seed) ^ np.uint64(purpose)) ^ np.uint64(epoch)) ^ np.asarray(row, np.uint64))


def _high_product(a, b):
    """The upper 64 bits of a b, for b below 2^32."""
    half = np.uint64(32)
    return ((a >> half) * b + ((a & np.uint64(0xFFFFFFFF)) * b >> half)) >> half


def shuffle(order, seed, epoch):
    """Bring `order` into the random order of this epoch (Fisher-Yates)."""
    steps = np.arange(order.size - 1, 0, -1, dtype=np.uint64)
    others = _high_product(key(seed, SHUFFLE_PURPOSE, epoch, steps), steps + np.uint64(1))
    numbers = order.tolist()
    for i, j in zip(steps.tolist(), others.tolist(), strict=True):
        numbers[i], numbers[j] = numbers[j], numbers[i]
    order[:] = numbers


def _random_bits(rows, columns, seed, purpose, epoch, first_row):
    """32 random bits for each unit of these rows."""
    keys = key(seed, purpose, epoch, np.arange(first_row, first_row + rows))[:, None]
    bits = keys.astype(np.uint32) + np.arange(columns, dtype=np.uint32)
    _hash32(bits)
    bits ^= (keys >> np.uint64(32)).astype(np.uint32)
    _hash32(bits)
    return bits


def noise(y, x, rows, columns, deviation, seed, purpose, epoch, first_row):
    """y = x + noise of the normal distribution with mean 0 and this standard deviation."""
    bits = _random_bits(rows, columns, seed, purpose, epoch, first_row)
    first, second = (bits >> np.uint32(8)).astype(np.float64), bits
    _hash32(second)
    turns = (second >> np.uint32(8)).astype(np.float64) * 2.0**-24
    normal = np.sqrt(-2.0 * np.log((first + 1.0) * 2.0**-24)) * np.cos(2.0 * np.pi * turns)
    normal *= deviation
    np.add(view(x, rows, columns), normal.astype(y.arena.dtype), out=view(y, rows, columns))


def _hash32(number):
    number ^= number >> np.uint32(16)
    number *= np.uint32(0x7FEB352D)
    number ^= number >> np.uint32(15)
    number *= np.uint32(0x846CA68B)
    number ^= number >> np.uint32(16)


@lru_cache(maxsize=8)  # the backward pass finds the factors of the forward pass here
def dropout_factors(rows, columns, rate, seed, purpose, epoch, first_row, dtype):
    """0 for a unit that drops out, else 1 / (1 - rate)."""
    bits = _random_bits(rows, columns, seed, purpose, epoch, first_row)
    return (bits >= np.uint32(rate * 4294967296.0)) * dtype.type(1.0 / (1.0 - rate))


def dropout(y, x, rows, columns, rate, seed, purpose, epoch, first_row):
    """y = x / (1 - rate) with probability 1 - rate, else 0."""
    columns = width(columns, y, x)
    factors = dropout_factors(rows, columns, rate, seed, purpose, epoch, first_row, y.arena.dtype)
    np.multiply(view(x, rows, columns), factors, out=view(y, rows, columns))
