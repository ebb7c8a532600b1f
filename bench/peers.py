"""One generator a rival: each value is the seconds of one whole, shuffled epoch.

Every peer gets the mode that favours it: data preloaded as its own tensors, no data loader, one call an epoch where
it can. Learning rates are those of `fastmlp`'s defaults; what is computed is the same.
"""

import time
from collections.abc import Iterator

import numpy as np

from .workloads import WORKLOADS, Workload, as_floats, data

RATES = {"adam": 0.001, "sgd": 0.01}


def fastmlp(name: str, engine: str) -> Iterator[float]:
    """fastmlp itself, or with engine `reference` the same in NumPy with its BLAS."""
    import fastmlp

    workload = WORKLOADS[name]
    X, y = data(workload)
    hidden = [fastmlp.Dense(units, "relu") for units in workload.layers[1:-1]]
    head = fastmlp.Dense(workload.layers[-1], "softmax" if workload.classes else "identity")
    model = fastmlp.Sequential([*hidden, head], optimizer=workload.optimizer)
    while True:
        start = time.perf_counter()
        model.fit(X, y, epochs=1, batch_size=workload.batch_size, engine=engine, verbose=0)
        yield time.perf_counter() - start


def pytorch(name: str, mode: str) -> Iterator[float]:
    """PyTorch: `eager`, `fused` (the fused Adam or SGD) or `compile` (torch.compile of the whole step)."""
    import torch

    torch.manual_seed(0)
    workload = WORKLOADS[name]
    X, y = data(workload)
    X, y = torch.from_numpy(as_floats(X)), torch.from_numpy(y)
    parts: list[torch.nn.Module] = []
    for inputs, units in zip(workload.layers[:-1], workload.layers[1:], strict=True):
        parts += [torch.nn.Linear(inputs, units), torch.nn.ReLU()]
    model = torch.nn.Sequential(*parts[:-1])
    loss_of = torch.nn.CrossEntropyLoss() if workload.classes else torch.nn.MSELoss()
    kind = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[workload.optimizer]
    optimizer = kind(model.parameters(), lr=RATES[workload.optimizer], fused=mode == "fused")

    def loss_and_gradient(inputs: torch.Tensor, targets: torch.Tensor) -> None:
        loss_of(model(inputs), targets).backward()

    step = torch.compile(loss_and_gradient) if mode == "compile" else loss_and_gradient
    while True:
        start = time.perf_counter()
        order = torch.randperm(len(X))
        for rows in order.split(workload.batch_size):
            optimizer.zero_grad(set_to_none=True)
            step(X[rows], y[rows])
            optimizer.step()
        yield time.perf_counter() - start


def jax(name: str) -> Iterator[float]:
    """JAX: the whole epoch in one `lax.scan`; the last, partial batch is left out, as scan wants equal ones."""
    import jax
    import jax.numpy as jnp

    workload = WORKLOADS[name]
    X, y = data(workload)
    X, y = jnp.asarray(as_floats(X)), jnp.asarray(y)
    keys = jax.random.split(jax.random.PRNGKey(0), len(workload.layers))
    sizes = zip(workload.layers[:-1], workload.layers[1:], strict=True)
    weights = [
        (jax.random.normal(key, size) * (2 / size[0]) ** 0.5, jnp.zeros(size[1]))
        for key, size in zip(keys, sizes, strict=False)
    ]

    def loss_of(weights, inputs, targets):
        for w, b in weights[:-1]:
            inputs = jax.nn.relu(inputs @ w + b)
        outputs = inputs @ weights[-1][0] + weights[-1][1]
        if workload.classes:
            return -jnp.take_along_axis(jax.nn.log_softmax(outputs), targets[:, None], 1).mean()
        return ((outputs - targets) ** 2).mean()

    epoch = jax.jit(_scanned_epoch(jax, jnp, workload, loss_of), donate_argnums=0)
    zeros = jax.tree.map(jnp.zeros_like, weights)
    state = (weights, zeros, jax.tree.map(jnp.copy, zeros), jnp.zeros(()))
    count, random = len(X) // workload.batch_size, np.random.default_rng(0)
    while True:
        start = time.perf_counter()
        order = random.permutation(len(X))[: count * workload.batch_size].reshape(count, -1)
        state = jax.block_until_ready(epoch(state, X, y, jnp.asarray(order)))
        yield time.perf_counter() - start


def _scanned_epoch(jax, jnp, workload: Workload, loss_of):
    """One epoch as a function of the state, the data and the rows of each batch."""

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


def scikit_learn(name: str) -> Iterator[float]:
    """scikit-learn's MLP: `partial_fit` is one epoch over the given, shuffled rows."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    workload = WORKLOADS[name]
    X, y = data(workload)
    X, random = as_floats(X), np.random.default_rng(0)
    kind = MLPClassifier if workload.classes else MLPRegressor
    model = kind(
        workload.layers[1:-1], batch_size=workload.batch_size, solver=workload.optimizer, alpha=0.0,
        learning_rate_init=RATES[workload.optimizer], momentum=0.0,
    )  # fmt: skip
    classes = {"classes": np.unique(y)} if workload.classes else {}
    while True:
        start = time.perf_counter()
        order = random.permutation(len(X))
        model.partial_fit(X[order], y[order], **classes)
        yield time.perf_counter() - start
