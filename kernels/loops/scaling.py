"""Scaling of columns: the same center and the same factor for a column of all rows."""

from ..simd import Int, Rows, primitive
from .elementwise import map_rows


@primitive
def scale_forward(y: Rows, x: Rows, constants: Rows, rows: Int, columns: Int) -> None:
    """y = (x - center) factor, where row 0 of `constants` holds the centers and row 1 the factors of all columns.

    The difference comes first: a column that is always the same becomes 0, exactly.
    """
    center, factor = (Rows(constants.row(row), 0) for row in range(2))
    map_rows(
        rows, columns, [y], [x, center, factor],
        lambda at, value, middle, by: [(value - middle) * by],
    )  # fmt: skip


@primitive
def scale_backward(dx: Rows, dy: Rows, factor: Rows, rows: Int, columns: Int) -> None:
    """dx = dy factor, with one row of factors for all rows."""
    map_rows(rows, columns, [dx], [dy, Rows(factor.start, 0)], lambda at, delta, by: [delta * by])
