"""JAX: a whole epoch in one `lax.scan`, a prediction in one jitted call; data and weights on its device."""

from itertools import cycle

import jax
import jax.numpy as jnp
import numpy as np

from ..workloads import Workload, as_floats, data, initial_weights
from . import RATES, Run, repeated


def _logits(weights, inputs):
    for w, b in weights[:-1]:
        inputs = jax.nn.relu(inputs @ w + b)
    return inputs @ weights[-1][0] + weights[-1][1]


def train(workload: Workload, mode: str) -> Run:
    """The last, partial batch is left out, because scan needs equal batches; this is in JAX's favour."""
    X, y = data(workload)
    X, y = jnp.asarray(as_floats(X)), jnp.asarray(y)
    epoch = jax.jit(_epoch(workload), donate_argnums=0)
    weights = jax.tree.map(jnp.asarray, initial_weights(workload))
    zeros = jax.tree.map(jnp.zeros_like, weights)
    state = (weights, zeros, jax.tree.map(jnp.copy, zeros), jnp.zeros(()))
    count, random = len(X) // workload.batch_size, np.random.default_rng(0)

    def run(times: int) -> None:
        nonlocal state
        for _ in range(times):  # the next order is drawn while the epoch runs
            order = random.permutation(len(X))[: count * workload.batch_size].reshape(count, -1)
            state = epoch(state, X, y, jnp.asarray(order))
        jax.block_until_ready(state)

    return run


def _epoch(workload: Workload):
    """One epoch as a function of the state, the data and the rows of each batch."""

    def loss_of(weights, inputs, targets):
        outputs = _logits(weights, inputs)
        if workload.classes:
            return -jnp.take_along_axis(jax.nn.log_softmax(outputs), targets[:, None], 1).mean()
        return ((outputs - targets) ** 2).mean()

    def adam(state, gradient):
        weights, mean, square, t = state
        t = t + 1
        mean = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, mean, gradient)
        square = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, square, gradient)
        rate, root = RATES["adam"] / (1 - 0.9**t), 1 / jnp.sqrt(1 - 0.999**t)
        weights = jax.tree.map(
            lambda w, m, v: w - rate * m / (jnp.sqrt(v) * root + 1e-8), weights, mean, square
        )
        return weights, mean, square, t

    def sgd(state, gradient):
        return jax.tree.map(lambda w, g: w - RATES["sgd"] * g, state[0], gradient), *state[1:]

    update = {"adam": adam, "sgd": sgd}[workload.optimizer]

    def epoch(state, X, y, order):
        def step(state, rows):
            return update(state, jax.grad(loss_of)(state[0], X[rows], y[rows])), None

        return jax.lax.scan(step, state, order)[0]

    return epoch


def predict(workload: Workload, mode: str) -> Run:
    """The rows are on the device already; the outputs stay there."""
    weights = jax.tree.map(jnp.asarray, initial_weights(workload))

    @jax.jit
    def network(weights, inputs):
        outputs = _logits(weights, inputs)
        return jax.nn.softmax(outputs) if workload.classes else outputs

    X = as_floats(data(workload)[0])
    batch = cycle([jnp.asarray(rows) for rows in np.split(X, len(X) // workload.batch_size)]).__next__
    return repeated(lambda: network(weights, batch()).block_until_ready())
