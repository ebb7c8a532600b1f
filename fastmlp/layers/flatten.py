"""Samples of any shape as rows of numbers."""

import math

from .layer import Layer, Shape


class Flatten(Layer):
    """Makes one row of numbers of each sample, whatever its shape.

    Examples
    --------
    >>> model = Sequential([Flatten(), Dense(1)]).build((28, 28))
    >>> model.layers[1].weight.shape
    (784, 1)
    """

    kind = "flatten"

    def output_shape(self, shape: Shape) -> Shape:
        """(product of the dimensions,)."""
        return (math.prod(shape),)
