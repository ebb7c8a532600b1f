"""What the options of schedules may be."""

from dataclasses import dataclass

from ..checks import NOT_NEGATIVE, POSITIVE, SHARE, Accepted, Number, WholeNumber
from ..metrics.direction import MODES

LARGEST = 2**53  # steps become float64, which holds no larger whole numbers exactly


@dataclass(frozen=True)
class MetricName:
    """The name of a quantity of the history."""

    words = "the name of a metric, such as 'val_loss'"

    def plain(self, value: object) -> str | None:
        """The name; None if it is not one."""
        return str(value) if isinstance(value, str) and value else None


@dataclass(frozen=True)
class Mode:
    """Which direction is better."""

    words = f"one of {', '.join(MODES)}"

    def plain(self, value: object) -> str | None:
        """The mode; None if it is not known."""
        return value if isinstance(value, str) and value in MODES else None


_STEPS = WholeNumber(1, LARGEST)
_EPOCHS = WholeNumber(0, LARGEST)

ACCEPTED: dict[str, Accepted] = {
    "rate": POSITIVE, "factor": POSITIVE, "power": POSITIVE, "decay": NOT_NEGATIVE, "end": NOT_NEGATIVE,
    "start": NOT_NEGATIVE, "least": NOT_NEGATIVE, "threshold": NOT_NEGATIVE, "rise": SHARE,
    "start_divisor": Number(1.0), "end_divisor": Number(1.0), "steps": _STEPS, "grow": _STEPS,
    "patience": _EPOCHS, "cooldown": _EPOCHS, "monitor": MetricName(), "mode": Mode(),
}  # fmt: skip
