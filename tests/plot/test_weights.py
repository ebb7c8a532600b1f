"""Pictures of weights: one for each unit of the first dense layer, all with the same colours."""

import numpy as np
import pytest

from fastmlp import Dense, Dropout, Flatten, Sequential, plot_weights
from tests.plot.panels import drawn, limits, titles


def test_weights_of_each_unit():
    model = Sequential([Flatten(), Dropout(0.5), Dense(5, "relu"), Dense(3, "softmax")]).build((2, 3))
    panels = plot_weights(model)
    weight = model.layers[2].weight
    assert titles(panels) == [f"unit {unit}" for unit in range(5)]
    for unit, panel in enumerate(panels):
        np.testing.assert_array_equal(drawn(panel), weight[:, unit].reshape(2, 3))
        assert limits(panel) == (-np.abs(weight).max(), np.abs(weight).max())
    bar = panels[0].figure.axes[-1]
    assert bar.get_ylabel() == "weight"
    assert len(plot_weights(model, count=2)) == 2


def test_weights_of_rows_of_pixels():
    model = Sequential([Dense(3)]).build(6)
    model.layers[0].weight = np.zeros((6, 3))
    panels = plot_weights(model, shape=(3, 2))
    assert drawn(panels[0]).shape == (3, 2)
    assert limits(panels[0]) == (-1, 1)
    with pytest.raises(
        ValueError, match=r"the first Dense layer's weights: .* 6 numbers of a sample are no square"
    ):
        plot_weights(model)


def test_weights_of_coloured_images_are_colours():
    model = Sequential([Flatten(), Dense(2)]).build((4, 5, 3))
    panels = plot_weights(model)
    weight = model.layers[1].weight
    expected = 0.5 + weight[:, 1].reshape(4, 5, 3) / (2 * np.abs(weight).max())
    np.testing.assert_allclose(drawn(panels[1]), expected)
    assert list(panels[0].figure.axes) == list(panels)


def test_weights_need_a_built_model_with_a_dense_layer():
    with pytest.raises(RuntimeError, match="no parameters yet"):
        plot_weights(Sequential([Dense(2)]))
    with pytest.raises(ValueError, match="expected a model with a Dense layer, got one without"):
        plot_weights(Sequential([Flatten()]).build((2, 2)))
    with pytest.raises(TypeError, match="plot_weights: expected a Sequential, got Dense"):
        plot_weights(Dense(2))
