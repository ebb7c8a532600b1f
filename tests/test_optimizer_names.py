"""Every optimizer by its name, through `fit`: it learns, and as the reference does."""

import numpy as np
import pytest

from fastmlp import Dense, Sequential
from fastmlp.optimizers import OPTIMIZERS

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((90, 4))
Y = X @ RANDOM.standard_normal((4, 2))


def losses(engine, optimizer):
    """The loss of each epoch, in float64."""
    model = Sequential([Dense(8, "tanh"), Dense(2)], optimizer=optimizer, dtype="float64", seed=1)
    model.fit(X, Y, epochs=8, batch_size=20, engine=engine, verbose=0)
    return model.history["loss"]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_learns(name):
    ours = losses("kernels", name)
    assert ours[-1] < ours[0]
    np.testing.assert_allclose(ours, losses("reference", name), rtol=1e-10)
