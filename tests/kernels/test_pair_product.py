"""The product of bfloat16 pairs: the bits of the instruction TDPBF16PS, for every shape and any width of vectors.

tdpbf16ps.npz holds inputs and outputs of the instruction as bit patterns, taken from an Intel server (Emerald Rapids):
A (16, 32) and B (32, 16) in bfloat16, C before and after in float32, for several kinds of numbers.
"""

import platform
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from fastmlp.kernels import reference, simd
from fastmlp.kernels.loops import pair_product as products
from fastmlp.kernels.schema import GROUP, PANEL_COLUMNS, Matrix, Panels
from tests.guard_pages import guarded_zeros
from tests.kernels.calls import from_python

pair_product = from_python(products.pair_product)

VECTORS = np.load(Path(__file__).with_name("tdpbf16ps.npz"))
NAMES = sorted(name.removesuffix("_A") for name in VECTORS if name.endswith("_A"))

_HEIGHTS = products.HEIGHTS
SHAPES = sorted(
    {(rows, columns, groups) for rows in range(1, 34) for columns, groups in ((33, 1), (16, 2))}
    | {(13, columns, 2) for columns in (1, 15, 16, 17, 31, 32, 33, 48, 49, 64, 65, 100)}
    | {(sum(_HEIGHTS), 40, groups) for groups in (1, 3, products.BLOCK_GROUPS, products.BLOCK_GROUPS + 1)}
    | {(1, 1, 1), (70, 130, 5), (48, 72, 9), (53, 33, 17)}
)  # fmt: skip


def words_of(halves):
    """Pairs of bfloat16 numbers along the last axis, as words."""
    return halves[..., 0::2].astype(np.uint32) | halves[..., 1::2].astype(np.uint32) << np.uint32(16)


def left(halves):
    """bfloat16 numbers (rows, terms) as the left factor; the arena ends where memory ends."""
    rows, terms = halves.shape
    stride = terms // 2 + 16
    arena = guarded_zeros(16 + (rows - 1) * stride + terms // 2, np.float32)
    place = Matrix(arena, 16, stride)
    reference.arenas.matrix(arena.view(np.uint32), 16, stride, rows, terms // 2)[:] = words_of(halves)
    return place


def right(halves):
    """bfloat16 numbers (terms, columns) as panels; what is behind whole cache lines is NaN."""
    terms, columns = halves.shape
    pairs, width = terms // 2, int(PANEL_COLUMNS)
    words = words_of(np.ascontiguousarray(halves.T)).T
    step = pairs * width + 32
    count = -(-columns // width)
    arena = guarded_zeros(16 + count * step, np.float32)
    arena[:] = np.nan
    for p in range(count):
        panel = reference.arenas.matrix(arena.view(np.uint32), 16 + p * step, width, pairs, width)
        inside = min(columns - p * width, width)
        panel[:, : -(-inside // 16) * 16] = 0
        panel[:, :inside] = words[:, p * width : p * width + inside]
    return Panels(arena, 16, step)


def result(rows, columns):
    """Room for C, NaN; its rows are one cache line further apart than they are long."""
    stride = -(-columns // 16) * 16 + 16
    arena = guarded_zeros(rows * stride, np.float32)
    arena[:] = np.nan
    return Matrix(arena, 0, stride)


def random_halves(random, shape, spread=0):
    """Random bfloat16 numbers; `spread` is by how many powers of two they differ."""
    return reference.pairs.bfloat16(
        random.normal(size=shape) * 2.0 ** random.integers(-spread, spread + 1, shape)
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_bits_of_the_instruction(name):
    """Of finite inputs every number; NaN stays NaN, whatever its other bits are."""
    A, B, before, after = (VECTORS[f"{name}_{part}"] for part in ("A", "B", "C_before", "C_after"))
    C, first = result(16, 16), Matrix(before.view(np.float32).reshape(-1).copy(), 0, 16)
    pair_product(C, first, left(A), right(B), 16, 16, 1)
    bits = reference.arenas.view(C, 16, 16).view(np.uint32)
    expected = after.view(np.float32)
    same = (bits == after) | (np.isnan(expected) & np.isnan(bits.view(np.float32)))
    assert same.all()
    if "infinite" not in name:
        numbers = [reference.pairs.float32(part) for part in (A, B)]
        twin = reference.pairs.group_sum(before.view(np.float32), *numbers).view(np.uint32)
        assert ((twin == after) | np.isnan(expected) & np.isnan(twin.view(np.float32))).all()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("spread", [0, 70], ids=["normal", "wide"])
def test_product(shape, spread):
    rows, columns, groups = shape
    random = np.random.default_rng(sum(shape))
    A = left(random_halves(random, (rows, groups * int(GROUP)), spread))
    B = right(random_halves(random, (groups * int(GROUP), columns), spread))
    whole = -(-columns // 16) * 16
    bias = Matrix(random.normal(size=whole).astype(np.float32), 0, 0)
    C, twin = result(rows, columns), result(rows, columns)
    for first in (bias, None):  # the second time it is added to what is there
        pair_product(C, C if first is None else first, A, B, rows, columns, groups)
        reference.pairs.pair_product(twin, twin if first is None else first, A, B, rows, columns, groups)
        assert C.arena.tobytes() == twin.arena.tobytes()


def test_only_the_last_step_of_a_product_sees_what_it_starts_from():
    """Parts of the terms one after the other give the same as all at once, if groups stay whole."""
    random = np.random.default_rng(0)
    a, b = random_halves(random, (9, 96)), random_halves(random, (96, 40))
    zeros = Matrix(np.zeros(48, np.float32), 0, 0)
    once, parts = result(9, 40), result(9, 40)
    pair_product(once, zeros, left(a), right(b), 9, 40, 3)
    pair_product(parts, zeros, left(a[:, :32]), right(b[:32]), 9, 40, 1)
    pair_product(parts, parts, left(a[:, 32:]), right(b[32:]), 9, 40, 2)
    assert once.arena.tobytes() == parts.arena.tobytes()


def _exact(a, b, c):
    """a b + c rounded once to float32 by integers: to nearest, ties to even; 0 if it is then below the normal ones."""
    exact = Fraction(float(a)) * Fraction(float(b)) + Fraction(float(c))
    if exact == 0:
        return np.float32(a) * np.float32(b) + np.float32(c)
    size, exponent = abs(exact), 0
    while size >= 2**24:
        size, exponent = size / 2, exponent + 1
    while size < 2**23:
        size, exponent = size * 2, exponent - 1
    magnitude = Fraction(round(size)) * Fraction(2) ** exponent  # `round` takes ties to even
    if magnitude < Fraction(2) ** -126:
        magnitude = Fraction(0)
    if magnitude >= Fraction(2) ** 128:
        return np.float32(np.inf if exact > 0 else -np.inf)
    return np.copysign(np.float32(float(magnitude)), np.float32(1 if exact > 0 else -1))


@pytest.mark.parametrize("exponents", [(-4, 4), (-75, -50), (-60, 60)], ids=str)
def test_the_reference_rounds_once(exponents):
    random = np.random.default_rng(0)
    a, b = (
        reference.pairs.float32(
            reference.pairs.bfloat16(random.normal(size=600) * 2.0 ** random.integers(*exponents, 600))
        )
        for _ in range(2)
    )
    low, high = exponents
    c = (random.normal(size=600) * 2.0 ** random.integers(2 * low, 2 * high, 600)).astype(np.float32)
    c[:100] = (-a * b)[:100]  # all but cancels
    c[100:200] = (a * b)[100:200] * np.float32(2.0**24)  # ties
    c = reference.pairs.flushed(c)
    expected = np.array([_exact(*numbers) for numbers in zip(a, b, c, strict=True)], np.float32)
    assert reference.pairs.fused(a, b, c).tobytes() == expected.tobytes()


def test_the_mode_of_the_thread_is_restored():
    """Denormal numbers count again after a product."""
    zeros = Matrix(np.zeros(16, np.float32), 0, 0)
    ones = np.full((1, 32), 0x3F80, np.uint16)
    pair_product(result(1, 1), zeros, left(ones), right(ones.T), 1, 1, 1)
    tiny = np.full(simd.FLOAT32_LANES, 2.0**-126, np.float32)
    assert np.all(tiny * np.float32(0.5) == np.float32(2.0**-127))


@pytest.mark.skipif(
    platform.machine().lower() not in {"x86_64", "amd64"},
    reason="ARM flushes what is denormal before rounding",
)
def test_a_result_that_rounds_to_the_smallest_normal_number_stays():
    """2^-126 - 2^-152, in the chain of the even terms."""
    a, b = np.zeros((1, 32), np.float32), np.zeros((32, 1), np.float32)
    a[0, :4:2], b[:4:2, 0] = (2.0**-63, -(2.0**-76)), (2.0**-63, 2.0**-76)
    A, B = (reference.pairs.bfloat16(numbers) for numbers in (a, b))
    zeros, C, twin = Matrix(np.zeros(16, np.float32), 0, 0), result(1, 1), result(1, 1)
    pair_product(C, zeros, left(A), right(B), 1, 1, 1)
    reference.pairs.pair_product(twin, zeros, left(A), right(B), 1, 1, 1)
    assert C.arena[0] == twin.arena[0] == np.float32(2.0**-126)
