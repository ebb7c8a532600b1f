"""A rule of early stopping that the program follows by itself: see kernels/program/stop_rule.py."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..kernels import schema


class StopRule(NamedTuple):
    """When training stops early, and which epoch is the best one."""

    quantity: int  # number of the record that it is about, such as `schema.VAL_LOSS`
    sign: int  # 1: more is better, -1: less is
    min_delta: float  # by how much more than this an epoch has to be better to become the best one
    tolerance: float  # by how much more than this it has to be better to count as progress
    inclusive: bool  # whether exactly as much is progress too
    patience: float  # training stops after more epochs in a row without progress
    start_from_epoch: int = 0  # epochs up to this one are not considered
    keeps_weights: bool = False  # whether the parameters of the best epoch are kept


class Progress(NamedTuple):
    """How far a rule has come."""

    best: float = -math.inf  # sign times the best value so far
    best_epoch: int = 0  # its epoch, if it is one of the last run
    waited: int = 0  # epochs in a row without progress
    has_stopped: bool = False


NO_PROGRESS = Progress()


class Followed(NamedTuple):
    """What came of some epochs in which the program followed a rule."""

    epoch: int  # the last one
    curves: dict[str, list[float]]  # by name, as in the history
    penalised: list[float]  # the loss with penalties of each epoch
    progress: Progress
    best: np.ndarray  # the parameters of `progress.best_epoch`, if the rule keeps them


def rule_words(rule: StopRule | None, done: int) -> np.ndarray:
    """`Epochs.rule` for a run after `done` epochs."""
    given = np.zeros(schema.RULE_WORDS)
    given[schema.RULE_QUANTITY] = -1
    if rule is not None:
        given[:] = (*rule[:6], rule.start_from_epoch - done)
    return given


def progress_words(progress: Progress) -> np.ndarray:
    """`Epochs.progress` at the start of a run."""
    given = np.zeros(schema.PROGRESS_WORDS)
    given[schema.BEST], given[schema.WAITED] = progress.best, progress.waited
    return given
