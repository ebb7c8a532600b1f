"""Learning rates that change from step to step: functions of an array of steps.

An optimizer takes one as its `learning_rate`. The rates of an epoch are computed before it starts, so a schedule costs
the kernels nothing. Steps are counted from 0, over all epochs; a saved model goes on counting where it was. All
formulas use `elementary`, so that they have the same bits on every machine.
"""

from __future__ import annotations

from typing import Any

from ..checks import kind_and_options
from .cosine import CosineDecay, CosineRestarts, OneCycle
from .decay import ExponentialDecay, InverseTimeDecay, PolynomialDecay, StepDecay
from .plateau import NO_PLATEAU, Plateau, ReduceOnPlateau, plateau_from_config, plateau_to_config
from .schedule import Constant, Function, Schedule, as_schedule, require_schedule
from .warm_up import WarmUp

__all__ = [
    "NO_PLATEAU", "Constant", "CosineDecay", "CosineRestarts", "ExponentialDecay", "Function", "InverseTimeDecay",
    "OneCycle", "Plateau", "PolynomialDecay", "ReduceOnPlateau", "Schedule", "StepDecay", "WarmUp", "as_schedule",
    "plateau_from_config", "plateau_to_config", "require_schedule", "schedule_from_config",
]  # fmt: skip

_SCHEDULES: dict[str, type[Schedule]] = {
    schedule.kind: schedule
    for schedule in (
        Constant, StepDecay, ExponentialDecay, InverseTimeDecay, PolynomialDecay, CosineDecay, CosineRestarts,
        OneCycle, WarmUp, ReduceOnPlateau,
    )
}  # fmt: skip


def schedule_from_config(config: dict[str, Any]) -> Schedule:
    """The schedule that `Schedule.config` described.

    Raises
    ------
    ValueError
        If a kind or an option is not known.
    """
    kind, options = kind_and_options("schedule", config, _SCHEDULES)
    nested = {
        name: schedule_from_config(value) if isinstance(value, dict) else value
        for name, value in options.items()
    }
    return kind(**nested)
