"""The history of training: for each quantity, one number for each epoch."""

from __future__ import annotations

import json
import math
from bisect import bisect_left
from collections.abc import Iterator
from itertools import pairwise
from os import PathLike
from typing import Any

from ..checks import COUNT, refusal
from ..files.atomic import atomic_write
from ..json_numbers import number_from_json, number_to_json

SPEED = ("seconds", "samples_per_second")


class History:
    """The curves of a training run.

    Attributes
    ----------
    epochs : list of int
        Numbers of the epochs, from 1; they go on when `fit` is called again.
    metrics : dict of str to list of float
        `loss`, the score of the loss (`accuracy` or `mean_absolute_error`), the metrics that were asked for, the same
        with `val_` in front where there was validation data, `seconds`, `samples_per_second`. As long as `epochs`,
        with NaN where an epoch had no such quantity. Seconds include the validation; epochs that ran in one call of the
        program have their mean.

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
        """Add the quantities of one epoch; replaces it and later epochs, and missing quantities become NaN."""
        self.extend(epoch, {name: [value] for name, value in metrics.items()})

    def extend(self, first: int, curves: dict[str, list[float]]) -> None:
        """Add the quantities of some epochs from `first` on; replaces them and later ones."""
        known = bisect_left(self.epochs, first)
        count = len(next(iter(curves.values()), ()))
        self.epochs[known:] = range(first, first + count)
        for name in self.metrics | curves:
            curve = self.metrics.setdefault(name, [math.nan] * known)
            curve[known:] = curves.get(name, [math.nan] * count)

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
        """Epochs and metrics, as a JSON file holds them: None for NaN, words for infinities."""
        metrics = {name: [number_to_json(value) for value in curve] for name, curve in self.metrics.items()}
        return {"epochs": list(self.epochs), "metrics": metrics}

    def without_times(self) -> dict[str, Any]:
        """As `as_dict`, without times: what model files keep, so that the same training gives the same file."""
        kept = self.as_dict()
        kept["metrics"] = {name: curve for name, curve in kept["metrics"].items() if name not in SPEED}
        return kept

    def restore(self, kept: Any) -> None:
        """Take over what `as_dict` or `without_times` returned; a ValueError if it is something else."""
        if not isinstance(kept, dict) or kept.keys() != {"epochs", "metrics"}:
            raise refusal("history", "epochs and metrics", kept)
        epochs, metrics = kept["epochs"], kept["metrics"]
        counted = isinstance(epochs, list) and all(COUNT.plain(epoch) is not None for epoch in epochs)
        if not counted or any(later <= earlier for earlier, later in pairwise(epochs)):
            raise refusal("history: epochs", "whole numbers in ascending order", epochs)
        if not isinstance(metrics, dict) or not all(isinstance(curve, list) for curve in metrics.values()):
            raise refusal("history: metrics", "lists of numbers by name", metrics)
        curves = {name: [number_from_json(value) for value in curve] for name, curve in metrics.items()}
        lengths = {name: len(curve) for name, curve in curves.items() if len(curve) != len(epochs)}
        if lengths:
            raise refusal("history: metrics", f"{len(epochs)} numbers each, as there are epochs", lengths)
        self.epochs = list(epochs)
        self.metrics = curves

    def save(self, path: str | PathLike[str]) -> None:
        """Write a JSON file, completely or not at all."""
        with atomic_write(path) as file:
            file.write((json.dumps(self.as_dict(), indent=2) + "\n").encode())
