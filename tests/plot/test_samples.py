"""Pictures of samples and mistakes: which are drawn, how bright, and what stands over them."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from scipy import sparse

from fastmlp import (
    Dense,
    Flatten,
    Sequential,
    plot_mistakes,
    plot_samples,
    synthetic_digits,
)
from fastmlp.plot.axes import COLOURS
from tests.plot.panels import drawn, limits, titles

IMAGES, LABELS = synthetic_digits(40)


def test_first_samples_with_their_classes():
    panels = plot_samples(IMAGES, LABELS)
    assert titles(panels) == [str(label) for label in LABELS[:24]]
    for panel, image in zip(panels, IMAGES[:24], strict=True):
        np.testing.assert_allclose(drawn(panel), image / 255)
        assert limits(panel) == (0, 1)
        assert len(panel.get_xticks()) == len(panel.get_yticks()) == 0
    assert len({round(panel.get_position().y0, 6) for panel in panels}) == 3


def test_fewer_samples_than_asked_for():
    panels = plot_samples(IMAGES[:3])
    assert titles(panels) == ["", "", ""]


def test_a_random_choice_is_of_different_samples_and_has_its_own_classes():
    panels = plot_samples(IMAGES, np.arange(40), count=40, seed=5)
    chosen = [int(title) for title in titles(panels)]
    assert sorted(chosen) == list(range(40)) != chosen
    for panel, sample in zip(panels, chosen, strict=True):
        np.testing.assert_allclose(drawn(panel), IMAGES[sample] / 255)
    assert titles(plot_samples(IMAGES, np.arange(40), count=7, seed=5)) == titles(
        plot_samples(IMAGES, np.arange(40), count=7, seed=5)
    )


def test_predictions_that_differ_are_marked():
    names = ["T-shirt/top", "Trouser", "Bag"]
    right, wrong, short = plot_samples(IMAGES[:3], [0, 1, 1], [0, 0, 2], class_names=names)
    assert titles([right, wrong, short]) == ["T-shirt/top", "T-shirt/top\n(is Trouser)", "Bag\n(is Trouser)"]
    colours = [to_hex(panel.title.get_color()).upper() for panel in (right, wrong)]
    assert colours[1] == COLOURS[1] != colours[0]
    assert titles(plot_samples(IMAGES[:2], [3, 3], [3, 5])) == ["3", "5 (is 3)"]
    assert titles(plot_samples(IMAGES[:2], predicted=np.eye(4)[[3, 1]])) == ["3", "1"]


FLAT = IMAGES.reshape(40, -1)


@pytest.mark.parametrize(
    ("X", "options", "shape"),
    [
        (FLAT, {}, (28, 28)),
        (FLAT, {"shape": (14, 56)}, (14, 56)),
        (FLAT[:, :300], {"shape": (10, 10, 3)}, (10, 10, 3)),
        (IMAGES[..., None], {}, (28, 28)),
        (np.repeat(IMAGES[..., None], 3, axis=3), {}, (28, 28, 3)),
        (np.repeat(IMAGES[..., None], 4, axis=3), {}, (28, 28, 4)),
        (IMAGES.tolist(), {}, (28, 28)),
        (sparse.coo_matrix(FLAT), {}, (28, 28)),
    ],
)
def test_forms_of_images(X, options, shape):
    panels = plot_samples(X, **options)
    assert len(panels) == 24
    assert drawn(panels[1]).shape == shape
    dense = X.toarray() if sparse.issparse(X) else np.asarray(X)
    highest = 255 if dense.dtype == np.uint8 and dense.ndim > 2 else dense[:24].max()
    np.testing.assert_allclose(drawn(panels[1]), dense[1].reshape(shape) / highest)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.2, 0.7, (0.2, 0.7)), (0.0, 1.0, (0.0, 1.0)), (-3.0, 2.0, (0.0, 1.0)), (5.0, 5.0, (0.0, 0.0))],
)
def test_brightness_of_numbers(low, high, expected):
    (panel,) = plot_samples(np.array([[[low, high], [high, low]]]))
    np.testing.assert_allclose((drawn(panel).min(), drawn(panel).max()), expected)


def test_given_figure_and_colour_map():
    part, other = Figure(layout="constrained").subfigures(2, 1)
    panels = plot_samples(IMAGES, figure=part, count=2, cmap="gray_r")
    assert list(part.axes) == list(panels)
    assert other.axes == []
    assert panels[0].images[0].get_cmap().name == "gray_r"
    with pytest.raises(TypeError, match="figure: expected a Figure or SubFigure of Matplotlib, got Axes"):
        plot_samples(IMAGES, figure=panels[0])


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((IMAGES[0],), {}, "28 numbers of a sample are no square"),
        ((FLAT[:, :30],), {}, r"30 numbers of a sample are no square; give shape=\(height, width\)"),
        ((FLAT,), {"shape": (28, 27)}, r"784 numbers of a sample are no image of shape \(28, 27\)"),
        ((FLAT,), {"shape": 28}, "no image of shape 28"),
        ((np.zeros((2, 5, 5, 2)),), {}, r"got samples of shape \(5, 5, 2\)"),
        ((np.zeros(5),), {}, r"X: expected samples that are images, got shape \(5,\)"),
        ((np.zeros((0, 5, 5)),), {}, r"got shape \(0, 5, 5\)"),
        ((np.array([["a"]]),), {}, "X: expected images, got dtype <U1"),
        ((IMAGES, LABELS[:3]), {}, "y: expected one for each of the 40 samples, got 3"),
        ((IMAGES, LABELS, LABELS[:3]), {}, "predicted: expected one for each of the 40 samples, got 3"),
        ((IMAGES, LABELS), {"class_names": ["zero"]}, "expected a name for each of the 10 classes, got 1"),
        ((IMAGES,), {"count": 0}, "count: expected a whole number from 1 to 200, got 0"),
        ((IMAGES,), {"count": 201}, "got 201"),
        ((IMAGES,), {"seed": -1}, "seed: expected a whole number from 0, or None"),
        ((np.full((1, 2, 2), np.nan),), {}, "X: expected finite numbers"),
    ],
)
def test_what_is_no_picture_is_refused(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        plot_samples(*arguments, **options)


# Mistakes


def fixed_model(*rows: list[float], activation: str = "softmax") -> Sequential:
    """A model of images of four pixels whose logits are these rows times the pixels."""
    model = Sequential([Flatten(), Dense(len(rows[0]), activation)]).build((2, 2))
    model.layers[1].weight = rows
    return model


PIXELS = np.array(
    [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0.5, 0, 0, 0]], np.float32
).reshape(5, 2, 2)


def test_mistakes_are_sorted_by_the_certainty_of_what_is_wrong():
    model = fixed_model([1, 0], [5, 0], [0, 3], [0, 0.5])
    panels = plot_mistakes(model, PIXELS, [1, 1, 0, 1, 1], class_names=["cat", "dog"])
    sure = 100 / (1 + np.exp(-np.array([5.0, 3.0, 1.0, 0.5])))
    assert titles(panels) == [
        f"{guess}, {share:.1f} %\n(is {true})"
        for share, guess, true in zip(
            sure, ["cat", "dog", "cat", "cat"], ["dog", "cat", "dog", "dog"], strict=True
        )
    ]
    for panel, sample in zip(panels, (1, 2, 0, 4), strict=True):
        np.testing.assert_array_equal(drawn(panel), PIXELS[sample])
    assert panels[0].figure.get_suptitle() == "4 of 5 samples are misclassified"
    model.class_names = ("mouse", "rat")
    named = plot_mistakes(model, PIXELS, ["rat", "rat", "mouse", "rat", "rat"], count=2)
    panels = plot_mistakes(model, PIXELS, [1, 1, 0, 1, 1], count=2)
    assert titles(named) == titles(panels)
    assert panels[0].figure.get_suptitle() == "4 of 5 samples are misclassified; the worst 2"
    assert titles(panels) == [f"mouse, {sure[0]:.1f} %\n(is rat)", f"rat, {sure[1]:.1f} %\n(is mouse)"]


def test_samples_with_names_of_classes():
    panels = plot_samples(PIXELS[:3], ["cat", "dog", "cat"], ["cat", "cat", "eel"])
    assert titles(panels) == ["cat", "cat (is dog)", "eel (is cat)"]


def test_mistakes_of_logarithms_of_probabilities():
    rows = [1, 0], [5, 0], [0, 3], [0, 0.5]
    given = plot_mistakes(fixed_model(*rows, activation="log_softmax"), PIXELS, [1, 1, 0, 1, 1])
    assert titles(given) == titles(plot_mistakes(fixed_model(*rows), PIXELS, [1, 1, 0, 1, 1]))


def test_mistakes_of_one_output():
    model = fixed_model([4], [-4], [1], [-1], activation="sigmoid")
    panels = plot_mistakes(model, PIXELS, [1, 1, 0, 0, 0])
    sure = [100 / (1 + np.exp(-logit)) for logit in (4.0, 2.0, 1.0)]
    assert titles(panels) == [
        f"0, {sure[0]:.1f} %\n(is 1)",
        f"1, {sure[1]:.1f} %\n(is 0)",
        f"1, {sure[2]:.1f} %\n(is 0)",
    ]


def test_no_mistake():
    model = fixed_model([4], [-4], [1], [-1], activation="sigmoid")
    (panel,) = plot_mistakes(model, PIXELS, [1, 0, 1, 0, 1])
    assert panel.get_title(loc="left") == "no mistake among 5 samples"
    assert not panel.axison


def test_mistakes_in_sparse_rows():
    model = Sequential([Dense(2, "softmax")]).build(4)
    model.layers[0].weight = [[1, 0], [5, 0], [0, 3], [0, 0.5]]
    dense = PIXELS.reshape(5, 4)
    given = plot_mistakes(model, sparse.csc_array(dense), [1, 1, 0, 1, 1])
    expected = plot_mistakes(model, dense, [1, 1, 0, 1, 1])
    assert titles(given) == titles(expected)
    for one, other in zip(given, expected, strict=True):
        np.testing.assert_array_equal(drawn(one), drawn(other))


def test_mistakes_need_a_classifier():
    with pytest.raises(ValueError, match=r"expected a classifier, .* got one with 2 outputs after identity"):
        plot_mistakes(fixed_model([1, 0], [5, 0], [0, 3], [0, 1], activation="identity"), PIXELS, [0] * 5)
    with pytest.raises(ValueError, match="got one with 2 outputs after sigmoid"):
        plot_mistakes(fixed_model([1, 0], [5, 0], [0, 3], [0, 1], activation="sigmoid"), PIXELS, [0] * 5)
    with pytest.raises(TypeError, match="plot_mistakes: expected a Sequential, got str"):
        plot_mistakes("model", PIXELS, [0] * 5)
    with pytest.raises(ValueError, match="y: expected one for each of the 5 samples, got 4"):
        plot_mistakes(fixed_model([1, 0], [5, 0], [0, 3], [0, 1]), PIXELS, [0] * 4)
    with pytest.raises(RuntimeError, match="no parameters yet"):
        plot_mistakes(Sequential([Flatten(), Dense(2, "softmax")]), PIXELS, [0] * 5)
