"""The NumPy reference of products of bfloat16 pairs: rounding, the orders in memory, and the exact sums.

Words are uint32. The sums are those of the instruction TDPBF16PS for finite numbers, to the last bit.
"""

import numpy as np

from ..schema import GROUP, PANEL_COLUMNS, Panels
from .arenas import matrix, view

_TINY = 2.0**-126  # the smallest normal number
_UP = 2.0**64  # moves numbers near it to where float32 is exact


def bfloat16(x):
    """The upper halves of float32 numbers, rounded to nearest even, as uint16; NaN stays NaN."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    rounded = bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))
    return (np.where(np.isnan(x), bits | np.uint32(0x00400000), rounded) >> np.uint32(16)).astype(np.uint16)


def float32(halves):
    """bfloat16 numbers as float32."""
    return (halves.astype(np.uint32) << np.uint32(16)).view(np.float32)


def paired(x, terms):
    """Neighbours of the last axis as words, 0 up to this number of terms."""
    halves = np.zeros((*x.shape[:-1], terms), np.uint16)
    halves[..., : x.shape[-1]] = bfloat16(x)
    return halves[..., 0::2].astype(np.uint32) | halves[..., 1::2].astype(np.uint32) << np.uint32(16)


def _whole_groups(terms):
    return -(-terms // int(GROUP)) * int(GROUP)


def _words(place, rows, columns):
    return matrix(place.arena.view(np.uint32), place.start, place.stride, rows, columns)


def _panel_words(panels, pairs, columns):
    """The words of panels (pairs, columns), as a list of views of whole panels or less."""
    arena, width = panels.arena.view(np.uint32), int(PANEL_COLUMNS)
    return [
        matrix(arena, panels.start + n // width * panels.step, width, pairs, min(columns - n, width))
        for n in range(0, columns, width)
    ]


def column_pairs(words, x, rows, columns):
    """words[r, c / 2] = (x[r, c], x[r, c + 1]), for whole groups of terms."""
    terms = _whole_groups(columns)
    _words(words, rows, terms // 2)[:] = paired(view(x, rows, columns), terms)


def row_pairs_transposed(words, x, rows, columns):
    """words[c, r / 2] = (x[r, c], x[r + 1, c]), for whole groups of terms."""
    terms = _whole_groups(rows)
    _words(words, columns, terms // 2)[:] = paired(view(x, rows, columns).T, terms)


def row_pairs_in_panels(panels, x, rows, columns, padded):
    """The word of row k / 2 and column n in panels is (x[k, n], x[k + 1, n]); 0 from row `rows` to row `padded`."""
    _fill(panels, paired(view(x, rows, columns).T, padded).T, columns)


def column_pairs_in_panels(panels, x, first, rows, columns):
    """The word of row o / 2 and column `first` + i in panels is (x[i, o], x[i, o + 1])."""
    width = int(PANEL_COLUMNS)
    words = paired(view(x, rows, columns), _whole_groups(columns)).T
    for i in range(0, rows, 16):
        column = first + i
        place = Panels(
            panels.arena, panels.start + column // width * panels.step + column % width, panels.step
        )
        _fill(place, words[:, i : i + 16], min(rows - i, 16))


def _fill(panels, words, columns):
    """Write words to panels, and 0 behind the last column up to a whole cache line."""
    pairs, line = len(words), 16
    padded = np.zeros((pairs, -(-columns // line) * line), np.uint32)
    padded[:, :columns] = words
    done = 0
    for panel in _panel_words(panels, pairs, padded.shape[1]):
        panel[:] = padded[:, done : done + panel.shape[1]]
        done += panel.shape[1]


def flushed(x):
    """0 with the sign of the number for float32 numbers below the smallest normal one."""
    return np.where(np.abs(x) < np.float32(_TINY), np.copysign(np.float32(0), x), x)


def _rounded_once(high, low):
    """The sums high + low of float64 numbers as float32, rounded once; what is then below the normal numbers is 0.

    `low` is what rounding took from `high`. The last bit of `high` is set if it took anything ("round to odd"), so that
    the second rounding goes where one rounding of the exact sum would go: Boldo and Melquiond, "Emulation of FMA and
    correctly rounded sums" (2008).
    """
    bits = high.view(np.int64)
    even = (bits & 1) == 0
    toward_zero = (low < 0) != (high < 0)
    odd = np.where((low != 0) & even, np.where(toward_zero, bits - 1, bits + 1), bits).view(np.float64)
    with np.errstate(over="ignore", under="ignore"):
        result = odd.astype(np.float32)
        scaled = (odd * _UP).astype(np.float32)  # with as many bits as a normal number has
    return np.where(np.abs(scaled) < _TINY * _UP, np.copysign(np.float32(0), result), result)


def fused(a, b, c):
    """a b + c for finite float32 numbers, of which a and b are bfloat16: rounded once, denormal results are 0."""
    with np.errstate(invalid="ignore"):  # a sum may have overflowed before
        product, c = a.astype(np.float64) * b.astype(np.float64), c.astype(np.float64)
        high = product + c
        part = high - product
        low = (product - (high - part)) + (c - part)
        return _rounded_once(high, np.where(np.isfinite(high), low, 0.0))


def group_sum(C, A, B):
    """C + (even + odd) for the terms of one group: A (rows, 32) and B (32, columns) are bfloat16 numbers in float32."""
    a, b, total = flushed(A), flushed(B), flushed(C)
    chains = [np.zeros_like(total), np.zeros_like(total)]
    for k in range(A.shape[1]):
        chains[k % 2] = fused(a[:, k : k + 1], b[k : k + 1], chains[k % 2])
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        return flushed(total + flushed(chains[0] + chains[1]))


def _numbers(words):
    """The float32 numbers of words (rows, pairs): (rows, 2 pairs)."""
    low, high = words << np.uint32(16), words & np.uint32(0xFFFF0000)
    return np.stack([low, high], axis=-1).reshape(len(words), -1).view(np.float32)


def pair_product(C, first, A, B, rows, columns, groups):
    """C = first + A B in groups of 32 terms, columns rounded up to whole cache lines."""
    columns, pairs = -(-columns // 16) * 16, 16 * groups
    left = _numbers(_words(A, rows, pairs))
    right = np.concatenate(
        [_numbers(np.ascontiguousarray(p.T)).T for p in _panel_words(B, pairs, columns)], axis=1
    )
    total = view(first, rows, columns).copy()
    for k in range(0, 2 * pairs, int(GROUP)):
        total = group_sum(total, left[:, k : k + int(GROUP)], right[k : k + int(GROUP)])
    view(C, rows, columns)[:] = total
