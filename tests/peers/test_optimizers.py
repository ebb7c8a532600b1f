"""Twenty steps of each optimizer give the peer's parameters: PyTorch's, or for Lion, which it lacks, Optax's."""

from contextlib import contextmanager
from functools import partial

import numpy as np
import pytest

from fastmlp import (
    L1L2,
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    AdamW,
    AMSGrad,
    Lion,
    Nadam,
    RMSprop,
    optimizers,
)
from tests.peers.twenty_steps import (
    STEPS,
    F,
    Row,
    build,
    difference,
    gradients,
    largest_difference,
    tensors_of,
    torch,
)

optim = torch.optim


def from_zero(optimizer):
    """PyTorch starts a dampened velocity at the first gradient; ours starts at 0, like all others."""
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
    return optimizer


# Ours, and PyTorch's of the same numbers, made from the weights and the biases.
OPTIMIZERS = {
    "sgd": (SGD(0.1), lambda p: optim.SGD(p, lr=0.1)),
    "momentum": (SGD(0.05, momentum=0.9), lambda p: optim.SGD(p, lr=0.05, momentum=0.9)),
    "moving average momentum": (
        SGD(0.5, momentum=0.9, dampening=0.9),
        lambda p: from_zero(optim.SGD(p, lr=0.5, momentum=0.9, dampening=0.9)),
    ),
    "nesterov": (
        SGD(0.05, momentum=0.9, nesterov=True),
        lambda p: optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True),
    ),
    "sgd, decay": (SGD(0.1, decay=0.1), lambda p: optim.SGD(p, lr=0.1), lambda step: 1 / (1 + 0.1 * step)),
    "adagrad": (Adagrad(1e-4, epsilon=1e-7), lambda p: optim.Adagrad(p, lr=1e-4, eps=1e-7)),
    "adagrad, decay": (
        Adagrad(1e-4, epsilon=1e-7, decay=0.2),
        lambda p: optim.Adagrad(p, lr=1e-4, eps=1e-7, lr_decay=0.2),
    ),
    "adadelta": (
        Adadelta(1.0, rho=0.9, epsilon=1e-6),
        lambda p: optim.Adadelta(p, lr=1.0, rho=0.9, eps=1e-6),
    ),
    "rmsprop": (
        RMSprop(0.001, rho=0.9, epsilon=1e-7),
        lambda p: optim.RMSprop(p, lr=0.001, alpha=0.9, eps=1e-7),
    ),
    "rmsprop, momentum": (
        RMSprop(1e-4, rho=0.9, epsilon=1e-7, momentum=0.8),
        lambda p: optim.RMSprop(p, lr=1e-4, alpha=0.9, eps=1e-7, momentum=0.8),
    ),
    "rmsprop, centered": (
        RMSprop(1e-4, rho=0.9, epsilon=1e-7, centered=True),
        lambda p: optim.RMSprop(p, lr=1e-4, alpha=0.9, eps=1e-7, centered=True),
    ),
    "rmsprop, centered, momentum": (
        RMSprop(1e-4, rho=0.9, epsilon=1e-7, centered=True, momentum=0.8),
        lambda p: optim.RMSprop(p, lr=1e-4, alpha=0.9, eps=1e-7, centered=True, momentum=0.8),
    ),
    "adam": (Adam(0.001), lambda p: optim.Adam(p, lr=0.001)),
    "adam, other numbers": (
        Adam(0.0005, beta1=0.8, beta2=0.99, epsilon=1e-6),
        lambda p: optim.Adam(p, lr=0.0005, betas=(0.8, 0.99), eps=1e-6),
    ),
    "adamw": (
        AdamW(0.001, weight_decay=0.1),
        lambda p: optim.AdamW(p, lr=0.001),
        None,
        {"weight_decay": 0.1},
    ),
    "amsgrad": (
        AMSGrad(0.001, weight_decay=0.1),
        lambda p: optim.AdamW(p, lr=0.001, amsgrad=True),
        None,
        {"weight_decay": 0.1},
    ),
    "nadam": (Nadam(0.001), lambda p: optim.NAdam(p, lr=0.001)),
    "nadam, weight decay": (
        Nadam(0.001, weight_decay=0.1),
        lambda p: optim.NAdam(p, lr=0.001, decoupled_weight_decay=True),
        None,
        {"weight_decay": 0.1},
    ),
    "sgd, weight decay": (
        SGD(0.1, weight_decay=0.1),
        lambda p: optim.SGD(p, lr=0.1),
        None,
        {"weight_decay": 0.1},
    ),
    "adam, weight decay": (
        Adam(0.001, weight_decay=0.1),
        lambda p: optim.Adam(p, lr=0.001),
        None,
        {"weight_decay": 0.1},
    ),
}

# What is done to PyTorch's gradients before a step.
CLIPS = {
    "clip by value": (SGD(0.1, clip_value=0.01), lambda p: torch.nn.utils.clip_grad_value_(p, 0.01)),
    "clip by norm": (SGD(0.1, clip_norm=0.05), lambda p: [clip(one, 0.05) for one in p]),
    "clip by global norm": (SGD(0.1, global_clip_norm=0.05), lambda p: clip(p, 0.05)),
}


def clip(parameters, largest):
    """As clip_grad_norm_, which adds 1e-6 to the norm."""
    parameters = [parameters] if isinstance(parameters, torch.Tensor) else parameters
    norm = torch.sqrt(sum((parameter.grad**2).sum() for parameter in parameters))
    for parameter in parameters:
        parameter.grad *= min(1.0, float(largest / norm))


@contextmanager
def default_dtype(dtype):
    """That of NAdam's product of momenta."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, dtype))
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def peer(model, make_optimizer, rate=None, for_weights=None, before_step=None, penalty=None):
    """PyTorch's parameters after 20 steps, and its optimizer."""
    tensors = tensors_of(model)
    weights = {"params": [tensors[0], tensors[2]], **(for_weights or {})}
    with default_dtype(model.dtype):
        optimizer = make_optimizer([weights, {"params": [tensors[1], tensors[3]], "weight_decay": 0.0}])
        schedule = rate and optim.lr_scheduler.LambdaLR(optimizer, rate)
        loss = F.cross_entropy if penalty is None else lambda z, t: F.cross_entropy(z, t) + penalty(tensors)
        for _ in gradients(tensors, loss):
            if before_step is not None:
                before_step(tensors)
            optimizer.step()
            if schedule is not None:
                schedule.step()
    return tensors, optimizer


def compare(name, dtype):
    ours, *theirs = OPTIMIZERS[name]
    model = build(dtype, optimizer=ours)
    expected, optimizer = peer(model, *theirs)
    # A gradient's error reaches a parameter times the learning rate and, with adaptive ones, over the root of the
    # mean square. The bound takes it for no larger than that of a number of size 1: true where the learning rate is
    # below these roots.
    for state in optimizer.state.values():
        for slot in {"square_avg", "exp_avg_sq", "sum"} & state.keys() if "acc_delta" not in state else ():
            correction = 1 - 0.99**STEPS if slot == "exp_avg_sq" else 1.0
            square = state[slot] - state["grad_avg"] ** 2 if "grad_avg" in state else state[slot]
            assert (square / correction).sqrt().min() > ours.learning_rate
    return largest_difference(model, expected)


def compare_clipping(name, dtype):
    ours, before_step = CLIPS[name]
    model = build(dtype, optimizer=ours)
    expected, _ = peer(model, lambda p: optim.SGD(p, lr=0.1), before_step=before_step)
    unclipped, _ = peer(model, lambda p: optim.SGD(p, lr=0.1))
    assert (expected[0] - unclipped[0]).abs().max() > 0.01
    return largest_difference(model, expected)


def compare_penalties(dtype):
    model = build(dtype, optimizer=SGD(0.1), regularizer=L1L2(0.01, 0.02))

    def penalty(tensors):
        return sum(0.01 * w.abs().sum() + 0.02 * (w**2).sum() for w in (tensors[0], tensors[2]))

    expected, _ = peer(model, lambda p: optim.SGD(p, lr=0.1), penalty=penalty)
    return largest_difference(model, expected)


def compare_lion(dtype):
    """Optax has Lion; gradients come from PyTorch."""
    optax, jax = pytest.importorskip("optax"), pytest.importorskip("jax")
    with jax.enable_x64(dtype == "float64"):
        lion = optax.lion(0.001, b1=0.8, b2=0.95, weight_decay=0.1, mask=[True, False, True, False])
        model = build(dtype, optimizer=Lion(0.001, beta1=0.8, beta2=0.95, weight_decay=0.1))
        tensors = tensors_of(model)
        state = lion.init([tensor.detach().numpy() for tensor in tensors])
        for _ in gradients(tensors):
            values = [tensor.detach().numpy() for tensor in tensors]
            updates, state = lion.update([tensor.grad.numpy() for tensor in tensors], state, values)
            for tensor, step in zip(tensors, updates, strict=True):
                tensor.data += torch.tensor(np.asarray(step))
    return largest_difference(model, tensors)


def compare_average_and_max_norm(dtype):
    """By hand, as PyTorch has neither as a part of an optimizer: after each step the norm, then the average."""
    model = build(dtype, optimizer=SGD(0.5, ema_momentum=0.8), max_norm=0.5)
    tensors = tensors_of(model)
    means = [tensor.detach().clone() for tensor in tensors]
    for _ in gradients(tensors):
        for tensor, mean in zip(tensors, means, strict=True):
            tensor.data -= 0.5 * tensor.grad
            if tensor.ndim == 2:
                tensor.data *= 0.5 / torch.clamp(torch.linalg.norm(tensor, dim=0), min=0.5)
            mean *= 0.8
            mean += 0.2 * tensor.data
    of_parameters = largest_difference(model, tensors)
    free = build(dtype, optimizer=SGD(0.5))
    largest_difference(free, peer(build(dtype), lambda p: optim.SGD(p, lr=0.5))[0])
    for layer, other in zip(model.layers, free.layers, strict=True):
        assert np.linalg.norm(layer.weight, axis=0).max() <= 0.5 * (1 + 1e-6)
        assert np.linalg.norm(other.weight, axis=0).max() > 0.6
    with model.averaged():
        averages = [array.copy() for layer in model.layers for array in layer.parameters.values()]
    return max(of_parameters, difference(averages, means))


def rows(peer, compare, names):
    return {name: Row(peer, partial(compare, name)) for name in names}


CLIPPING = rows("PyTorch", compare_clipping, CLIPS)
OTHERS = {
    "penalties l1, l2": Row("PyTorch", compare_penalties),
    "moving average, max norm": Row("by hand", compare_average_and_max_norm),
    "lion": Row("Optax", compare_lion),
}
ROWS = rows("PyTorch", compare, OPTIMIZERS) | CLIPPING | OTHERS


def test_every_optimizer_is_compared():
    assert {ours.name for ours, *_ in OPTIMIZERS.values()} | {Lion.name} == optimizers._CLASSES.keys()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_pytorch(name, dtype):
    ROWS[name].largest_difference(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CLIPPING)
def test_clipping(name, dtype):
    CLIPPING[name].largest_difference(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", OTHERS)
def test_others(name, dtype):
    OTHERS[name].largest_difference(dtype)
