"""Schedules against PyTorch's, step by step."""

import warnings
from functools import partial

import numpy as np
import pytest

from fastmlp.schedules import (
    _SCHEDULES,
    NO_PLATEAU,
    Constant,
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
from tests.peers.twenty_steps import Row, torch

lr_scheduler = torch.optim.lr_scheduler

RATE, STEPS = 0.3, 200

# Ours, and PyTorch's; steps in which PyTorch's is defined.
SCHEDULES = {
    "constant": (Constant(RATE), lambda o: lr_scheduler.ConstantLR(o, 1.0), STEPS),
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


def agree(ours, theirs, dtype):
    """The largest difference, relative to the rate at the start; of the rates as a network of this dtype takes them."""
    difference = float(np.abs(np.asarray(ours).astype(dtype) - theirs).max() / RATE)
    # PyTorch computes some of them step from step, and adds up a rounding in each; then comes that to dtype.
    assert difference <= 4 * STEPS * np.finfo(float).eps + np.finfo(dtype).eps / 2
    return difference


def compare(name, dtype):
    ours, theirs, steps = SCHEDULES[name]
    owner = optimizer()
    with warnings.catch_warnings():
        # Of its SequentialLR, to itself.
        warnings.filterwarnings("ignore", "The epoch parameter", UserWarning)
        schedule = theirs(owner)
        expected = []
        for _ in range(steps):
            expected.append(owner.param_groups[0]["lr"])
            owner.step()
            schedule.step()
    return agree(ours(np.arange(steps)), expected, dtype)


def compare_plateau(monitor, dtype):
    values = np.round(np.random.default_rng(1).random(80), 2) / np.arange(1, 81) ** 0.3
    ours = ReduceOnPlateau(RATE, factor=0.5, patience=2, monitor=monitor, cooldown=1, threshold=0.01)
    owner, plateau = optimizer(), NO_PLATEAU
    theirs = lr_scheduler.ReduceLROnPlateau(
        owner, "max" if monitor == "accuracy" else "min", factor=0.5, patience=2, threshold=0.01, cooldown=1,
        eps=0.0,
    )  # fmt: skip
    rates, expected = [], []
    for value in values.tolist():
        plateau = ours.after_epoch(plateau, {monitor: value})
        theirs.step(value)
        rates.append(RATE * plateau.scale)
        expected.append(owner.param_groups[0]["lr"])
    assert len(set(rates)) > 5
    return agree(rates, expected, dtype)


PLATEAUS = {
    f"reduce on plateau of {monitor}": Row("PyTorch", partial(compare_plateau, monitor))
    for monitor in ("val_loss", "accuracy")
}
ROWS = {name: Row("PyTorch", partial(compare, name)) for name in SCHEDULES} | PLATEAUS


def test_every_schedule_is_compared():
    assert {type(ours) for ours, *_ in SCHEDULES.values()} | {ReduceOnPlateau} == set(_SCHEDULES.values())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", SCHEDULES)
def test_pytorch(name, dtype):
    ROWS[name].largest_difference(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", PLATEAUS)
def test_plateau(name, dtype):
    PLATEAUS[name].largest_difference(dtype)
