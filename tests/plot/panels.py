"""What can be seen on the panels of a picture."""

import numpy as np


def titles(panels) -> list[str]:
    return [panel.get_title() for panel in panels]


def drawn(panel) -> np.ndarray:
    """The numbers of the image on a panel."""
    return np.asarray(panel.images[0].get_array())


def limits(panel) -> tuple[float, float]:
    return panel.images[0].get_clim()
