"""Weights as images: what the units of a first layer look for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .axes import add_colour_bar, panels_for
from .images import COLUMNS, PANEL, Shape, as_images, checked_count, draw_image
from .outputs import as_model

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

    from ..model import Sequential


def plot_weights(
    model: Sequential,
    *,
    count: int = 32,
    shape: Shape = None,
    figure: Figure | SubFigure | None = None,
) -> np.ndarray:
    """Draw what each unit of the first dense layer looks for: its weights as an image.

    Parameters
    ----------
    model : Sequential
        Built, on images or on rows of pixels.
    count : int
        How many units, at most 200: the first ones.
    shape : tuple of int, optional
        Height and width, or height, width and colours, where the model was built on rows of pixels that are not
        square.
    figure : Figure or SubFigure, optional
        Where to draw. Without one there is a new figure, which belongs to no window.

    Returns
    -------
    ndarray of Axes
        One for each unit. All have the same colours: blue above 0, red below, white 0. Weights of coloured images
        are colours themselves, grey is 0.

    Raises
    ------
    ValueError
        If the model has no dense layer, or its samples are not images.

    Examples
    --------
    >>> model = Sequential([Flatten(), Dense(5, "relu"), Dense(10, "softmax")]).build((28, 28))
    >>> len(plot_weights(model)), len(plot_weights(model, count=3))
    (5, 3)
    """
    model = as_model(model, "plot_weights")
    built_for = model.network.input_shape
    weights = next(
        (layer.parameters["weight"] for layer in model.layers if "weight" in layer.parameters), None
    )
    if weights is None:
        raise ValueError("plot_weights: expected a model with a Dense layer, got one without")
    columns = weights.T[: checked_count(count)]
    if shape is None and len(built_for) > 1 and math.prod(built_for) == weights.shape[0]:
        shape = built_for
    images = as_images(columns, shape, "the first Dense layer's weights")
    limit = float(np.abs(images).max()) or 1.0
    panels = panels_for(figure, len(images), COLUMNS, PANEL)
    coloured = images.ndim == 4
    for unit, (ax, image) in enumerate(zip(panels, images, strict=True)):
        draw_image(ax, image / (2 * limit) + 0.5 if coloured else image, "RdBu", -limit, limit)
        ax.set_title(f"unit {unit}", fontsize=8)
    if not coloured:
        add_colour_bar(list(panels), panels[0].images[0], "weight")
    return panels
