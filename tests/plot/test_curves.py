"""Pictures of histories and of learning rates: what is drawn."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from fastmlp import History, LearningRates, plot_history, plot_learning_rates
from fastmlp.plot import save_plot


def make_history(epochs: int, *names: str) -> History:
    """Curves that differ from each other."""
    history = History()
    for epoch in range(1, epochs + 1):
        history.append(epoch, {name: (place + 1) / epoch for place, name in enumerate(names)})
    return history


def titles(panels) -> list[str]:
    return [panel.get_title(loc="left") for panel in panels]


@pytest.mark.parametrize("epochs", [1, 5, 100])
@pytest.mark.parametrize("score", ["accuracy", "mean_absolute_error"])
def test_panels_and_curves(epochs, score):
    names = ("loss", score, "val_loss", f"val_{score}", "seconds", "samples_per_second")
    history = make_history(epochs, *names)
    panels = plot_history(history)
    assert titles(panels) == ["loss", score.replace("_", " ")]
    for panel, name in zip(panels, ("loss", score), strict=True):
        training, validation = panel.get_lines()
        assert list(training.get_xdata()) == list(validation.get_xdata()) == history.epochs
        assert list(training.get_ydata()) == history[name]
        assert list(validation.get_ydata()) == history[f"val_{name}"]
        assert [text.get_text() for text in panel.get_legend().get_texts()] == ["training", "validation"]
        assert {text.get_text() for text in panel.texts} == {
            f"{history[name][-1]:.4f}",
            f"{history[f'val_{name}'][-1]:.4f}",
        }


def test_large_numbers_are_short():
    history = History()
    history.append(1, {"loss": 1013058340577.46, "mean_absolute_error": 812.309, "val_loss": 12345.678})
    loss, error = plot_history(history)
    assert {text.get_text() for text in loss.texts} == {"1.013e+12", "1.235e+04"}
    assert [text.get_text() for text in error.texts] == ["812.3090"]


def test_without_validation_without_score_and_with_more():
    assert len(plot_history(make_history(3, "loss", "accuracy"))[1].get_lines()) == 1
    assert len(plot_history(make_history(3, "loss"))) == 1
    panels = plot_history(make_history(3, "loss", "accuracy", "f1", "recall", "seconds"))
    assert titles(panels) == ["loss", "accuracy", "f1", "recall"]


@pytest.mark.parametrize("epochs", [1, 2, 7, 60])
def test_ticks_are_whole_epochs(epochs):
    for panel in plot_history(make_history(epochs, "loss", "accuracy")):
        low, high = panel.get_xlim()
        ticks = [tick for tick in panel.get_xticks() if low <= tick <= high]
        assert ticks
        assert all(tick == round(tick) for tick in ticks)


def test_given_figure_keeps_to_its_place():
    left, right = Figure(layout="constrained").subfigures(1, 2)
    panels = plot_history(make_history(3, "loss", "accuracy"), figure=left)
    assert list(left.axes) == list(panels)
    assert right.axes == []


def test_panels_do_not_overlap():
    panels = plot_history(make_history(5, "loss", "accuracy"))
    figure = panels[0].figure
    figure.draw_without_rendering()
    loss, score = (panel.get_tightbbox() for panel in panels)
    assert not loss.overlaps(score)
    assert figure.bbox.x0 <= loss.x0 < score.x1 <= figure.bbox.x1


def test_no_history():
    with pytest.raises(ValueError, match="expected at least one epoch"):
        plot_history(History())
    with pytest.raises(TypeError, match=r"expected a History such as model\.history, got dict"):
        plot_history({"loss": [1.0]})


@pytest.mark.parametrize(("name", "magic"), [("h.png", b"\x89PNG"), ("h.pdf", b"%PDF"), ("h", b"\x89PNG")])
def test_saved_picture_has_the_format_of_its_suffix(name, magic, tmp_path):
    save_plot(make_history(2, "loss", "accuracy"), tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(magic)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_unknown_format_leaves_the_old_picture(tmp_path):
    (tmp_path / "h.xyz").write_text("old")
    with pytest.raises(ValueError, match="xyz"):
        save_plot(make_history(2, "loss"), tmp_path / "h.xyz")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


FOUND = LearningRates(
    np.geomspace(1e-4, 1.0, 5),
    np.array([2.0, 1.8, 30.0, 1.5, 3.0]),
    np.array([2.0, 1.9, 1.2, 1.5, 3.0]),
    0.01,
)


def test_learning_rates():
    ax = plot_learning_rates(FOUND)
    raw, smoothed, line, point = ax.get_lines()
    for drawn in (raw, smoothed):
        np.testing.assert_array_equal(drawn.get_xdata(), FOUND.rates)
    np.testing.assert_array_equal(raw.get_ydata(), FOUND.losses)
    np.testing.assert_array_equal(smoothed.get_ydata(), FOUND.smoothed)
    assert list(line.get_xdata()) == [0.01, 0.01]
    np.testing.assert_allclose(point.get_xydata(), [[0.01, 1.2]])
    assert ax.get_legend().get_texts()[-1].get_text() == "suggestion: 0.01"
    assert ax.get_xscale() == "log"
    assert 3.0 < ax.get_ylim()[1] < 30.0  # the odd batch does not flatten the curve


def test_learning_rates_without_a_suggestion_on_given_axes():
    ax = Figure().add_subplot()
    found = LearningRates(FOUND.rates, FOUND.losses, FOUND.smoothed, None)
    assert plot_learning_rates(found, ax=ax) is ax
    assert len(ax.get_lines()) == 2
    with pytest.raises(TypeError, match="expected what find_learning_rate returned, got list"):
        plot_learning_rates([1.0, 2.0])


def test_a_curve_may_end_early():
    """Where a later epoch had no validation, its last number is not written."""
    history = History()
    history.append(1, {"loss": 0.9, "val_loss": 0.8})
    history.append(2, {"loss": 0.5})
    (panel,) = plot_history(history)
    assert [text.get_text() for text in panel.texts] == ["0.5000"]
