"""Several threads that fit one model: their epochs add up, as if they had come one after the other."""

import threading

import numpy as np
import pytest

from fastmlp import Dense, Sequential, StandardScaler

pytestmark = pytest.mark.survives("R23")


X = np.random.default_rng(0).normal(size=(40, 5)).astype(np.float32)
Y = np.arange(40) % 3
FITS, EPOCHS = 6, 2


def fit_in_threads(model):
    """The errors of some fits that start together."""
    start = threading.Barrier(FITS)
    errors = []

    def fit():
        start.wait()
        try:
            model.fit(X, Y, epochs=EPOCHS, batch_size=10, verbose=0)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=fit) for _ in range(FITS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


@pytest.mark.parametrize("first", [list, lambda: [StandardScaler()]], ids=["plain", "scaler"])
def test_no_epoch_is_lost(first):
    for _ in range(20):
        model = Sequential([*first(), Dense(3, "softmax")], seed=1)
        assert fit_in_threads(model) == []
        assert model.epochs == len(model.history) == FITS * EPOCHS
    alone = Sequential([*first(), Dense(3, "softmax")], seed=1)
    alone.fit(X, Y, epochs=FITS * EPOCHS, batch_size=10, verbose=0)
    np.testing.assert_array_equal(model.network.params, alone.network.params)
