"""Scaling of features: the same center and the same factor for a column of all rows."""

from ..simd import Int, Pointer, primitive
from .elementwise import Block, map_block


@primitive
def scale_forward(
    y: Pointer, y0: Int, ldy: Int, x: Pointer, x0: Int, ldx: Int, c: Pointer, center: Int, factor: Int,
    rows: Int, columns: Int,
) -> None:  # fmt: skip
    """y = (x - center) factor on a block, with `c[center + k]` and `c[factor + k]` for column k.

    The difference comes first: a feature that is always the same becomes 0, exactly.
    """
    map_block(
        rows, columns, [Block(y + y0, ldy)], [Block(x + x0, ldx), Block(c + center, 0), Block(c + factor, 0)],
        lambda at, value, middle, by: [(value - middle) * by],
    )  # fmt: skip


@primitive
def scale_backward(
    dx: Pointer, dx0: Int, lddx: Int, dy: Pointer, dy0: Int, lddy: Int, c: Pointer, factor: Int,
    rows: Int, columns: Int,
) -> None:  # fmt: skip
    """dx = dy factor on a block."""
    map_block(
        rows, columns, [Block(dx + dx0, lddx)], [Block(dy + dy0, lddy), Block(c + factor, 0)],
        lambda at, delta, by: [delta * by],
    )  # fmt: skip
