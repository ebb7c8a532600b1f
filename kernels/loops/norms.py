"""Normalisation: of each row over its columns, or of each column over the rows of a batch; then gain and offset.

Sums over the rows of a batch are made of the sums of its row groups of `ROW_GROUP` rows, which are joined in their
order: row groups depend on the batch alone, so any number of threads gives the same bits.

What the normalisation of a batch computes is stored in a matrix, at `op.kept` in the workspace:

    row 0  MEAN          mean of each column over the batch          forward
    row 1  FACTOR        1 / sqrt(variance + epsilon)                forward
    row 2  VARIANCE                                                  forward
    row 3  MEAN_PRODUCT  mean of d y, with d the deltas of y         backward
    row 4  MEAN_DELTA    mean of d                                   backward
    row 5 + 2 g, 6 + 2 g two rows of sums for each row group g       both
"""

from ..schema import ROW_GROUP
from ..simd import Int, Rows, Vec, fma, primitive, repeat, select, smaller, sqrt
from .elementwise import add, fold_row, map_row, map_rows, sum_row

MEAN, FACTOR, VARIANCE, MEAN_PRODUCT, MEAN_DELTA = range(5)


def _factor(variance: Vec, epsilon: Vec) -> Vec:
    return epsilon.like(1.0) / sqrt(variance + epsilon)


@primitive
def row_norm_forward(y: Rows, x: Rows, kept: Rows, rows: Int, columns: Int, epsilon: Vec) -> None:
    """y = (x - mean) factor along each row, with factor = 1 / sqrt(variance + epsilon); 0 in the padding.

    x and y are (rows, columns); `kept` takes the factor of each row.
    """

    def row(r: Int, _):
        source, count = x.row(r), y.start.count(columns)
        mean = sum_row(columns, [source], lambda at, value: value) / count
        squares = sum_row(columns, [source], lambda at, value: (value - mean) * (value - mean))
        factor = _factor(squares / count, epsilon)
        kept.row(r).store_one(factor)
        map_row(
            columns, [y.row(r)], [source],
            lambda at, value: [select(at.inside, (value - mean) * factor, 0.0)],
        )  # fmt: skip

    repeat(rows, 1, [], row)


@primitive
def row_norm_backward(d: Rows, y: Rows, kept: Rows, rows: Int, columns: Int) -> None:
    """d = factor (d - mean of d - y mean of d y) along each row, in place; 0 in the padding."""

    def row(r: Int, _):
        delta, value, count = d.row(r), y.row(r), y.start.count(columns)
        factor = kept.row(r).splat()
        sums = fold_row(columns, [delta, value], lambda at, a, b: [a, a * b], add, [0.0, 0.0])
        mean, product = (total / count for total in sums)
        map_row(
            columns, [delta], [delta, value],
            lambda at, a, b: [select(at.inside, (a - mean - b * product) * factor, 0.0)],
        )  # fmt: skip

    repeat(rows, 1, [], row)


@primitive
def affine_forward(y: Rows, x: Rows, weights: Rows, rows: Int, columns: Int) -> None:
    """y = gain x + offset, where row 0 of the weights holds the gain and row 1 the offset of each column."""
    gain, offset = (Rows(weights.row(row), 0) for row in range(2))
    map_rows(rows, columns, [y], [x, gain, offset], lambda at, value, by, plus: [fma(value, by, plus)])


@primitive
def column_sums(s: Rows, x: Rows, d: Rows, rows: Int, columns: Int, accumulate: Int) -> None:
    """s[0, c] = sum over the rows r of x[r, c] d[r, c], s[1, c] = sum of d[r, c]; += if `accumulate`."""

    def vector(c: Int, _):
        def row(r: Int, sums):
            delta = (d.row(r) + c).load()
            return [fma((x.row(r) + c).load(), delta, sums[0]), sums[1] + delta]

        places = [s.row(place) + c for place in range(2)]
        zeros = [s.start.zeros()] * 2
        start = repeat(accumulate, 1, zeros, lambda _, __: [place.load() for place in places])
        for place, total in zip(places, repeat(rows, 1, start, row), strict=True):
            place.store(total)

    repeat(columns, s.start.lanes, [], vector)


@primitive
def column_moments(s: Rows, x: Rows, rows: Int, columns: Int) -> None:
    """s[0, c] = the mean of x[r, c] over the rows, s[1, c] = the sum of (x[r, c] - mean)^2."""
    zeros = s.start.zeros()

    def vector(c: Int, _):
        (total,) = repeat(rows, 1, [zeros], lambda r, sums: [sums[0] + (x.row(r) + c).load()])
        mean = total / s.start.count(rows)

        def square(r: Int, sums):
            difference = (x.row(r) + c).load() - mean
            return [fma(difference, difference, sums[0])]

        (squares,) = repeat(rows, 1, [zeros], square)
        for row, result in enumerate((mean, squares)):
            (s.row(row) + c).store(result)

    repeat(columns, s.start.lanes, [], vector)


@primitive
def join_moments(m: Rows, s: Rows, groups: Int, rows: Int, columns: Int, epsilon: Vec) -> None:
    """Rows MEAN, FACTOR and VARIANCE of m, over all rows, from the moments of the row groups in s, two rows each.

    Group by group, with the update of Chan, Golub and LeVeque (1979).
    """

    def vector(c: Int, _):
        def group(i: Int, carried):
            count, mean, squares = carried
            group_count = s.start.count(smaller(rows - i * int(ROW_GROUP), int(ROW_GROUP)))
            group_mean, group_squares = ((s.row(i * 2 + row) + c).load() for row in range(2))
            difference = group_mean - mean
            weight = group_count / (count + group_count)
            between = fma(difference * difference, count * weight, group_squares)
            return [count + group_count, fma(difference, weight, mean), squares + between]

        count, mean, squares = repeat(groups, 1, [s.start.zeros()] * 3, group)
        variance = squares / count
        results = {MEAN: mean, FACTOR: _factor(variance, epsilon), VARIANCE: variance}
        for row, result in results.items():
            (m.row(row) + c).store(result)

    repeat(columns, s.start.lanes, [], vector)


@primitive
def join_sums(m: Rows, s: Rows, groups: Int, rows: Int, columns: Int) -> None:
    """Rows MEAN_PRODUCT and MEAN_DELTA of m: the two sums of the row groups in s, added in order, over the rows."""

    def vector(c: Int, _):
        def group(i: Int, sums):
            return [total + (s.row(i * 2 + row) + c).load() for row, total in enumerate(sums)]

        sums = repeat(groups, 1, [s.start.zeros()] * 2, group)
        for row, total in zip((MEAN_PRODUCT, MEAN_DELTA), sums, strict=True):
            (m.row(row) + c).store(total / s.start.count(rows))

    repeat(columns, s.start.lanes, [], vector)


@primitive
def batch_norm_backward(d: Rows, y: Rows, m: Rows, rows: Int, columns: Int) -> None:
    """d = factor (d - mean of d - y mean of d y), in place, with the numbers of each column in the rows of m."""
    numbers = [Rows(m.row(row), 0) for row in (FACTOR, MEAN_PRODUCT, MEAN_DELTA)]
    map_rows(
        rows, columns, [d], [d, y, *numbers],
        lambda at, delta, value, by, product, mean: [(delta - mean - value * product) * by],
    )  # fmt: skip


@primitive
def update_running_moments(p: Rows, m: Rows, columns: Int, momentum: Vec, epsilon: Vec) -> None:
    """Move the running mean and variance in p towards those of the batch in m; then compute the factor.

    running = momentum running + (1 - momentum) new. The rows of both are MEAN, FACTOR, VARIANCE; 0 in the padding.
    """
    running = [p.row(row) for row in (MEAN, FACTOR, VARIANCE)]
    new = [m.row(row) for row in (MEAN, VARIANCE)]

    def move(at, mean, variance, new_mean, new_variance):
        mean = fma(mean - new_mean, momentum, new_mean)
        variance = fma(variance - new_variance, momentum, new_variance)
        return [select(at.inside, number, 0.0) for number in (mean, _factor(variance, epsilon), variance)]

    map_row(columns, running, [running[MEAN], running[VARIANCE], *new], move)
