"""PyTorch on its own tensors, without a data loader."""

from collections.abc import Callable
from itertools import cycle

import numpy as np
import torch

from ..workloads import Workload, as_floats, data, initial_weights, sample_weights
from . import RATES, WEIGHT_DECAY, Run, repeated


def _limit_threads(mode: str) -> None:
    if mode == "one thread":
        torch.set_num_threads(1)


def _network(workload: Workload) -> torch.nn.Sequential:
    """The network up to its logits, with the initial weights."""
    parts: list[torch.nn.Module] = []
    *hidden, last = initial_weights(workload)
    for weight, bias in hidden:
        parts += [_linear(weight, bias), torch.nn.ReLU()]
        parts += [torch.nn.Dropout(workload.dropout)] if workload.dropout else []
    return torch.nn.Sequential(*parts, _linear(*last))


def _linear(weight: np.ndarray, bias: np.ndarray) -> torch.nn.Linear:
    linear = torch.nn.Linear(*weight.shape)
    linear.weight.data = torch.from_numpy(weight.T.copy())
    linear.bias.data = torch.from_numpy(bias)
    return linear


def _optimizer(workload: Workload, model: torch.nn.Module, fused: bool) -> torch.optim.Optimizer:
    options = {"lr": RATES[workload.optimizer], "fused": fused}
    if workload.optimizer == "sgd":
        return torch.optim.SGD(model.parameters(), **options)
    if workload.optimizer == "adam":
        return torch.optim.Adam(model.parameters(), **options)
    groups = [
        {"params": [p for p in model.parameters() if p.ndim == dimensions], "weight_decay": decay}
        for dimensions, decay in ((2, WEIGHT_DECAY), (1, 0.0))
    ]
    return torch.optim.AdamW(groups, **options)


def _loss_of(workload: Workload) -> Callable[..., torch.Tensor]:
    """The loss of a batch from its outputs, its targets and, if there are any, its weights."""
    reduction = "none" if workload.weighted else "mean"
    if workload.classes:
        loss = torch.nn.CrossEntropyLoss(reduction=reduction)
    else:
        kind = torch.nn.HuberLoss if workload.loss == "huber" else torch.nn.MSELoss
        loss = kind(reduction=reduction)
    if not workload.weighted:
        return loss
    return lambda outputs, targets, weights: (loss(outputs, targets).mean(dim=1) * weights).mean()


def train(workload: Workload, mode: str) -> Run:
    """Mode: `eager`; `fused`, the optimizer as one kernel; `one thread`, fused on one thread; `compile`, fused with
    torch.compile of loss and gradient; `autocast`, fused with products of bfloat16; `bfloat16`, fused with samples and
    parameters of bfloat16."""
    if mode in {"autocast", "bfloat16"} and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        raise NotImplementedError(
            "on this CPU its products of bfloat16 numbers are slower than those of float32"
        )
    torch.manual_seed(0)
    _limit_threads(mode)
    model, loss_of, weights = _network(workload), _loss_of(workload), sample_weights(workload)
    tensors = [as_floats(data(workload)[0]), data(workload)[1], *([] if weights is None else [weights])]
    X, *others = map(torch.from_numpy, tensors)
    if mode == "bfloat16":
        model, X = model.bfloat16(), X.bfloat16()
    optimizer = _optimizer(workload, model, fused=mode != "eager")

    def loss_and_gradient(inputs: torch.Tensor, *others: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=mode == "autocast"):
            loss = loss_of(model(inputs), *others)
        loss.backward()
        return loss

    step = torch.compile(loss_and_gradient) if mode == "compile" else loss_and_gradient

    def epoch() -> torch.Tensor:
        for rows in torch.randperm(len(X)).split(workload.batch_size):
            optimizer.zero_grad(set_to_none=True)
            loss = step(X[rows], *(tensor[rows] for tensor in others))
            optimizer.step()
        return loss.detach()

    return repeated(epoch)


def predict(workload: Workload, mode: str) -> Run:
    """Mode: `eager`; `one thread`, eager on one thread; `trace`, frozen and optimized for inference; `compile`."""
    _limit_threads(mode)
    model = _network(workload)
    if workload.classes:
        model.append(torch.nn.Softmax(dim=-1))
    model.eval()
    rows = torch.from_numpy(as_floats(data(workload)[0])).split(workload.batch_size)
    if mode == "trace":
        model = torch.jit.optimize_for_inference(torch.jit.trace(model, rows[0]))
    elif mode == "compile":
        model = torch.compile(model)
    batch = cycle(rows).__next__

    @torch.inference_mode()
    def run() -> torch.Tensor:
        return model(batch())

    return repeated(run)
