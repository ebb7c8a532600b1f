"""How people write the ten digits: the skeletons that `fastmlp.kernels.extras.digits` draws.

Each variant of a digit is a list of strokes; a stroke is a list of points x,y on a grid of 20 x 20, x to
the right and y down. The pen follows a smooth curve through the points. A point given twice in succession
is a corner; a stroke that ends where it began is a closed loop; equal points of a variant move together.
"""

import math
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Point: TypeAlias = tuple[float, float]
Span: TypeAlias = tuple[int, int, int, int, int]

# For each digit: how many writers of eight use the variant, and its strokes.
VARIANTS = [
    [  # 0: a closed oval; one whose ends cross at the top; a narrow one
        (4, ["10,1 4.5,5 4,14 10,19 15.5,15 16,6 10,1"]),
        (2, ["12,2 6.5,3 4,12 9,19 15,15 15,5 9,1"]),
        (2, ["11,1 6.5,5 5.5,14 9,19 13,15 14,6 11,1"]),
    ],
    [  # 1: a bare stem; with a flag; with a flag and a foot
        (5, ["10,1 10,7 10,13 10,19"]),
        (2, ["6,5.5 10,1 10,1 10,10 10,19"]),
        (1, ["6,5.5 10,1 10,1 10,10 10,19", "5,19 10,19 15,19"]),
    ],
    [  # 2: with a pointed foot; with a loop in the foot
        (5, ["4,5 7,1.5 12,1.5 15,5 13,10 8,15 4,19 4,19 10,18.5 17,18.5"]),
        (3, ["4,4 8,1 13.5,2.5 14,8 10,14 5.5,18 3.5,16 6.5,14.5 11,18 17,18"]),
    ],
    [  # 3: two bows; with a flat top
        (6, ["4,3.5 9,1 14,3 13.5,7 8.5,9.5 8.5,9.5 14,11.5 15,15.5 10,19 4,17"]),
        (2, ["4,1.5 10,1.5 15,1.5 15,1.5 9,8.5 9,8.5 14,11 15,15.5 10,19 4,17"]),
    ],
    [  # 4: open at the top; closed; in one stroke with sharp turns
        (4, ["5,1.5 4,7 4.5,11 10,11.5 16,10.5", "14.5,2 13.5,10 13,19"]),
        (3, ["13,1 8,7 3,13 3,13 10,13 17.5,13", "13,1 13,10 13,19"]),
        (1, ["5,2 3.5,10 3.5,10 9,11 13.5,9 14.5,2 14.5,2 13.5,10 12.5,19"]),
    ],
    [  # 5: in one stroke; with the bar drawn last
        (5, ["15.5,1.5 10,1.5 6,2 6,2 5,9 5,9 11,7.5 15,12 13.5,17 9,19 4,17"]),
        (3, ["6,3 5.5,9 5.5,9 11.5,9 14,14 10.5,18.5 4,18", "6,3 11,2.5 16.5,1.5"]),
    ],
    [  # 6: a curved back; a straight back with a small bowl
        (5, ["13,1 7.5,5 4.5,12 6.5,18 11.5,18.5 14.5,14.5 11.5,11 7.5,12.5 5.5,15.5"]),
        (3, ["11,1 7.5,8 6,15 9,19 13.5,16.5 12.5,13 9,13 6,15.5"]),
    ],
    [  # 7: plain; with a bar; with a serif
        (5, ["4,3 9.5,2.5 15.5,2 15.5,2 12,10 9,19"]),
        (2, ["4,3 9.5,2.5 15.5,2 15.5,2 11.5,10 8.5,19", "7,11 11.5,10 15.5,9.5"]),
        (1, ["4,6 4.5,2.5 4.5,2.5 10,2.5 16,2 16,2 11.5,10 9.5,19"]),
    ],
    [  # 8: in one stroke that crosses itself; two circles
        (5, ["14,4 10.5,1 6.5,3.5 8,8 12.5,12 13.5,16.5 9.5,19 6,16 8,11.5 12.5,8 14,4"]),
        (3, ["10,1 6.5,4.5 10,9 13.5,4.5 10,1", "10,9 5.5,14 10,19 14.5,14 10,9"]),
    ],
    [  # 9: a straight stem; a curved tail; bowl and stem in one stroke
        (4, ["14,4 9.5,1.5 5.5,5 7,9.5 11.5,8.5 14,4", "14,4 13,12 12,19"]),
        (2, ["14,4 9.5,1.5 5.5,5 7,9.5 11.5,8.5 14,4", "14,4 14,12 11,18 5,18"]),
        (2, ["13.5,3 8.5,2 5.5,6.5 9,9.5 13.5,5.5 13.5,5.5 12,12 9,19"]),
    ],
]


class Skeletons(NamedTuple):
    """The tables of all variants, in the form of the arguments of `fastmlp.kernels.digits.draw_digits`."""

    variant_of: NDArray[np.int64]
    variants: NDArray[np.int64]
    points: NDArray[np.float32]
    spans: NDArray[np.int64]


_CENTRE = 10.0
_PIECE = 2.0  # the length, in pixels, of the straight pieces that a curve is drawn in


def tabulate() -> Skeletons:
    """Lay out all variants of all digits in flat tables."""
    variant_of: list[list[int]] = []
    variants: list[tuple[int, int, int, int]] = []
    points: list[Point] = []
    spans: list[Span] = []
    for digit in VARIANTS:
        slots: list[int] = []
        for writers, texts in digit:
            strokes = [_parse(text) for text in texts]
            own_points = list(dict.fromkeys(point for stroke in strokes for point in stroke))
            own_spans = [span for stroke in strokes for span in _stroke_spans(stroke, own_points)]
            slots += [len(variants)] * writers
            variants.append(
                (len(points), len(points) + len(own_points), len(spans), len(spans) + len(own_spans))
            )
            points += own_points
            spans += own_spans
        variant_of.append(slots)
    return Skeletons(
        np.array(variant_of, np.int64),
        np.array(variants, np.int64),
        np.array(points, np.float32) - np.float32(_CENTRE),
        np.array(spans, np.int64),
    )


def _parse(stroke: str) -> list[Point]:
    """Return the points of a stroke: "1,2 3.5,4" is [(1.0, 2.0), (3.5, 4.0)]."""
    pairs = (point.split(",") for point in stroke.split())
    return [(float(x), float(y)) for x, y in pairs]


def _stroke_spans(stroke: list[Point], points: list[Point]) -> list[Span]:
    """List the spans of a stroke: the points before, at both ends and after, and the number of pieces."""
    closed = stroke[0] == stroke[-1]
    before, after = (stroke[-2], stroke[1]) if closed else (stroke[0], stroke[-1])
    path = [before, *stroke, after]
    spans = []
    for p0, p1, p2, p3 in zip(path, path[1:], path[2:], path[3:], strict=False):
        if p1 != p2:  # equal points mark a corner
            length = math.sqrt((p2[0] - p1[0]) ** 2 + (p2[1] - p1[1]) ** 2)
            pieces = 1 + int(length / _PIECE)
            spans.append((points.index(p0), points.index(p1), points.index(p2), points.index(p3), pieces))
    return spans
