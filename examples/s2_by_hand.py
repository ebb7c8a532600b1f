"""From one neuron to a training step, each number computed by hand and by fastmlp: they must agree.

A neuron, a layer for one sample and for a batch; ReLU and softmax; the loss from classes and from one-hot rows; what
each layer holds after the way back; and one step of an optimizer, of a layer by hand and of the model by `fit`.

    python examples/s2_by_hand.py
"""

import numpy as np

from fastmlp import SGD, Dense, Sequential

INPUTS = np.array([[1.0, 2.0, 3.0, 2.5], [2.0, 5.0, -1.0, 2.0], [-1.5, 2.7, 3.3, -0.8]])
WEIGHTS = np.array([[0.2, 0.5, -0.26], [0.8, -0.91, -0.27], [-0.5, 0.26, 0.17], [1.0, -0.5, 0.87]])
BIASES = np.array([2.0, 3.0, 0.5])
CLASSES = np.array([0, 2, 1])
ONE_HOT = np.eye(3)[CLASSES]
LEARNING_RATE = 0.1


def same(what: str, by_hand: np.ndarray | float, by_fastmlp: np.ndarray | float) -> None:
    """Print a result, and stop if the two differ by more than float32 rounds."""
    np.testing.assert_allclose(by_fastmlp, by_hand, rtol=1e-5, atol=1e-6, err_msg=what)
    print(f"{what}: {np.array2string(np.asarray(by_fastmlp), precision=4, suppress_small=True)}")


def model_of(activation: str) -> tuple[Sequential, Dense]:
    """A model of one layer with the weights and biases from above, and the layer."""
    layer = Dense(3, activation)
    model = Sequential([layer], optimizer=SGD(LEARNING_RATE)).build(4)
    layer.weight, layer.bias = WEIGHTS, BIASES
    return model, layer


def softmax(values: np.ndarray) -> np.ndarray:
    """Shares of the exponentials, row by row."""
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def forward() -> None:
    """A neuron, a layer, activations."""
    _, layer = model_of("identity")
    neuron = sum(x * w for x, w in zip(INPUTS[0], WEIGHTS[:, 0], strict=True)) + BIASES[0]
    same("a neuron", neuron, layer.forward(INPUTS[0])[0])
    same("a layer, one sample", INPUTS[0] @ WEIGHTS + BIASES, layer.forward(INPUTS[0]))
    sums = INPUTS @ WEIGHTS + BIASES
    same("a layer, a batch", sums, layer.forward(INPUTS))
    same("relu", np.maximum(sums, 0), model_of("relu")[1].forward(INPUTS))
    same("softmax", softmax(sums), model_of("softmax")[1].forward(INPUTS))


def backward() -> None:
    """The loss; its gradients, which softmax and cross-entropy make (p - y) / N together; a step."""
    model, layer = model_of("softmax")
    shares = softmax(INPUTS @ WEIGHTS + BIASES)
    loss = -np.log(shares[np.arange(len(CLASSES)), CLASSES]).mean()
    same("loss from classes", loss, model.evaluate(INPUTS, CLASSES)["loss"])
    same("loss from one-hot rows", loss, model.evaluate(INPUTS, ONE_HOT)["loss"])

    model.forward(INPUTS)
    d_inputs = model.backward(-ONE_HOT / shares / len(INPUTS))  # the gradient of the loss in the shares
    delta = (shares - ONE_HOT) / len(INPUTS)
    same("d_weight", INPUTS.T @ delta, layer.d_weight)
    same("d_bias", delta.sum(axis=0), layer.d_bias)
    same("d_inputs", delta @ WEIGHTS.T, d_inputs)

    stepped = WEIGHTS - LEARNING_RATE * INPUTS.T @ delta
    SGD(LEARNING_RATE).step(layer)  # one layer; `step(model)` updates all of them
    same("weights after a step by hand", stepped, layer.weight)
    model, layer = model_of("softmax")
    model.fit(INPUTS, ONE_HOT, epochs=1, batch_size=None, keep_gradients=True, verbose=0)
    same("d_weight of fit", INPUTS.T @ delta, layer.d_weight)
    same("weights after a step of fit", stepped, layer.weight)


if __name__ == "__main__":
    forward()
    backward()
