"""Training that diverges leaves the model as it was before that epoch."""

import numpy as np
import pytest

from fastmlp import SGD, Dense, EarlyStopping, Sequential, TrainingDiverged

pytestmark = pytest.mark.survives("R26")


X = np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32)


@pytest.mark.parametrize("engine", ["kernels", "reference"])
@pytest.mark.parametrize("threads", [1, 2])
def test_divergence_in_an_epoch(engine, threads):
    """The last good weights and the history are kept, the optimizer starts afresh; the error names the place."""
    model, y = Sequential([Dense(8), Dense(1)], optimizer=SGD(0.001, momentum=0.5)), X.sum(axis=1)
    options = {"batch_size": 1, "threads": threads, "engine": engine, "verbose": 0}
    model.fit(X, y, epochs=2, **options)
    network = model.network
    before = network.params.copy()
    model.optimizer = SGD(1e6, momentum=0.5)
    message = r"in epoch 3, step [2-8] of 8; .*Try a learning rate below 1e\+06, or scale the inputs and the targets"
    with pytest.raises(TrainingDiverged, match=message):
        model.fit(X, y, epochs=5, **options)
    np.testing.assert_array_equal(network.params, before)
    assert not network.slots.any()
    assert not any(network.steps)
    assert model.history.epochs == [1, 2]
    model.optimizer = SGD(0.001, momentum=0.5)
    model.fit(X, y, epochs=1, **options)
    assert model.history.epochs == [1, 2, 3]


def test_divergence_in_the_last_step():
    """The loss of the only step is finite, what it makes of the weights is not."""
    model = Sequential([Dense(1)], optimizer=SGD(1e38)).build(4)
    before = model.network.params.copy()
    with pytest.raises(TrainingDiverged, match="the parameters are not finite in epoch 1, step 1 of 1"):
        model.fit(X, 1e6 * X.sum(axis=1), epochs=3, batch_size=None, verbose=0)
    np.testing.assert_array_equal(model.network.params, before)
    assert len(model.history) == 0


@pytest.mark.parametrize("kept", [True, False])
def test_with_early_stopping(kept):
    """It is called by its name, and the best weights come back where they were asked for."""
    model, y, params = Sequential([Dense(1)], optimizer=SGD(0.1)), X.sum(axis=1), []
    stopping = EarlyStopping(patience=20, restore_best_weights=kept)

    def rise(epoch, logs):
        params.append(model.network.params.copy())
        if epoch == 3:
            model.optimizer.learning_rate = 1e30

    end = (
        "EarlyStopping has restored the weights of epoch 3$" if kept else "scale the inputs and the targets$"
    )
    with pytest.raises(TrainingDiverged, match=rf"not finite in epoch 5, step .*{end}"):
        model.fit(X, y, epochs=9, validation_data=(X, y), callbacks=[stopping, rise], verbose=0)
    np.testing.assert_array_equal(model.network.params, params[2 if kept else 3])
    assert model.history.epochs == [1, 2, 3, 4]


def test_it_is_a_value_error_too():
    """As scikit-learn raises."""
    with pytest.raises(ValueError, match="not finite"):
        Sequential([Dense(1)], optimizer=SGD(1e38)).fit(X, 1e6 * X.sum(axis=1), epochs=3, verbose=0)
