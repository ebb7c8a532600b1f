"""Describing a network, what it is trained with and how, waits for no compiler."""

import subprocess
import sys

PROGRAM = """
import sys

import fastmlp
from fastmlp import (
    activations, callbacks, initializers, layers, losses, metrics, optimizers, regularizers, schedules
)

described = [
    *(kind() for kind in losses.LOSSES.values()),
    *(make() for make in optimizers.OPTIMIZERS.values()),
    *initializers.table.INITIALIZERS.values(),
    initializers.FromArray([[1.0]]),
    *(fastmlp.Dense(3, name) for name in activations.ACTIVATIONS),
    *(fastmlp.Activation(name) for name in activations.ACTIVATIONS),
    fastmlp.Dropout(0.1), fastmlp.GaussianNoise(0.1), fastmlp.LayerNorm(), fastmlp.BatchNorm(), fastmlp.Flatten(),
    fastmlp.MaxAbsScaler(), fastmlp.MinMaxScaler(), fastmlp.StandardScaler(),
    regularizers.L1(0.1), regularizers.L2(0.1), regularizers.L1L2(0.1, 0.2),
    schedules.Constant(0.1), schedules.StepDecay(0.1, 5), schedules.ExponentialDecay(0.1, 5),
    schedules.InverseTimeDecay(0.1, 0.5), schedules.PolynomialDecay(0.1, 5), schedules.CosineDecay(0.1, 5),
    schedules.CosineRestarts(0.1, 5), schedules.OneCycle(0.1, 5), schedules.WarmUp(0.1, 5),
    schedules.ReduceOnPlateau(0.1),
    callbacks.EarlyStopping(), callbacks.ModelCheckpoint("best.model"), callbacks.Callback(),
]
for one in described:
    repr(one)
kinds = {type(one) for one in described}
assert set(layers.LAYERS.values()) <= kinds, set(layers.LAYERS.values()) - kinds
assert set(schedules._SCHEDULES.values()) <= kinds, set(schedules._SCHEDULES.values()) - kinds
print(*sorted({"numba", "llvmlite"} & sys.modules.keys()))
"""


def test_descriptions_import_no_numba():
    run = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == []
