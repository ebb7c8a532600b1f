"""Pictures of decision regions: colours and points are where the model and the data say."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex, to_rgba
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure

from fastmlp import Dense, Sequential, plot_decision_regions
from fastmlp.plot.axes import COLOURS

X = np.array([[-1.0, -2.0], [1.0, -2.0], [-1.0, 2.0], [1.0, 2.0], [0.5, 1.0]])


def fixed_model(weight, activation: str) -> Sequential:
    model = Sequential([Dense(np.shape(weight)[1], activation)]).build(2)
    model.layers[0].weight = weight
    return model


THREE = fixed_model([[-4, 4, 0], [0, 0, 3]], "softmax")
ONE = fixed_model([[3.0], [0.0]], "sigmoid")


def legend(ax) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def points(ax) -> dict[str, np.ndarray]:
    """The points of each class."""
    return {
        drawn.get_label(): np.asarray(drawn.get_offsets())
        for drawn in ax.collections
        if isinstance(drawn, PathCollection)
    }


def colour_at(ax, x: float, y: float) -> tuple[int, ...]:
    """The colour of a place in the finished picture."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(ax.figure)
    canvas.draw()
    picture = np.asarray(canvas.buffer_rgba())
    column, row = ax.transData.transform((x, y))
    return tuple(int(part) for part in picture[len(picture) - 1 - int(row), int(column), :3])


def test_points_and_names():
    y = [0, 1, 2, 2, 2]
    ax = plot_decision_regions(THREE, X, y, class_names=["left", "right", "top"])
    assert legend(ax) == ["left", "right", "top"]
    for number, (name, drawn) in enumerate(points(ax).items()):
        assert name == ["left", "right", "top"][number]
        np.testing.assert_array_equal(drawn, X[np.equal(y, number)])
    low, high = ax.get_xlim()
    assert low < -1 and high > 1


def test_each_class_has_its_colour_where_its_output_is_the_largest():
    ax = plot_decision_regions(THREE, X, [0, 1, 2, 2, 2])
    for place in [(-0.9, -1.5), (0.9, -1.5), (0.3, 1.8), (-0.5, 0.0), (0.5, 0.0)]:
        number = int(THREE.predict_classes(np.array([place])).item())
        tinted = 255 * (0.3 * np.array(to_rgba(COLOURS[number])[:3]) + 0.7)
        np.testing.assert_allclose(colour_at(ax, *place), tinted, atol=2)


def test_one_output_is_a_probability():
    ax = plot_decision_regions(ONE, X, [0, 1, 0, 1, 1], class_names=["no", "yes"], resolution=51)
    (picture,) = ax.images
    shown = np.asarray(picture.get_array())
    left, right, bottom, top = picture.get_extent()
    grid = np.stack(np.meshgrid(np.linspace(left, right, 51), np.linspace(bottom, top, 51)), axis=-1)
    np.testing.assert_allclose(shown, ONE.predict(grid.reshape(-1, 2)).reshape(51, 51), rtol=1e-6)
    assert picture.get_clim() == (0, 1)
    assert ax.figure.axes[1].get_ylabel() == "probability of class yes"
    (line,) = (drawn for drawn in ax.collections if isinstance(drawn, ContourSet))
    np.testing.assert_allclose(line.get_paths()[0].vertices[:, 0], 0, atol=0.02)


def test_a_hard_sigmoid_is_a_probability_too():
    ax = plot_decision_regions(fixed_model([[3.0], [0.0]], "hard_sigmoid"), X, [0, 1, 0, 1, 1])
    assert ax.images[0].get_clim() == (0, 1)


def test_one_output_is_red_on_the_side_of_the_second_class():
    """Neither upside down nor the wrong way round."""
    ax = plot_decision_regions(fixed_model([[-1.0], [3.0]], "sigmoid"), X, [0, 0, 1, 1, 1])
    for place in [(-0.5, 1.5), (0.5, 1.5), (0.0, 0.8), (-0.5, -1.5), (0.5, -1.5), (0.0, -0.8)]:
        red, _, blue = colour_at(ax, *place)
        assert (red > blue) == (place[1] > 0)


def test_one_output_without_a_range_is_a_value():
    ax = plot_decision_regions(fixed_model([[3.0], [0.0]], "identity"), X, [0, 1, 0, 1, 1])
    low, high = ax.images[0].get_clim()
    assert -low == high == pytest.approx(3 * 1.16, rel=1e-5)
    assert ax.figure.axes[1].get_ylabel() == "output"


@pytest.mark.parametrize("activation", ["sigmoid", "identity"])
def test_one_output_that_is_the_same_everywhere(activation):
    ax = plot_decision_regions(fixed_model([[0.0], [0.0]], activation), X, [0] * 5)
    assert legend(ax) == ["0"]


def test_many_classes_and_one_point():
    model = Sequential([Dense(12, "softmax")]).build(2)
    ax = plot_decision_regions(model, [[1, 2]], [11])
    assert legend(ax) == ["11"]
    assert to_hex(ax.collections[-1].get_facecolor()[0]) == "#fde725"  # the last of viridis
    ax.figure.draw_without_rendering()


def test_given_axes():
    ax = Figure().add_subplot()
    assert plot_decision_regions(THREE, X, [0, 1, 2, 2, 2], ax=ax) is ax


@pytest.mark.parametrize(
    ("given", "y", "options", "message"),
    [
        (
            X[:, :1],
            [0] * 5,
            {},
            r"X: expected samples of two features, shape \(samples, 2\), got shape \(5, 1\)",
        ),
        (X[0], [0] * 2, {}, r"got shape \(2,\)"),
        (X, [0] * 4, {}, "y: expected one for each of the 5 samples of X, got 4"),
        (X, [0, 1, 2, 3, 0], {}, "y: expected classes from 0 to 2, as the model has, got 3"),
        (X, [0] * 5, {"resolution": 1}, "resolution: expected a whole number of at least 2, got 1"),
        (X, [0] * 5, {"class_names": ["a"]}, "expected a name for each of the 3 classes, got 1"),
        (X * np.nan, [0] * 5, {}, "X: expected finite numbers"),
    ],
)
def test_what_does_not_fit_is_refused(given, y, options, message):
    with pytest.raises(ValueError, match=message):
        plot_decision_regions(THREE, given, y, **options)


def test_models_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"expected samples of shape \(3,\)"):
        plot_decision_regions(Sequential([Dense(2)]).build(3), X, [0] * 5)
    with pytest.raises(TypeError, match="plot_decision_regions: expected a Sequential, got NoneType"):
        plot_decision_regions(None, X, [0] * 5)


def test_names_of_the_model_and_of_a_data_frame():
    model = fixed_model([[-4, 4], [0, 0]], "softmax")
    model.class_names = ("left", "right")
    frame = pd.DataFrame(X, columns=["width", "height"])
    ax = plot_decision_regions(model, frame, pd.Series([0, 1, 0, 1, 1]))
    assert legend(ax) == ["left", "right"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("width", "height")
    named = plot_decision_regions(model, frame, ["left", "right", "left", "right", "right"])
    for name, drawn in points(named).items():
        np.testing.assert_array_equal(drawn, points(ax)[name])
    ax = plot_decision_regions(model, X, [0, 1, 0, 1, 1], class_names=["west", "east"])
    assert legend(ax) == ["west", "east"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("feature 0", "feature 1")
    model.feature_names = ("a", "b")
    assert plot_decision_regions(model, X, [0, 1, 0, 1, 1]).get_xlabel() == "a"
