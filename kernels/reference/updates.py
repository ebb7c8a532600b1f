"""What happens before and after an optimizer's formula, in NumPy, for all trained operations."""

import math

import numpy as np

from ..schema import CLIP_NORM, CLIP_VALUE, CLIPS, GLOBAL_CLIP_NORM, WEIGHT_DECAY


def _scale(limit, arrays):
    """What brings these numbers together to the norm `limit`, if it is larger; their squares do not overflow."""
    largest = max((float(np.abs(array).max(initial=0)) for array in arrays), default=0.0)
    if not 0 < largest < math.inf:
        return 0.0 if largest == math.inf else 1.0
    unit = math.ldexp(1.0, min(math.frexp(largest)[1], 1023))
    norm = math.sqrt(sum(np.square(array / unit, dtype=np.float64).sum() for array in arrays))
    return min(1.0, limit / unit / norm)


def _changed(operations, gradients, rules):
    """What the formula sees in the place of these gradients."""
    changed = gradients.copy()
    parts = [operation.of(changed) for operation in operations]
    for operation, part in zip(operations, parts, strict=True):
        biases = operation.op.biases
        weights = operation.weights[:biases]
        part[:biases] += operation.op.l2 * weights + operation.op.l1 * np.sign(weights)
    whole = _scale(rules[GLOBAL_CLIP_NORM], parts)
    for operation, part in zip(operations, parts, strict=True):
        biases = operation.op.biases
        for own in (part[:biases], part[biases:]):
            own *= whole * _scale(rules[CLIP_NORM], [own])
        np.clip(part, -rules[CLIP_VALUE], rules[CLIP_VALUE], out=part)
        part[:biases] += rules[WEIGHT_DECAY] * operation.weights[:biases]
    return changed


def steps_of_all(operations, gradients, update, places):
    """One step of all these operations, whose numbers stand at these places of `hyper`."""
    if update.optimizer[CLIPS] or any(operation.op.l1 or operation.op.l2 for operation in operations):
        gradients = _changed(operations, gradients, update.rules)
    for operation, h0 in zip(operations, places, strict=True):
        operation.step(gradients, update, h0)
        operation.follow(update)
