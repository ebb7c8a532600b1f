"""All pictures: Matplotlib waits for the first of them, no window is opened and no global setting changes."""

import inspect
import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest

import fastmlp
from fastmlp import Dense, Flatten, History, Sequential, find_learning_rate, synthetic_digits


def test_matplotlib_waits_for_the_first_picture_and_neither_pyplot_nor_numba_is_imported(tmp_path):
    program = (
        "import sys, fastmlp\n"
        "history = fastmlp.History()\n"
        "history.append(1, {'loss': 1.0, 'accuracy': 0.5})\n"
        "print([name for name in ('matplotlib', 'numba') if fastmlp.plot_history and name in sys.modules])\n"
        "fastmlp.plot_history(history)[0].figure.savefig(sys.argv[1])\n"
        "fastmlp.plot_label_distribution([0, 1]), fastmlp.plot_samples([[[0, 1], [1, 0]]])\n"
        "print([name for name in ('matplotlib', 'numba', 'matplotlib.pyplot') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", program, tmp_path / "h.png"], capture_output=True, text=True)
    assert run.stdout.splitlines() == ["[]", "['matplotlib']"], run.stderr


@pytest.fixture(scope="module")
def pictures():
    """A call for each public function that draws."""
    images, labels = synthetic_digits(600)
    model = Sequential([Flatten(), Dense(8, "relu"), Dense(10, "softmax")])
    model.fit(images, labels, epochs=1, verbose=0)
    flat = Sequential([Dense(2, "softmax")]).build(2)
    points = np.array([[0.0, 1.0], [1.0, 0.0]])
    found = find_learning_rate(model, images, labels)
    return {
        "plot_confusion_matrix": lambda: fastmlp.plot_confusion_matrix(labels, model.predict(images)),
        "plot_decision_regions": lambda: fastmlp.plot_decision_regions(flat, points, [0, 1]),
        "plot_history": lambda: fastmlp.plot_history(model.history),
        "plot_label_distribution": lambda: fastmlp.plot_label_distribution(labels),
        "plot_learning_rates": lambda: fastmlp.plot_learning_rates(found),
        "plot_mistakes": lambda: fastmlp.plot_mistakes(model, images, labels),
        "plot_samples": lambda: fastmlp.plot_samples(images, labels),
        "plot_weights": lambda: fastmlp.plot_weights(model),
    }


NAMES = [name for name in fastmlp.__all__ if name.startswith("plot_")]


def panels_of(result) -> list:
    """The Axes that were returned, one or many."""
    return list(result) if isinstance(result, np.ndarray) else [result]


@pytest.mark.parametrize("name", NAMES)
def test_returns_axes_and_leaves_nothing_behind(name, pictures, tmp_path):
    import matplotlib.pyplot as plt  # to see that nothing of ours gets there

    settings, windows = dict(mpl.rcParams), plt.get_fignums()
    panels = panels_of(pictures[name]())
    assert panels and all(isinstance(panel, mpl.axes.Axes) for panel in panels)
    panels[0].figure.savefig(tmp_path / "picture.png")
    assert dict(mpl.rcParams) == settings
    assert plt.get_fignums() == windows


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_text_can_be_read_in_the_style_of_the_user(name, style, pictures):
    """The text over and around the axes stands out from the background of the figure."""
    with mpl.style.context(style):
        panels = panels_of(pictures[name]())
        background = brightness(panels[0].figure.get_facecolor())
        texts = [
            text
            for panel in panels
            for text in (panel.title, panel._left_title, panel.xaxis.label, panel.yaxis.label)
        ]
        shown = [text for text in texts if text.get_text()]
        assert shown or name == "plot_weights"
        assert all(abs(brightness(text.get_color()) - background) > 0.4 for text in shown)


def brightness(colour) -> float:
    red, green, blue = mpl.colors.to_rgb(colour)
    return 0.299 * red + 0.587 * green + 0.114 * blue


@pytest.mark.parametrize("name", NAMES)
def test_a_place_to_draw_can_be_given(name):
    options = inspect.signature(getattr(fastmlp, name)).parameters
    assert {"ax", "figure"} & options.keys()


def test_text_does_not_leave_the_picture(pictures):
    for name, draw in pictures.items():
        panels = panels_of(draw())
        figure = panels[0].figure
        figure.draw_without_rendering()
        for panel in panels:
            box = panel.get_tightbbox()
            assert box.x0 >= -1 and box.x1 <= figure.bbox.x1 + 1, name
            assert box.y0 >= -1 and box.y1 <= figure.bbox.y1 + 1, name


def test_history_without_windows(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    history = History()
    history.append(1, {"loss": 1.0})
    assert len(fastmlp.plot_history(history)) == 1
