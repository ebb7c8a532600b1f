"""The same models in JAX: `vmap` over all of them, all epochs in one `lax.scan`, Adam with a rate for each."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from . import loop_of_fits
from .loop_of_fits import Task

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


def _loss(params, X, y):
    for weight, bias in params[:-1]:
        X = jax.nn.relu(X @ weight + bias)
    weight, bias = params[-1]
    return -jnp.mean(jax.nn.log_softmax(X @ weight + bias)[jnp.arange(len(y)), y])


def _train(params, rate, batches, X, y):
    """One model: `batches` (steps, batch) are the samples of each step."""

    def step(carry, rows):
        params, means, squares, number = carry
        loss, gradient = jax.value_and_grad(_loss)(params, X[rows], y[rows])
        number = number + 1
        means = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, means, gradient)
        squares = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, squares, gradient)
        size, root = rate / (1 - BETA1**number), jnp.sqrt(1 - BETA2**number)
        params = jax.tree.map(
            lambda w, m, v: w - size * m / (jnp.sqrt(v) / root + EPSILON), params, means, squares
        )
        return (params, means, squares, number), loss

    zeros = jax.tree.map(jnp.zeros_like, params)
    (params, *_), losses = jax.lax.scan(step, (params, zeros, zeros, 0.0), batches)
    return params, losses


def trainer(task: Task, count: int) -> Callable[[], object]:
    """A function that trains them all.

    The orders of the samples are drawn before, so they cost it nothing, and a smaller last batch is left out.
    """
    X, y = loop_of_fits.samples(task)
    random, batch = np.random.default_rng(0), task.batch or len(X)
    steps = len(X) // batch
    epochs = count * task.epochs
    orders = random.permuted(np.tile(np.arange(len(X), dtype=np.int32), (epochs, 1)), axis=1)[
        :, : steps * batch
    ]
    batches = jnp.asarray(orders.reshape(count, task.epochs * steps, batch))
    params = [
        (jnp.asarray(random.normal(scale=(2 / inputs) ** 0.5, size=(count, inputs, units)).astype("float32")),
         jnp.zeros((count, units), "float32"))
        for inputs, units in zip(task.widths, task.widths[1:], strict=False)
    ]  # fmt: skip
    rates = jnp.asarray([loop_of_fits.rate(seed) for seed in range(count)], "float32")
    run = jax.jit(jax.vmap(_train, in_axes=(0, 0, 0, None, None)))
    X, y = jnp.asarray(X), jnp.asarray(y)

    def train():
        return jax.block_until_ready(run(params, rates, batches, X, y))

    return train
