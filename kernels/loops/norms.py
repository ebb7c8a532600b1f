"""Normalisation: of each row over its columns, or of each column over the rows of a batch; then gain and offset.

Sums over the rows of a batch are made of the sums of its row groups, `ROW_GROUP` rows each, which are added in their
order: row groups depend on the batch only, so any number of threads gives the same bits.
"""

from ..schema import ROW_GROUP
from ..simd import Int, Pointer, Vec, fma, one, primitive, repeat, select, smaller, sqrt
from .elementwise import Block, fold_row, map_block

_ROWS = int(ROW_GROUP)


def _add(a: Vec, b: Vec) -> Vec:
    return a + b


def _count(model: Pointer, number: Int) -> Vec:
    """An integer as a number of the pointer's type."""
    return model.integer(number).to_float(model.zeros())


def _factor(variance: Vec, epsilon: Vec) -> Vec:
    return epsilon.like(1.0) / sqrt(variance + epsilon)


@primitive
def row_norm_forward(
    y: Pointer, y0: Int, ldy: Int, x: Pointer, x0: Int, ldx: Int, kept: Pointer, kept0: Int,
    rows: Int, columns: Int, epsilon: Vec,
) -> None:  # fmt: skip
    """y = (x - mean) factor along each row, with factor = 1 / sqrt(variance + epsilon), which is kept.

    0 in the padding, as backward.
    """

    def row(r: Int, _):
        target, source, count = y + (y0 + ldy * r), x + (x0 + ldx * r), _count(y, columns)
        (total,) = fold_row(columns, [source], lambda at, value: [value], _add, [0.0])
        mean = total / count
        (squares,) = fold_row(
            columns, [source], lambda at, value: [(value - mean) * (value - mean)], _add, [0.0]
        )
        factor = _factor(squares / count, epsilon)
        (kept + (kept0 + r)).store_one(factor)
        map_block(
            one(columns), columns, [Block(target, 0)], [Block(source, 0)],
            lambda at, value: [select(at.inside, (value - mean) * factor, 0.0)],
        )  # fmt: skip

    repeat(rows, 1, [], row)


@primitive
def row_norm_backward(
    d: Pointer, d0: Int, ldd: Int, y: Pointer, y0: Int, ldy: Int, kept: Pointer, kept0: Int,
    rows: Int, columns: Int,
) -> None:  # fmt: skip
    """d = factor (d - mean of d - y mean of d y) along each row, in place; 0 in the padding."""

    def row(r: Int, _):
        delta, value, count = d + (d0 + ldd * r), y + (y0 + ldy * r), _count(d, columns)
        factor = (kept + (kept0 + r)).splat()
        sums = fold_row(columns, [delta, value], lambda at, a, b: [a, a * b], _add, [0.0, 0.0])
        mean, product = (total / count for total in sums)
        map_block(
            one(columns), columns, [Block(delta, 0)], [Block(delta, 0), Block(value, 0)],
            lambda at, a, b: [select(at.inside, (a - mean - b * product) * factor, 0.0)],
        )  # fmt: skip

    repeat(rows, 1, [], row)


@primitive
def affine_forward(
    y: Pointer, y0: Int, ldy: Int, x: Pointer, x0: Int, ldx: Int, w: Pointer, gain: Int, offset: Int,
    rows: Int, columns: Int,
) -> None:  # fmt: skip
    """y = gain x + offset on a block, with `w[gain + k]` and `w[offset + k]` for column k."""
    map_block(
        rows, columns, [Block(y + y0, ldy)], [Block(x + x0, ldx), Block(w + gain, 0), Block(w + offset, 0)],
        lambda at, value, by, plus: [fma(value, by, plus)],
    )  # fmt: skip


@primitive
def column_sums(
    s: Pointer, s0: Int, lds: Int, x: Pointer, x0: Int, ldx: Int, d: Pointer, d0: Int, ldd: Int,
    rows: Int, columns: Int, before: Int,
) -> None:  # fmt: skip
    """Two rows of sums over the rows in their order, for each column: of x d, and of d; += if s holds rows `before`."""

    def vector(c: Int, _):
        def row(r: Int, sums):
            delta = (d + (d0 + ldd * r + c)).load()
            return [fma((x + (x0 + ldx * r + c)).load(), delta, sums[0]), sums[1] + delta]

        places = [s + (s0 + lds * place + c) for place in range(2)]
        start = repeat(
            smaller(before, 1), 1, [s.zeros()] * 2, lambda _, __: [place.load() for place in places]
        )
        for place, total in zip(places, repeat(rows, 1, start, row), strict=True):
            place.store(total)

    repeat(columns, s.lanes, [], vector)


@primitive
def column_moments(
    s: Pointer, s0: Int, lds: Int, x: Pointer, x0: Int, ldx: Int, rows: Int, columns: Int
) -> None:
    """Two rows for each column: the mean over the rows, and the sum of the squared differences from it."""

    def vector(c: Int, _):
        place = x + (x0 + c)
        (total,) = repeat(rows, 1, [s.zeros()], lambda r, sums: [sums[0] + (place + ldx * r).load()])
        mean = total / _count(s, rows)

        def square(r: Int, sums):
            difference = (place + ldx * r).load() - mean
            return [fma(difference, difference, sums[0])]

        (squares,) = repeat(rows, 1, [s.zeros()], square)
        (s + (s0 + c)).store(mean)
        (s + (s0 + lds + c)).store(squares)

    repeat(columns, s.lanes, [], vector)


@primitive
def join_moments(
    m: Pointer, m0: Int, s: Pointer, s0: Int, ld: Int, chunks: Int, rows: Int, columns: Int, epsilon: Vec
) -> None:
    """Mean, factor = 1 / sqrt(variance + epsilon) and variance over all rows, from the moments of all chunks.

    Chunk after chunk, as in Chan, Golub and LeVeque (1979).
    """

    def vector(c: Int, _):
        def chunk(i: Int, carried):
            count, mean, squares = carried
            place = s + (s0 + ld * i * 2 + c)
            own = _count(s, smaller(rows - i * _ROWS, _ROWS))
            apart, share = place.load() - mean, own / (count + own)
            between = fma(apart * apart, count * share, (place + ld).load())
            return [count + own, fma(apart, share, mean), squares + between]

        count, mean, squares = repeat(chunks, 1, [s.zeros()] * 3, chunk)
        variance = squares / count
        for place, number in enumerate((mean, _factor(variance, epsilon), variance)):
            (m + (m0 + ld * place + c)).store(number)

    repeat(columns, s.lanes, [], vector)


@primitive
def join_sums(
    m: Pointer, m0: Int, s: Pointer, s0: Int, ld: Int, chunks: Int, rows: Int, columns: Int
) -> None:
    """The two rows of sums of all chunks, added in their order and divided by the number of rows."""

    def vector(c: Int, _):
        def chunk(i: Int, sums):
            place = s + (s0 + ld * i * 2 + c)
            return [sums[0] + place.load(), sums[1] + (place + ld).load()]

        for place, total in enumerate(repeat(chunks, 1, [s.zeros(), s.zeros()], chunk)):
            (m + (m0 + ld * place + c)).store(total / _count(s, rows))

    repeat(columns, s.lanes, [], vector)


@primitive
def batch_norm_backward(
    d: Pointer, d0: Int, ldd: Int, y: Pointer, y0: Int, ldy: Int, m: Pointer, factor: Int, product: Int, mean: Int,
    rows: Int, columns: Int,
) -> None:  # fmt: skip
    """d = factor (d - mean of d - y mean of d y) on a block, in place, with numbers of its own for each column."""
    block = Block(d + d0, ldd)
    map_block(
        rows, columns, [block],
        [block, Block(y + y0, ldy), Block(m + factor, 0), Block(m + product, 0), Block(m + mean, 0)],
        lambda at, delta, value, by, products, means: [(delta - means - value * products) * by],
    )  # fmt: skip


@primitive
def running_moments(
    p: Pointer, p0: Int, ldp: Int, m: Pointer, m0: Int, ldm: Int, columns: Int, momentum: Vec, epsilon: Vec
) -> None:
    """Mean and variance move towards those of the batch: old momentum + new (1 - momentum); the factor follows.

    The rows of both are mean, factor, variance, as in `join_moments`; 0 in the padding.
    """
    rows = [Block(p + (p0 + ldp * place), 0) for place in range(3)]
    news = [Block(m + (m0 + ldm * place), 0) for place in (0, 2)]

    def move(at, mean, variance, new_mean, new_variance):
        mean = fma(mean - new_mean, momentum, new_mean)
        variance = fma(variance - new_variance, momentum, new_variance)
        return [select(at.inside, number, 0.0) for number in (mean, _factor(variance, epsilon), variance)]

    map_block(one(columns), columns, rows, [rows[0], rows[2], *news], move)
