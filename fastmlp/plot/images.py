"""What an image is: its shape, its brightness, and its place in a picture of many."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..checks import is_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Shape = Sequence[int] | None

COLUMNS = 8
PANEL = (1.2, 1.35)  # inches, with room for a title
_MANY = 200  # panels, more than anyone looks at


def as_images(X: np.ndarray, shape: Shape = None, name: str = "X") -> np.ndarray:
    """Samples as images.

    Parameters
    ----------
    X : ndarray
        Images or rows of pixels, as `plot_samples` takes them.
    shape : tuple of int, optional
        Of an image that is a row of pixels.
    name : str
        What the error messages call it.

    Returns
    -------
    ndarray, shape (samples, height, width) or (samples, height, width, 3 or 4)

    Examples
    --------
    >>> import numpy as np
    >>> as_images(np.zeros((5, 64))).shape, as_images(np.zeros((5, 6)), (2, 3)).shape
    ((5, 8, 8), (5, 2, 3))
    """
    if X.dtype.kind not in "buif":
        raise ValueError(f"{name}: expected images, got dtype {X.dtype}")
    if not np.isfinite(X).all():
        raise ValueError(f"{name}: expected finite numbers, got NaN or infinite ones; replace them first")
    if X.ndim == 2:
        X = X.reshape(len(X), *_shape_of_rows(X.shape[1], shape, name))
    if X.ndim == 4 and X.shape[-1] == 1:
        X = X[..., 0]
    if not (X.ndim == 3 or (X.ndim == 4 and X.shape[-1] in (3, 4))):
        raise ValueError(
            f"{name}: expected images, shape (samples, height, width), with a last axis of 1, 3 or 4 colours if they "
            f"have any, or rows of pixels, got samples of shape {X.shape[1:]}"
        )
    return X


def _shape_of_rows(features: int, shape: Shape, name: str) -> tuple[int, ...]:
    """The shape that was given, or else a square."""
    side = math.isqrt(features)
    if shape is None and side * side == features:
        return side, side
    wanted = tuple(shape) if isinstance(shape, Sequence) else ()
    if len(wanted) not in (2, 3) or not all(map(is_count, wanted)) or math.prod(wanted) != features:
        raise ValueError(
            f"{name}: expected images, but {features} numbers of a sample are "
            + ("no square; give shape=(height, width)" if shape is None else f"no image of shape {shape!r}")
        )
    return wanted


def scale(images: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Brightness from 0 to 1, for samples of this shape.

    Bytes of images are divided by 255. Other numbers are scaled from the smallest to the largest, unless all are
    between 0 and 1.
    """
    if images.dtype == np.uint8 and len(shape) > 1:
        return images / 255.0
    numbers = images.astype(np.float64)
    low, high = min(numbers.min(), 0.0), max(numbers.max(), 1.0)
    if (low, high) != (0.0, 1.0):
        low, high = numbers.min(), numbers.max()
    return (numbers - low) / (high - low or 1.0)


def checked_count(count: int) -> int:
    """How many images may be drawn; a ValueError if it is none, or too many to look at."""
    if not is_count(count) or not 1 <= count <= _MANY:
        raise ValueError(f"count: expected a whole number from 1 to {_MANY}, got {count!r}")
    return int(count)


def draw_image(ax: Axes, image: np.ndarray, cmap: str, low: float, high: float) -> None:
    """One image, without ticks and frame; `low` and `high` are the ends of the colour map."""
    ax.imshow(image, cmap=cmap, vmin=low, vmax=high, interpolation="nearest")
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
