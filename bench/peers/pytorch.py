"""PyTorch on its own tensors, without a data loader."""

from itertools import cycle

import torch

from ..workloads import Workload, as_floats, data, initial_weights
from . import RATES, Run, repeated


def _limit_threads(mode: str) -> None:
    if mode == "one thread":
        torch.set_num_threads(1)


def _network(workload: Workload) -> torch.nn.Sequential:
    """The network up to its logits, with the initial weights."""
    parts: list[torch.nn.Module] = []
    for weight, bias in initial_weights(workload):
        linear = torch.nn.Linear(*weight.shape)
        linear.weight.data = torch.from_numpy(weight.T.copy())
        linear.bias.data = torch.from_numpy(bias)
        parts += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*parts[:-1])


def train(workload: Workload, mode: str) -> Run:
    """Mode: `eager`; `fused`, the optimizer as one kernel; `one thread`, fused on one thread; `compile`, fused with
    torch.compile of loss and gradient."""
    torch.manual_seed(0)
    _limit_threads(mode)
    X, y = data(workload)
    X, y = torch.from_numpy(as_floats(X)), torch.from_numpy(y)
    model = _network(workload)
    loss_of = torch.nn.CrossEntropyLoss() if workload.classes else torch.nn.MSELoss()
    kind = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[workload.optimizer]
    optimizer = kind(model.parameters(), lr=RATES[workload.optimizer], fused=mode != "eager")

    def loss_and_gradient(inputs: torch.Tensor, targets: torch.Tensor) -> None:
        loss_of(model(inputs), targets).backward()

    step = torch.compile(loss_and_gradient) if mode == "compile" else loss_and_gradient

    def epoch() -> None:
        for rows in torch.randperm(len(X)).split(workload.batch_size):
            optimizer.zero_grad(set_to_none=True)
            step(X[rows], y[rows])
            optimizer.step()

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
