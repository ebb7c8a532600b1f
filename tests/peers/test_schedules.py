"""Schedules against PyTorch's, step by step.

The largest differences, as a table:

    python -m tests.peers.test_schedules
"""

import numpy as np
import pytest

from fastmlp.schedules import (
    NO_PLATEAU,
    CosineDecay,
    CosineRestarts,
    ExponentialDecay,
    InverseTimeDecay,
    OneCycle,
    PolynomialDecay,
    ReduceOnPlateau,
    StepDecay,
    WarmUp,
)

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
lr_scheduler = torch.optim.lr_scheduler

RATE, STEPS = 0.3, 200

# Ours, and PyTorch's; steps in which PyTorch's is defined.
SCHEDULES = {
    "step": (StepDecay(RATE, steps=30, factor=0.5), lambda o: lr_scheduler.StepLR(o, 30, 0.5), STEPS),
    "exponential": (ExponentialDecay(RATE, 1, 0.97), lambda o: lr_scheduler.ExponentialLR(o, 0.97), STEPS),
    "exponential, of 7 steps": (
        ExponentialDecay(RATE, 7, 0.5),
        lambda o: lr_scheduler.LambdaLR(o, lambda t: 0.5 ** (t / 7)),
        STEPS,
    ),
    "inverse time": (
        InverseTimeDecay(RATE, 0.2, steps=3),
        lambda o: lr_scheduler.LambdaLR(o, lambda t: 1 / (1 + 0.2 * t / 3)),
        STEPS,
    ),
    "linear": (PolynomialDecay(RATE, 150), lambda o: lr_scheduler.PolynomialLR(o, 150, 1.0), STEPS),
    "polynomial": (
        PolynomialDecay(RATE, 150, power=2.5),
        lambda o: lr_scheduler.PolynomialLR(o, 150, 2.5),
        STEPS,
    ),
    "cosine": (
        CosineDecay(RATE, 150, end=0.01),
        lambda o: lr_scheduler.CosineAnnealingLR(o, 150, 0.01),
        151,
    ),
    "cosine, restarts": (
        CosineRestarts(RATE, 20, end=0.01),
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 20, 1, 0.01),
        STEPS,
    ),
    "cosine, growing restarts": (
        CosineRestarts(RATE, 20, end=0.01, grow=2),
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 20, 2, 0.01),
        STEPS,
    ),
    "one cycle": (OneCycle(RATE, STEPS), lambda o: lr_scheduler.OneCycleLR(o, RATE, STEPS), STEPS),
    "one cycle, other numbers": (
        OneCycle(RATE, STEPS, rise=0.5, start_divisor=10, end_divisor=100),
        lambda o: lr_scheduler.OneCycleLR(
            o, RATE, STEPS, pct_start=0.5, div_factor=10, final_div_factor=100
        ),
        STEPS,
    ),
    "warm-up, constant": (
        WarmUp(RATE, steps=40, start=0.03),
        lambda o: lr_scheduler.LinearLR(o, 0.1, 1.0, 40),
        STEPS,
    ),
    "warm-up, cosine": (
        WarmUp(CosineDecay(RATE, 100), steps=40, start=0.03),
        lambda o: lr_scheduler.SequentialLR(
            o,
            [lr_scheduler.LinearLR(o, 0.1, 1.0, 40), lr_scheduler.CosineAnnealingLR(o, 100)],
            milestones=[40],
        ),
        141,
    ),
}  # fmt: skip


def optimizer():
    return torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=RATE)


def largest_difference(name):
    """Relative to the rate at the start."""
    ours, theirs, steps = SCHEDULES[name]
    owner = optimizer()
    schedule = theirs(owner)
    expected = []
    for _ in range(steps):
        expected.append(owner.param_groups[0]["lr"])
        owner.step()
        schedule.step()
    return float(np.abs(ours(np.arange(steps)) - expected).max() / RATE)


@pytest.mark.filterwarnings("ignore:The epoch parameter:UserWarning")  # of PyTorch's SequentialLR, to itself
@pytest.mark.parametrize("name", SCHEDULES)
def test_pytorch(name):
    # PyTorch computes some of them step from step, and adds up a rounding in each.
    assert largest_difference(name) <= 4 * STEPS * np.finfo(float).eps


@pytest.mark.parametrize("monitor", ["val_loss", "accuracy"])
def test_plateau(monitor):
    values = np.round(np.random.default_rng(1).random(80), 2) / np.arange(1, 81) ** 0.3
    ours = ReduceOnPlateau(RATE, factor=0.5, patience=2, monitor=monitor, cooldown=1, threshold=0.01)
    owner, plateau = optimizer(), NO_PLATEAU
    theirs = lr_scheduler.ReduceLROnPlateau(
        owner, "max" if monitor == "accuracy" else "min", factor=0.5, patience=2, threshold=0.01, cooldown=1
    )
    scales = []
    for value in values.tolist():
        plateau = ours.after_epoch(plateau, {monitor: value})
        theirs.step(value)
        # PyTorch makes no change that is below 1e-8.
        assert RATE * plateau.scale == pytest.approx(owner.param_groups[0]["lr"], abs=2e-8)
        scales.append(plateau.scale)
    assert len(set(scales)) > 5


def main():
    """Print the largest relative difference of each schedule."""
    for name in SCHEDULES:
        print(f"{name:<30}{largest_difference(name):>12.3g}")


if __name__ == "__main__":
    main()
