"""Numbers of NumPy are as good as those of Python wherever one is asked for, and in a model file."""

import numpy as np
import pytest

from fastmlp import (
    L1L2,
    SGD,
    Activation,
    BatchNorm,
    Dense,
    Dropout,
    GaussianNoise,
    LayerNorm,
    Sequential,
    load,
)
from fastmlp.callbacks import EarlyStopping
from fastmlp.initializers import Constant, Orthogonal, Uniform, VarianceScaling
from fastmlp.losses import Huber
from fastmlp.schedules import PolynomialDecay, ReduceOnPlateau

HALF, QUARTER, THREE = np.float32(0.5), np.float64(0.25), np.int64(3)

# A model with one of these in it, and the same with numbers of Python.
MODELS = {
    "dense": lambda number: [Dense(number(THREE), max_norm=number(HALF)), Dense(1)],
    "regularizer": lambda number: [Dense(1, regularizer=L1L2(number(HALF), number(THREE)))],
    "initializer": lambda number: [Dense(1, initializer=Uniform(number(QUARTER), number(HALF)))],
    "variance": lambda number: [Dense(1, initializer=VarianceScaling(number(HALF)))],
    "orthogonal": lambda number: [Dense(1, initializer=Orthogonal(number(HALF)))],
    "constant": lambda number: [Dense(1, bias_initializer=Constant(number(THREE)))],
    "activation": lambda number: [Dense(2), Activation("elu", alpha=number(HALF)), Dense(1)],
    "dropout": lambda number: [Dropout(number(HALF)), Dense(1)],
    "noise": lambda number: [GaussianNoise(number(HALF)), Dense(1)],
    "layer norm": lambda number: [LayerNorm(epsilon=number(HALF)), Dense(1)],
    "batch norm": lambda number: [BatchNorm(momentum=number(HALF), epsilon=number(QUARTER)), Dense(1)],
}
OPTIONS = {
    "optimizer": lambda number: {"optimizer": SGD(number(HALF), momentum=number(HALF), clip_norm=number(THREE))},
    "schedule": lambda number: {"optimizer": SGD(PolynomialDecay(number(HALF), steps=number(THREE)))},
    "plateau": lambda number: {"optimizer": SGD(ReduceOnPlateau(number(HALF), patience=number(THREE)))},
    "loss": lambda number: {"loss": Huber(number(HALF))},
}  # fmt: skip
ALL = {
    **{name: lambda number, layers=layers: Sequential(layers(number)) for name, layers in MODELS.items()},
    **{
        name: lambda number, options=options: Sequential([Dense(1)], **options(number))
        for name, options in OPTIONS.items()
    },
}


@pytest.mark.parametrize("name", ALL)
def test_they_train_and_are_saved_as_those_of_python(name, tmp_path):
    for number, path in ((lambda n: n, "numpy"), (lambda n: n.item(), "python")):
        model = ALL[name](number)
        model.fit([[1.0, 2.0], [3.0, 4.0]], [0.5, 1.0], epochs=2, verbose=0)
        model.save(tmp_path / path)
    assert (tmp_path / "numpy").read_bytes() == (tmp_path / "python").read_bytes()
    assert load(tmp_path / "numpy").epochs == 2


def test_in_callbacks():
    assert EarlyStopping("loss", min_delta=HALF).min_delta == 0.5


@pytest.mark.parametrize("wrong", [True, np.True_, "0.5", None, np.array([0.5]), 0.5j, np.float32("nan")])
def test_what_is_no_number_is_refused(wrong):
    for make in (Dropout, GaussianNoise, SGD, Huber, L1L2, Constant, lambda n: PolynomialDecay(n, steps=3)):
        with pytest.raises(ValueError, match=r"expected a (finite )?number"):
            make(wrong)
