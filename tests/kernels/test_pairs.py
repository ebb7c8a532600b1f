"""Rounding to bfloat16 and the orders of pairs in memory: the same words as the reference, nothing written outside."""

import numpy as np
import pytest

from fastmlp.kernels import reference
from fastmlp.kernels.loops import pairs
from fastmlp.kernels.schema import GROUP, PANEL_COLUMNS, Matrix, Panels, stride
from tests.guard_pages import guarded_zeros
from tests.kernels.calls import from_python

SHAPES = [
    (1, 1),
    (2, 2),
    (3, 17),
    (16, 31),
    (17, 32),
    (31, 33),
    (32, 16),
    (33, 64),
    (48, 65),
    (65, 15),
    (100, 130),
]
START = 16


def _numbers(rows, columns):
    """A matrix whose padding is NaN, and which ends where memory ends."""
    random = np.random.default_rng(rows * 1000 + columns)
    step = stride(columns, np.float32)
    arena = guarded_zeros(START + rows * step, np.float32)
    arena[:] = np.nan
    place = Matrix(arena, START, step)
    reference.arenas.view(place, rows, columns)[:] = random.normal(size=(rows, columns))
    return place


def _words(size):
    """Room for words, all of them marked, ends where memory ends."""
    arena = guarded_zeros(size, np.float32)
    arena.view(np.uint32)[:] = 0xABCDABCD
    return arena


def _whole(count, size=int(GROUP)):
    return -(-count // size) * size


def _check(name, make, *arguments):
    """A kernel writes what its reference writes, and nothing else."""
    out, twin = make(), make()
    from_python(getattr(pairs, name))(out, *arguments)
    getattr(reference.pairs, name)(twin, *arguments)
    assert out.arena.tobytes() == twin.arena.tobytes()
    return out


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_pairs_of_columns(shape):
    rows, columns = shape
    width = _whole(columns) // 2
    _check(
        "column_pairs", lambda: Matrix(_words(START + (rows - 1) * (width + 16) + width), START, width + 16),
        _numbers(rows, columns), rows, columns,
    )  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_pairs_of_rows_transposed(shape):
    rows, columns = shape
    width = _whole(rows) // 2
    _check(
        "row_pairs_transposed", lambda: Matrix(_words(START + (columns - 1) * (width + 16) + width), START, width + 16),
        _numbers(rows, columns), rows, columns,
    )  # fmt: skip


def _panels(pair_rows, columns):
    step = pair_rows * int(PANEL_COLUMNS) + 32
    return Panels(_words(START + -(-columns // int(PANEL_COLUMNS)) * step), START, step)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("padding", ["to groups", "to pairs"])
def test_pairs_of_rows_in_panels(shape, padding):
    rows, columns = shape
    padded = _whole(rows) if padding == "to groups" else _whole(rows, 2)
    _check(
        "row_pairs_in_panels",
        lambda: _panels(padded // 2, columns),
        _numbers(rows, columns),
        rows,
        columns,
        padded,
    )


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("first", [0, 16, 48])
def test_pairs_of_columns_in_panels(shape, first):
    rows, columns = shape
    _check(
        "column_pairs_in_panels", lambda: _panels(_whole(columns) // 2, first + rows), _numbers(rows, columns), first,
        rows, columns,
    )  # fmt: skip


def test_blocks_of_rows_fill_panels_together():
    """As the update of weights does it, 48 rows at a time."""
    rows, columns, block = 100, 40, 48
    x = _numbers(rows, columns)
    for name, by_block, at_once in (
        ("row_pairs_in_panels", _by_row_pairs, (rows, columns, _whole(rows))),
        ("column_pairs_in_panels", _by_column_pairs, (0, rows, columns)),
    ):
        out, twin = (_panels(64, 128) for _ in range(2))
        for r in range(0, rows, block):
            by_block(
                out,
                Matrix(x.arena, x.start + r * x.stride, x.stride),
                r,
                min(block, rows - r),
                columns,
                r + block >= rows,
            )
        getattr(reference.pairs, name)(twin, x, *at_once)
        assert out.arena.tobytes() == twin.arena.tobytes()


def _by_row_pairs(out, x, first, rows, columns, is_last):
    place = Panels(out.arena, out.start + first // 2 * int(PANEL_COLUMNS), out.step)
    padded = _whole(first + rows) - first if is_last else rows
    from_python(pairs.row_pairs_in_panels)(place, x, rows, columns, padded)


def _by_column_pairs(out, x, first, rows, columns, _):
    from_python(pairs.column_pairs_in_panels)(out, x, first, rows, columns)


def test_rounding():
    """To nearest, ties to even; zeros, infinities and NaN stay; the largest numbers become infinite."""
    bits = {
        0x00000000: 0x0000, 0x80000000: 0x8000, 0x3F800000: 0x3F80, 0x3F808000: 0x3F80, 0x3F808001: 0x3F81,
        0x3F818000: 0x3F82, 0x3F817FFF: 0x3F81, 0x7F7FFFFF: 0x7F80, 0xFF7FFFFF: 0xFF80, 0x7F800000: 0x7F80,
        0xFF800000: 0xFF80, 0x7F800001: 0x7FC0, 0x7FFFFFFF: 0x7FFF, 0xFFC00000: 0xFFC0, 0x00008000: 0x0000,
        0x00008001: 0x0001, 0x00018000: 0x0002, 0x807FFFFF: 0x8080,
    }  # fmt: skip
    x = Matrix(np.array(list(bits), np.uint32).view(np.float32), 0, len(bits))
    words = Matrix(np.zeros(64, np.float32), 0, 64)
    for function in (from_python(pairs.column_pairs), reference.pairs.column_pairs):
        function(words, x, 1, len(bits))
        assert words.arena.view(np.uint16)[: len(bits)].tolist() == list(bits.values())
