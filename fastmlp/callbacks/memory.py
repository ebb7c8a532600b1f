"""What callbacks that look for the best epoch remember. Model files keep it, so that a resumed run goes on with it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ..checks import COUNT_FROM_ZERO, NOT_NEGATIVE, Switch, checked, look_up, refusal
from ..json_numbers import number_from_json, number_to_json

EARLY_STOPPING, BEST_CHECKPOINT = "early_stopping", "best_checkpoint"


class Watched(NamedTuple):
    """What a callback looks for: callbacks that agree in this remember the same."""

    kind: str
    monitor: str
    mode: str  # `min` or `max`
    min_delta: float
    start_from_epoch: int
    keeps_weights: bool


class Memory(NamedTuple):
    """What a callback knows after the last epoch that it saw."""

    best: float | None = None
    best_epoch: int = 0
    waited: int = 0  # epochs since the best one
    seen: int = 0  # the last epoch
    weights: np.ndarray | None = None  # of the best epoch, an arena like `Network.params`


Memories = dict[Watched, Memory]


def memories_to_config(memories: Mapping[Watched, Memory]) -> list[dict[str, Any]]:
    """What a model file keeps of memories, apart from weights."""
    return [
        {
            **watched._asdict(),
            "best": None if memory.best is None else number_to_json(memory.best),
            "best_epoch": memory.best_epoch,
            "waited": memory.waited,
            "seen": memory.seen,
        }
        for watched, memory in memories.items()
    ]


def memories_from_config(config: Any) -> Memories:
    """The memories that `memories_to_config` described, without weights; a ValueError if it is something else."""
    if not isinstance(config, list) or not config:
        raise refusal("callbacks", "a list with what callbacks remember", config)
    memories = dict(_memory_from_config(entry) for entry in config)
    if len(memories) < len(config):
        raise refusal("callbacks", "different callbacks", config)
    return memories


def _memory_from_config(entry: Any) -> tuple[Watched, Memory]:
    names = {*Watched._fields, *Memory._fields} - {"weights"}
    if not isinstance(entry, dict) or entry.keys() != names:
        raise refusal("callbacks", f"the fields {', '.join(sorted(names))}", entry)
    look_up("callbacks: kind", entry["kind"], dict.fromkeys((EARLY_STOPPING, BEST_CHECKPOINT)))
    look_up("callbacks: mode", entry["mode"], dict.fromkeys(("min", "max")))
    if not isinstance(entry["monitor"], str):
        raise refusal("callbacks: monitor", "the name of a quantity", entry["monitor"])
    counts = {
        name: checked("callbacks", name, entry[name], COUNT_FROM_ZERO)
        for name in ("start_from_epoch", "best_epoch", "waited", "seen")
    }
    watched = Watched(
        kind=entry["kind"],
        monitor=entry["monitor"],
        mode=entry["mode"],
        min_delta=checked("callbacks", "min_delta", entry["min_delta"], NOT_NEGATIVE),
        start_from_epoch=counts["start_from_epoch"],
        keeps_weights=checked("callbacks", "keeps_weights", entry["keeps_weights"], Switch()),
    )
    best = None if entry["best"] is None else number_from_json(entry["best"])
    if (best is None) != (counts["best_epoch"] == 0) or (best is not None and math.isnan(best)):
        raise refusal("callbacks: best", "a number if there is a best epoch, else null", best)
    return watched, Memory(best, counts["best_epoch"], counts["waited"], counts["seen"])
