"""Whether more or less of a quantity is better."""

from ..checks import look_up
from .table import METRICS

MODES = {"auto": 0, "min": -1, "max": 1}


def direction_of(monitor: str, mode: str = "auto") -> int:
    """1 if more of a quantity of the history is better, -1 if less is.

    Parameters
    ----------
    monitor : str
        Its name.
    mode : str
        `min` or `max`: which is better; `auto`: less of what is called loss or error, more of other metrics.

    Raises
    ------
    ValueError
        If `auto` does not know the name.

    Examples
    --------
    >>> direction_of("val_loss"), direction_of("val_f1"), direction_of("seconds", "min")
    (-1, 1, -1)
    """
    given = look_up("mode", mode, MODES)
    if given:
        return given
    if monitor.endswith(("loss", "error")):
        return -1
    if monitor.removeprefix("val_") in METRICS:
        return 1
    raise ValueError(
        f"monitor: expected loss or one of {', '.join(sorted(METRICS))}, for validation data with val_ in front, got "
        f"{monitor!r}; of a metric of your own, say by mode='min' or mode='max' which is better"
    )
