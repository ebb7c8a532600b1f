"""Pictures of classes: bars and cells with their numbers, names, and what is refused."""

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.figure import Figure

from fastmlp import plot_confusion_matrix, plot_label_distribution


def ticks(axis) -> list[str]:
    return [label.get_text() for label in axis.get_ticklabels()]


def cells(ax) -> dict[tuple[float, float], str]:
    """The numbers in the cells, by row and column."""
    return {(text.get_position()[1], text.get_position()[0]): text.get_text() for text in ax.texts}


def test_bars():
    ax = plot_label_distribution([0, 3, 3, 0, 3, 1, 3, 3])
    assert [bar.get_width() for bar in ax.patches] == [2, 1, 0, 5]
    assert [text.get_text() for text in ax.texts] == ["2 (25.0 %)", "1 (12.5 %)", "0 (0.0 %)", "5 (62.5 %)"]
    assert ticks(ax.yaxis) == ["0", "1", "2", "3"]
    assert ax.get_title(loc="left") == "8 samples of 4 classes"
    low, high = ax.get_ylim()
    assert low > high  # the first class on top


def test_bars_have_names_also_of_classes_without_samples():
    ax = plot_label_distribution(np.eye(2)[[0, 1, 1]], class_names=np.array(["cat", "dog", "eel"]))
    assert [bar.get_width() for bar in ax.patches] == [1, 2, 0]
    assert ticks(ax.yaxis) == ["cat", "dog", "eel"]


@pytest.mark.parametrize("classes", [1, 2, 10, 60])
def test_numbers_at_the_bars_lie_within_the_picture_and_apart(classes):
    ax = plot_label_distribution(np.arange(100_000) % classes)
    ax.figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.texts]
    assert all(box.x1 <= ax.bbox.x1 for box in boxes)
    assert not any(one.overlaps(other) for one, other in pairwise(boxes))


TRUE, PREDICTED = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 2, 1, 1, 1])


def test_confusion_matrix():
    ax = plot_confusion_matrix(TRUE, PREDICTED, class_names=["a", "b", "c"])
    assert cells(ax) == {(0, 0): "2", (0, 2): "1", (1, 1): "2", (2, 1): "1"}
    np.testing.assert_allclose(ax.images[0].get_array(), [[2 / 3, 0, 1 / 3], [0, 1, 0], [0, 1, 0]])
    assert ticks(ax.xaxis) == ticks(ax.yaxis) == ["a", "b", "c"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted", "true")
    assert ax.get_title(loc="left") == "accuracy 66.67 %\nof 6 samples"


def test_a_class_that_does_not_occur_has_an_empty_row():
    ax = plot_confusion_matrix([0, 2], [0, 2])
    assert not np.asarray(ax.images[0].get_array())[1].any()


def test_rows_of_probabilities_count_as_their_largest():
    outputs = np.eye(3)[PREDICTED] * 0.8 + 0.05
    assert cells(plot_confusion_matrix(TRUE, outputs)) == cells(plot_confusion_matrix(TRUE, PREDICTED))
    assert cells(plot_confusion_matrix(TRUE[:, None], PREDICTED.astype(float))) == cells(
        plot_confusion_matrix(TRUE, PREDICTED)
    )


def test_numbers_can_be_read_on_their_cells():
    ax = plot_confusion_matrix(np.repeat([0, 1], 1000), np.repeat([0, 1, 0], [1000, 600, 400]))
    picture = ax.images[0]
    for text in ax.texts:
        column, row = text.get_position()
        red, green, blue, _ = picture.cmap(picture.norm(picture.get_array()[int(row), int(column)]))
        brightness = 0.299 * red + 0.587 * green + 0.114 * blue
        assert abs(brightness - (text.get_color() == "white")) > 0.4


@pytest.mark.parametrize(("classes", "numbers"), [(30, 30), (31, 0), (200, 0)])
def test_many_classes(classes, numbers):
    every = np.arange(classes)
    ax = plot_confusion_matrix(every, every)
    assert len(ax.texts) == numbers
    ax.figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in ax.get_xticklabels()]
    assert not any(one.overlaps(other) for one, other in pairwise(boxes))
    assert ax.figure.get_figwidth() < 20


@pytest.mark.parametrize("classes", [2, 3, 6, 7, 10, 31])
def test_the_title_lies_within_the_picture(classes):
    every = np.arange(60_000) % classes
    ax = plot_confusion_matrix(every, every)
    ax.figure.draw_without_rendering()
    assert ax._left_title.get_window_extent().x1 <= ax.figure.bbox.x1


def test_names_as_classes():
    names = np.array(["a", "b", "c"])
    numbers = plot_confusion_matrix(TRUE, PREDICTED, class_names=names)
    for given in (
        plot_confusion_matrix(names[TRUE], names[PREDICTED]),
        plot_confusion_matrix(names[TRUE], np.eye(3)[PREDICTED]),
        plot_confusion_matrix(names[TRUE].tolist(), PREDICTED, class_names=names),
    ):
        assert cells(given) == cells(numbers)
        assert ticks(given.xaxis) == ["a", "b", "c"]
    other_order = plot_label_distribution(["b", "a", "b"], class_names=["b", "a"])
    assert [bar.get_width() for bar in other_order.patches] == [2, 1]
    assert ticks(other_order.yaxis) == ["b", "a"]
    with pytest.raises(ValueError, match="y: expected classes among a, b, got 'c'"):
        plot_label_distribution(["c"], class_names=["a", "b"])


def test_given_axes():
    one, other = Figure().subplots(1, 2)
    assert plot_label_distribution([0, 1], ax=one) is one
    assert plot_confusion_matrix([0, 1], [0, 1], ax=other) is other
    for plot in (plot_label_distribution, lambda y, ax: plot_confusion_matrix(y, y, ax=ax)):
        with pytest.raises(TypeError, match="ax: expected the Axes of a Matplotlib figure, got Figure"):
            plot([0, 1], ax=Figure())
        with pytest.raises(TypeError, match=r"ax: expected the Axes .* got an array of shape \(2,\)"):
            plot([0, 1], ax=np.array([one, other]))


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([], r"y: expected a class for each sample, shape \(samples,\), .* got shape \(0,\)"),
        (3, r"got shape \(\)"),
        (np.zeros((2, 2, 2)), r"got shape \(2, 2, 2\)"),
        (
            ["cat", None],
            r"y: expected classes, whole numbers from 0, got 'cat'; number them, e\.g\. np\.unique",
        ),
        ([0, -1], "got -1;"),
        ([0.0, 0.5], r"got 0\.5; .* predict_classes"),
        ([0.0, np.nan], "got nan;"),
        ([0, 20231231], "expected classes below 1000, got 20231231"),
    ],
)
def test_what_is_no_class_is_refused(y, message):
    with pytest.raises(ValueError, match=message):
        plot_label_distribution(y)


def test_what_does_not_go_together_is_refused():
    with pytest.raises(ValueError, match="y_pred: expected one for each of the 3 of y_true, got 2"):
        plot_confusion_matrix([0, 1, 1], [0, 1])
    with pytest.raises(ValueError, match="class_names: expected a name for each of the 3 classes, got 2"):
        plot_confusion_matrix([0, 1, 1], [0, 1, 2], class_names=["cat", "dog"])
    with pytest.raises(
        ValueError, match="class_names: expected a name for each of the 2 classes, got 'cats'"
    ):
        plot_label_distribution([0, 1], class_names="cats")
