"""The metrics that a user asks for: checked before training, then computed from a model's outputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..checks import look_up
from ..inputs.targets import Targets, has_classes, true_classes
from ..losses import Loss
from ..metrics import METRICS, Metric

Given = Sequence[str | Callable[[np.ndarray, np.ndarray], float]]


def predicted_classes(outputs: np.ndarray, last_activation: str) -> np.ndarray:
    """The most likely class of each sample; with one output, 1 above the threshold."""
    if outputs.shape[-1] > 1:
        return np.asarray(outputs.argmax(axis=-1))
    threshold = 0.5 if last_activation in {"sigmoid", "hard_sigmoid"} else 0.0
    return np.asarray((outputs[..., 0] > threshold).astype(np.int64))


@dataclass(frozen=True)
class Measures:
    """Metrics of a model, checked.

    Attributes
    ----------
    metrics : dict of str to Metric
        By the name under which they are reported.
    loss : Loss
        Of the model.
    outputs : int
        Its outputs.
    last_activation : str
        Activation of the outputs.
    """

    metrics: dict[str, Metric]
    loss: Loss
    outputs: int
    last_activation: str

    def of(self, targets: Targets, outputs: np.ndarray) -> dict[str, Any]:
        """The metrics by name, numbers or arrays, for outputs of shape (samples, outputs)."""
        truth, views = self._views(targets, outputs)
        return {name: metric.function(truth, views[metric.of]) for name, metric in self.metrics.items()}

    def _views(self, targets: Targets, outputs: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """The true classes or values, and the outputs in the forms that metrics compare with them."""
        if not has_classes(self.loss, self.outputs):
            return targets.values.reshape(outputs.shape), {
                "values": self.loss.values(outputs),
                "outputs": outputs,
            }
        return true_classes(targets, self.loss, self.outputs), {
            "classes": predicted_classes(outputs, self.last_activation),
            "scores": self._scores(outputs),
            "outputs": outputs,
        }

    def _scores(self, outputs: np.ndarray) -> np.ndarray:
        """One score where there are two classes: only the difference of two logits has a meaning."""
        if self.outputs == 2 and "softmax" not in self.last_activation:
            return outputs[:, 1:].astype(np.float64) - outputs[:, :1]
        return outputs[:, 1:] if self.outputs == 2 else outputs


def choose_metrics(
    given: Given | None, loss: Loss, outputs: int, last_activation: str, *, numbers: bool
) -> Measures:
    """Check metrics for a model.

    Parameters
    ----------
    given : sequence of str or callable, optional
        Names of `METRICS`, or functions of the true classes or values and of the outputs, reported by their names.
    loss : Loss
    outputs : int
    last_activation : str
        Of the model.
    numbers : bool
        Whether arrays are refused.

    Raises
    ------
    ValueError
        If one is not known, or does not go with the model.
    """
    if isinstance(given, str) or not isinstance(given or (), Sequence):
        raise ValueError(f"metrics: expected a list of names or functions, got {given!r}")
    chosen: dict[str, Metric] = {}
    for metric in given or ():
        if callable(metric):
            chosen[_name_of(metric)] = Metric(metric, "outputs")
        else:
            chosen[metric] = _by_name(metric, loss, outputs, numbers)
    # The score of the loss is reported anyway.
    chosen.pop(loss.formula(labels=True).score, None)
    return Measures(chosen, loss, outputs, last_activation)


def _name_of(function: Callable[..., Any]) -> str:
    name = getattr(function, "__name__", None)
    if name is None:
        raise ValueError(f"metrics: {function!r} has no name to report it under; wrap it in a def")
    return str(name)


def _by_name(name: object, loss: Loss, outputs: int, numbers: bool) -> Metric:
    metric = look_up("metric", name, METRICS)
    if (metric.of != "values") != has_classes(loss, outputs):
        accepted = [
            key for key, other in METRICS.items() if (other.of != "values") == has_classes(loss, outputs)
        ]
        raise ValueError(
            f"metrics: {name} does not go with {loss.name} of {outputs} outputs; expected some of "
            f"{', '.join(accepted)}, or functions"
        )
    if metric.of == "scores" and name == "roc_auc" and outputs > 2:
        raise ValueError(f"metrics: roc_auc is for two classes, the network has {outputs} outputs")
    if name == "top_k_accuracy" and outputs < 3:
        raise ValueError(f"metrics: top_k_accuracy is for three classes or more, there are {max(outputs, 2)}")
    if numbers and not metric.is_number:
        raise ValueError(f"metrics: {name} is no number, which a history could keep; use it in evaluate")
    return metric
