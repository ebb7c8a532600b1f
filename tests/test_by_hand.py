"""Layers and models called one pass, and one step, at a time."""

import numpy as np
import pytest

from fastmlp import SGD, Activation, Adam, Dense, Dropout, Flatten, Sequential

X = np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32)
Y = np.arange(8) % 3


def test_layers_by_hand():
    """One layer after another is the whole network, and a step by hand is a step of fit."""
    fitted, model, layered = (
        Sequential([Dense(5, "tanh"), Dense(3)], optimizer=SGD(0.1)).build(4) for _ in range(3)
    )
    targets = np.random.default_rng(1).normal(size=(8, 3)).astype(np.float32)
    fitted.fit(X, targets, epochs=1, batch_size=None, shuffle=False, verbose=0)

    outputs = model.forward(X)
    d_y = (outputs - targets) * np.float32(2 / 8 / 3)
    d_x = model.backward(d_y)
    np.testing.assert_array_equal(outputs, model.predict(X))

    first, last = layered.layers
    np.testing.assert_array_equal(last.forward(first.forward(X)), outputs)
    np.testing.assert_array_equal(first.backward(last.backward(d_y)), d_x)
    for layer, other in zip(model.layers, layered.layers, strict=True):
        np.testing.assert_array_equal(layer.d_weight, other.d_weight)
        np.testing.assert_array_equal(layer.d_bias, other.d_bias)

    optimizer = SGD(0.1)
    for target in (model, first, last):
        optimizer.step(target)
    for by_fit, by_hand, one_by_one in zip(fitted.layers, model.layers, layered.layers, strict=True):
        # The scale of the gradient of the loss is rounded at another place.
        np.testing.assert_allclose(by_fit.weight, by_hand.weight, rtol=0, atol=1e-7)
        np.testing.assert_array_equal(by_hand.weight, one_by_one.weight)
        np.testing.assert_array_equal(by_hand.bias, one_by_one.bias)


def test_a_step_of_one_layer_leaves_the_others():
    model = Sequential([Dense(5, "tanh"), Dropout(0.2), Dense(3, "softmax")]).build(4)
    model.forward(X)
    model.backward(np.eye(8, 3))
    first, before = model.layers[0].weight.copy(), model.layers[2].weight.copy()
    Adam(0.1).step(model.layers[0])
    assert (model.layers[0].weight != first).any()
    np.testing.assert_array_equal(model.layers[2].weight, before)
    assert model.network.steps == [1, 0, 0]


@pytest.mark.parametrize("make", [Flatten, lambda: Dropout(0), lambda: Activation("identity")])
def test_layers_without_operations(make):
    layer = make()
    model = Sequential([Dense(5), layer, Dense(2)]).build(4)
    values = np.ones((3, 5), np.float32)
    np.testing.assert_array_equal(layer.forward(values), values)
    np.testing.assert_array_equal(layer.backward(2 * values), 2 * values)
    with pytest.raises(ValueError, match="X: expected 5 columns"):
        layer.forward(X)
    assert model.forward(X).shape == (8, 2)


def test_a_layer_that_stands_alone():
    layer = Dense(3, "relu").build(4, seed=5)
    layer.weight, layer.bias = np.ones((4, 3)), [1, 2, 3]
    np.testing.assert_array_equal(layer.forward([1, 2, 3, 4]), [11, 12, 13])
    np.testing.assert_array_equal(layer.backward([1, 0, 1]), [2, 2, 2, 2])
    np.testing.assert_array_equal(layer.d_bias, [1, 0, 1])
    np.testing.assert_array_equal(layer.d_weight, np.outer([1, 2, 3, 4], [1, 0, 1]))


def test_by_hand_in_the_wrong_order():
    model = Sequential([Dense(5, "tanh"), Dropout(0.2), Dense(3, "softmax")]).build(4)
    with pytest.raises(RuntimeError, match="backward: call forward first"):
        model.backward(np.ones((8, 3)))
    with pytest.raises(RuntimeError, match="no gradients yet: call backward"):
        _ = model.layers[0].d_weight
    with pytest.raises(RuntimeError, match="no gradients yet"):
        SGD().step(model)
    model.forward(X)
    for wrong in (np.ones((8, 4)), np.ones((7, 3)), np.ones(3)):
        with pytest.raises(ValueError, match=r"d_y: expected shape \(8, 3\)"):
            model.backward(wrong)
    with pytest.raises(ValueError, match="d_y: expected numbers"):
        model.backward([["a"] * 3] * 8)
