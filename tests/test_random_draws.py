"""Random numbers: one counter for all ways of training, so no pass repeats the masks or the order of another."""

import numpy as np
import pytest

from fastmlp import SGD, Dense, Dropout, GaussianNoise, Sequential, load
from fastmlp.initializers import FromArray

X, Y = np.ones((6, 40), np.float32), np.zeros(6, np.int64)


def model_of(rate=0.5):
    layers = [Dropout(rate), Dense(2, "softmax", initializer="ones")]
    return Sequential(layers, optimizer=SGD(1e-30), seed=3).build(40)


def mask(model):
    """Which inputs the dropout layer kept in the last training step, told by the gradient of the weights."""
    return model.layers[1].d_weight[:, 0] != 0


def masks_of(model, steps):
    """The masks of some single steps: `fit` of one epoch of one sample, `train_on_batch` or by hand."""
    found = []
    for step in steps:
        if step == "fit":
            model.fit(X[:1], Y[:1], epochs=1, batch_size=1, keep_gradients=True, verbose=0)
        elif step == "batch":
            model.network.keep_gradients()
            model.train_on_batch(X[:1], Y[:1])
        else:
            d_y = model.forward(X[:1]) - np.eye(2)[Y[:1]]
            model.backward(d_y)
            SGD(1e-30).step(model)
        found.append(mask(model).tobytes())
    return found


@pytest.mark.parametrize(
    "steps",
    [["fit"] * 4, ["batch"] * 4, ["hand"] * 4, ["fit", "batch", "fit", "hand", "batch", "hand", "fit"]],
    ids=["fit", "train_on_batch", "by hand", "mixed"],
)
def test_masks_do_not_repeat(steps):
    assert len(set(masks_of(model_of(), steps))) == len(steps)


def test_single_steps_draw_as_epochs_of_one_step():
    steps = 5
    assert len({tuple(masks_of(model_of(), [way] * steps)) for way in ("fit", "batch", "hand")}) == 1


@pytest.mark.parametrize("noise", [Dropout(0.5), GaussianNoise(1.0)])
def test_a_layer_by_hand_draws_anew_at_each_call(noise):
    noise.build(64)
    outputs = [noise.forward(np.ones(64)).tobytes() for _ in range(3)]
    assert len(set(outputs)) == 3


def test_backward_uses_the_mask_of_the_last_forward():
    layer = Dropout(0.5).build(64)
    for _ in range(3):
        y = layer.forward(np.ones(64))
        np.testing.assert_array_equal(layer.backward(np.ones(64)), y)


def test_backward_of_layers_that_ran_one_at_a_time():
    model = Sequential([Dropout(0.5), Dense(64, initializer=FromArray(np.eye(64))), Dropout(0.5)]).build(64)
    ones = np.ones((1, 64), np.float32)
    kept = [model.layers[0].forward(ones) != 0]
    y = model.layers[1].forward(ones)
    kept.append(model.layers[2].forward(y) != 0)
    d_x = model.backward(ones)
    assert (kept[0] != kept[1]).any()
    np.testing.assert_array_equal(d_x, 4.0 * (kept[0] & kept[1]))


def test_a_step_that_diverges_leaves_the_counter():
    model = model_of()
    draws = model.network.draws
    bad = np.full((1, 40), 3e38, np.float32)
    with pytest.raises(ArithmeticError):
        model.train_on_batch(bad, Y[:1])
    assert model.network.draws == draws


def test_the_counter_is_saved(tmp_path):
    model = model_of()
    masks_of(model, ["batch", "hand"])
    model.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert masks_of(loaded, ["fit", "batch"]) == masks_of(model, ["fit", "batch"])
