"""JAX: a whole epoch in one `lax.scan`, a prediction in one jitted call; data and weights on its device."""

from itertools import cycle

import jax
import jax.numpy as jnp
import numpy as np

from ..workloads import Workload, as_floats, data, initial_weights, sample_weights
from . import RATES, WEIGHT_DECAY, Run, repeated


def _logits(weights, inputs, dropped=(), dtype=jnp.float32):
    """The outputs before softmax; `dropped` has what each hidden value is multiplied by, if there is dropout.

    Products are of numbers of this type; their sums are float32.
    """

    def product(values, weight):
        return jnp.matmul(values.astype(dtype), weight.astype(dtype), preferred_element_type=jnp.float32)

    for number, (w, b) in enumerate(weights[:-1]):
        inputs = jax.nn.relu(product(inputs, w) + b)
        if dropped:
            inputs = inputs * dropped[number]
    return product(inputs, weights[-1][0]) + weights[-1][1]


def train(workload: Workload, mode: str) -> Run:
    """Mode: `bfloat16`, products of bfloat16 numbers.

    The last, partial batch is left out, because scan needs equal batches; this is in JAX's favour.
    """
    X, y = data(workload)
    X, others = jnp.asarray(as_floats(X)), [jnp.asarray(y)]
    if workload.weighted:
        others.append(jnp.asarray(sample_weights(workload)))
    epoch = jax.jit(_epoch(workload, jnp.bfloat16 if mode == "bfloat16" else jnp.float32), donate_argnums=0)
    weights = jax.tree.map(jnp.asarray, initial_weights(workload))
    zeros = jax.tree.map(jnp.zeros_like, weights)
    state = (
        weights,
        zeros,
        jax.tree.map(jnp.copy, zeros),
        jnp.zeros(()),
        jax.random.key(0),
    )
    count, random = len(X) // workload.batch_size, np.random.default_rng(0)

    def run(times: int) -> jax.Array:
        nonlocal state
        for _ in range(times):  # the next order is drawn while the epoch runs
            order = random.permutation(len(X))[: count * workload.batch_size].reshape(count, -1)
            state, loss = epoch(state, X, others, jnp.asarray(order))
        jax.block_until_ready(state)
        return loss

    return run


def _loss(workload: Workload, dtype):
    """The loss of a batch as a function of the weights, what is dropped, the samples and their targets and weights."""

    def losses(outputs, targets):
        if workload.classes:
            return -jnp.take_along_axis(jax.nn.log_softmax(outputs), targets[:, None], 1)
        errors = jnp.abs(outputs - targets)
        return jnp.where(errors <= 1, errors**2 / 2, errors - 0.5) if workload.loss == "huber" else errors**2

    def loss_of(weights, dropped, inputs, targets, *sample_weight):
        each = losses(_logits(weights, inputs, dropped, dtype), targets)
        return (each.mean(axis=1) * sample_weight[0]).mean() if sample_weight else each.mean()

    return loss_of


def _dropped(workload: Workload, key):
    """What the values behind each hidden layer are multiplied by in one step; none without dropout."""
    if not workload.dropout:
        return ()
    keep, widths = 1 - workload.dropout, workload.layers[1:-1]
    return [
        jax.random.bernoulli(one, keep, (workload.batch_size, width)) / np.float32(keep)
        for one, width in zip(jax.random.split(key, len(widths)), widths, strict=True)
    ]


def _adam(workload: Workload):
    """A step of Adam or AdamW."""
    kept = 1 - RATES[workload.optimizer] * WEIGHT_DECAY if workload.optimizer == "adamw" else 1.0

    def update(weights, mean, square, t, gradient):
        t = t + 1
        mean = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, mean, gradient)
        square = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, square, gradient)
        rate, root = RATES[workload.optimizer] / (1 - 0.9**t), 1 / jnp.sqrt(1 - 0.999**t)
        weights = jax.tree.map(
            lambda w, m, v: (kept * w if w.ndim == 2 else w) - rate * m / (jnp.sqrt(v) * root + 1e-8),
            weights, mean, square,
        )  # fmt: skip
        return weights, mean, square, t

    return update


def _sgd(workload: Workload):
    def update(weights, mean, square, t, gradient):
        return jax.tree.map(lambda w, g: w - RATES["sgd"] * g, weights, gradient), mean, square, t

    return update


def _epoch(workload: Workload, dtype):
    """One epoch as a function of the state, the data and the rows of each batch; the last loss."""
    loss_of = _loss(workload, dtype)
    update = (_sgd if workload.optimizer == "sgd" else _adam)(workload)

    def epoch(state, X, others, order):
        def step(state, rows):
            *parts, key = state
            key, used = jax.random.split(key)
            batch = (X[rows], *(array[rows] for array in others))
            loss, gradient = jax.value_and_grad(loss_of)(parts[0], _dropped(workload, used), *batch)
            return (*update(*parts, gradient), key), loss

        state, losses = jax.lax.scan(step, state, order)
        return state, losses[-1]

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
