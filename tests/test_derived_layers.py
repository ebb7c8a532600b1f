"""Classes derived from layers: refused, as the program would never call their methods."""

import numpy as np
import pytest

from fastmlp import Dense, Dropout, Sequential
from fastmlp.layers.layer import Layer


class Doubling(Layer):
    def forward(self, X):
        return 2 * np.asarray(X)


class OtherDense(Dense):
    def forward(self, X):
        return np.zeros((len(X), self.units))


class OtherDropout(Dropout):
    kind = "other"


@pytest.mark.parametrize("layer", [Doubling, lambda: OtherDense(3), lambda: OtherDropout(0.5)])
def test_refused_in_a_model_and_alone(layer):
    name = type(layer()).__name__
    message = f"{name}: expected one of the layers .*, got a class derived from "
    with pytest.raises(TypeError, match=message):
        Sequential([layer()])
    with pytest.raises(TypeError, match=message):
        Sequential().add(layer())
    with pytest.raises(TypeError, match=message):
        layer().build(4)
