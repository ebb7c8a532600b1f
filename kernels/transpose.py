"""The transpose of a matrix, in square tiles of one vector's width that are turned in registers."""

from . import simd
from .jit import kernel
from .simd import Int, Pointer, Vec, primitive, repeat


def _turned(rows: list[Vec]) -> list[Vec]:
    """The columns of a square of vectors.

    Swap the off-diagonal quarters of ever larger squares: a stage for each power of two, a shuffle for each vector.
    """
    lanes, step = len(rows), 1
    while step < lanes:
        for i in (i for i in range(lanes) if not i & step):
            a, b = rows[i], rows[i + step]
            rows[i] = simd.shuffle(a, b, [lanes + j - step if j & step else j for j in range(lanes)])
            rows[i + step] = simd.shuffle(a, b, [lanes + j if j & step else j + step for j in range(lanes)])
        step *= 2
    return rows


@primitive
def _transpose_strip(t: Pointer, t0: Int, ldt: Int, w: Pointer, w0: Int, ldw: Int, columns: Int) -> None:
    """t[c, 0 .. lanes] = w[0 .. lanes, c]' for all columns, rounded up to whole vectors."""
    t, w = t + t0, w + w0

    def square(c: Int, _):
        rows = _turned([(w + (ldw * i + c)).load() for i in range(w.lanes)])
        for i, row in enumerate(rows):
            (t + ldt * (c + i)).store(row)

    repeat(columns, w.lanes, [], square)


@kernel
def transpose(t, t0, ldt, w, w0, ldw, rows, columns):
    """t[t0 + c ldt + r] = w[w0 + r ldw + c]. Columns are rounded up to whole vectors: `t` has room for those rows."""
    lanes = simd.FLOAT32_LANES * 4 // t.itemsize
    whole = rows // lanes * lanes
    for r in range(0, whole, lanes):
        _transpose_strip(t, t0 + r, ldt, w, w0 + r * ldw, ldw, columns)
    for r in range(whole, rows):
        for c in range(columns):
            t[t0 + c * ldt + r] = w[w0 + r * ldw + c]
