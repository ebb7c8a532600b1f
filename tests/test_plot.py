"""The picture of a history: what is drawn, and that nothing but the drawing needs Matplotlib."""

import subprocess
import sys

import pytest
from matplotlib.figure import Figure

from fastmlp import History, plot_history
from fastmlp.plot import save_plot


def make_history(epochs: int, *names: str) -> History:
    """Curves that differ from each other."""
    history = History()
    for epoch in range(1, epochs + 1):
        history.append(epoch, {name: (place + 1) / epoch for place, name in enumerate(names)})
    return history


def panels_of(axes) -> list:
    return axes.figure.axes


@pytest.mark.parametrize("epochs", [1, 5, 100])
@pytest.mark.parametrize("score", ["accuracy", "mean_absolute_error"])
def test_panels_and_curves(epochs, score):
    history = make_history(epochs, "loss", score, "val_loss", f"val_{score}", "seconds")
    panels = panels_of(plot_history(history))
    assert [panel.get_title(loc="left") for panel in panels] == ["loss", score.replace("_", " ")]
    for panel, name in zip(panels, ("loss", score), strict=True):
        training, validation = panel.get_lines()
        assert list(training.get_xdata()) == list(validation.get_xdata()) == history.epochs
        assert list(training.get_ydata()) == history[name]
        assert list(validation.get_ydata()) == history[f"val_{name}"]
        assert [text.get_text() for text in panel.get_legend().get_texts()] == ["training", "validation"]


def test_without_validation_and_without_score():
    assert len(panels_of(plot_history(make_history(3, "loss", "accuracy")))[1].get_lines()) == 1
    assert len(panels_of(plot_history(make_history(3, "loss")))) == 1


@pytest.mark.parametrize("epochs", [1, 2, 7, 60])
def test_ticks_are_whole_epochs(epochs):
    for panel in panels_of(plot_history(make_history(epochs, "loss", "accuracy"))):
        low, high = panel.get_xlim()
        ticks = [tick for tick in panel.get_xticks() if low <= tick <= high]
        assert ticks
        assert all(tick == round(tick) for tick in ticks)


def test_given_axes_are_shared_by_both_panels():
    figure = Figure()
    left, right = figure.subplots(1, 2)
    before = right.get_position().bounds
    assert plot_history(make_history(3, "loss", "accuracy"), left) is left
    figure.draw_without_rendering()
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["loss", "", "accuracy"]
    assert right.get_position().bounds == before


def test_panels_do_not_overlap():
    axes = plot_history(make_history(5, "loss", "accuracy"))
    axes.figure.draw_without_rendering()
    loss, score = (panel.get_tightbbox() for panel in panels_of(axes))
    assert not loss.overlaps(score)
    assert axes.figure.bbox.x1 >= score.x1


def test_empty_history():
    with pytest.raises(ValueError, match="expected at least one epoch"):
        plot_history(History())


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


def test_matplotlib_waits_for_the_first_picture_and_pyplot_is_never_imported(tmp_path):
    program = (
        "import sys, fastmlp\n"
        "history = fastmlp.History()\n"
        "history.append(1, {'loss': 1.0, 'accuracy': 0.5})\n"
        "fastmlp.Sequential, fastmlp.plot_history\n"
        "before = 'matplotlib' in sys.modules\n"
        "fastmlp.plot_history(history).figure.savefig(sys.argv[1])\n"
        "print(before, 'matplotlib' in sys.modules, 'matplotlib.pyplot' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", program, tmp_path / "h.png"], capture_output=True, text=True)
    assert run.stdout.split() == ["False", "True", "False"]


def test_a_curve_may_end_early():
    """Where a later epoch had no validation, its last number is not written."""
    history = History()
    history.append(1, {"loss": 0.9, "val_loss": 0.8})
    history.append(2, {"loss": 0.5})
    panel = plot_history(history)
    assert [text.get_text() for text in panel.texts] == ["0.5000"]
