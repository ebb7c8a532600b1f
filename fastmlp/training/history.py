"""What happened in training: one number an epoch for each quantity."""

from __future__ import annotations

import json
import math
from bisect import bisect_left
from collections.abc import Iterator
from os import PathLike
from typing import Any

from ..files.atomic import atomic_write


class History:
    """Curves of a training run.

    Attributes
    ----------
    epochs : list of int
        Numbers of the epochs, from 1; they go on when `fit` is called again.
    metrics : dict of str to list of float
        `loss`, the score of the loss (`accuracy` or `mean_absolute_error`), the metrics that were asked for, the same
        with `val_` in front where there was validation data, `seconds`, `samples_per_second`. As long as `epochs`,
        with NaN where an epoch had no such quantity.

    Examples
    --------
    >>> history = History()
    >>> history.append(1, {"loss": 0.5})
    >>> history["loss"]
    [0.5]
    """

    def __init__(self) -> None:
        self.epochs: list[int] = []
        self.metrics: dict[str, list[float]] = {}

    def append(self, epoch: int, metrics: dict[str, float]) -> None:
        """Add the quantities of one epoch, in the place of it and of later ones; those it does not have become NaN."""
        known = bisect_left(self.epochs, epoch)
        self.epochs[known:] = [epoch]
        for name in self.metrics | metrics:
            curve = self.metrics.setdefault(name, [math.nan] * known)
            curve[known:] = [metrics.get(name, math.nan)]

    def __getitem__(self, name: str) -> list[float]:
        return self.metrics[name]

    def __contains__(self, name: object) -> bool:
        return name in self.metrics

    def __iter__(self) -> Iterator[str]:
        return iter(self.metrics)

    def __len__(self) -> int:
        return len(self.epochs)

    def __repr__(self) -> str:
        last = ", ".join(f"{name} {curve[-1]:.4g}" for name, curve in self.metrics.items() if curve)
        return f"<History of {len(self)} epochs: {last}>" if len(self) else "<History of 0 epochs>"

    def as_dict(self) -> dict[str, Any]:
        """Epochs and metrics, as the JSON file holds them: None instead of NaN, which JSON does not know."""
        metrics = {
            name: [None if math.isnan(value) else value for value in curve]
            for name, curve in self.metrics.items()
        }
        return {"epochs": self.epochs, "metrics": metrics}

    def save(self, path: str | PathLike[str]) -> None:
        """Write a JSON file; the file is complete or not there."""
        with atomic_write(path) as file:
            file.write((json.dumps(self.as_dict(), indent=2) + "\n").encode())
