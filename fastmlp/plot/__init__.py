"""Pictures of data, training and models.

Matplotlib is imported when a picture is drawn. Nothing here touches `matplotlib.pyplot` or a global setting: a new
figure belongs to no window, and goes to a file with ``axes.figure.savefig("picture.png")``. Fonts and backgrounds are
those of the user's style.

- `curves`: `plot_history`, `plot_learning_rates`; `save_plot` writes the first to a file.
- `classes`: `plot_label_distribution`, `plot_confusion_matrix`.
- `samples`: `plot_samples`, `plot_mistakes`.
- `weights`: `plot_weights`.
- `regions`: `plot_decision_regions`.
- `axes`, `images`, `outputs`: what they share: where to draw, what an image is, what a model says.
"""

from .classes import plot_confusion_matrix, plot_label_distribution
from .curves import plot_history, plot_learning_rates, save_plot
from .regions import plot_decision_regions
from .samples import plot_mistakes, plot_samples
from .weights import plot_weights

__all__ = [
    "plot_confusion_matrix",
    "plot_decision_regions",
    "plot_history",
    "plot_label_distribution",
    "plot_learning_rates",
    "plot_mistakes",
    "plot_samples",
    "plot_weights",
    "save_plot",
]
