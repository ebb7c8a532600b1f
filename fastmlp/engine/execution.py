"""Runs of the program over a data set that do not train, by a team of threads: evaluation and prediction."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ..inputs.samples import Samples
from ..inputs.subsets import Subset
from ..kernels import schema
from ..losses import Formula
from . import team
from .network import PRECISIONS, Network, one_at_a_time
from .plan import Plan
from .run_arguments import data_of, prepare, program_of, team_rows, team_size, work


@one_at_a_time
def evaluate(network: Network, subset: Subset, *, threads: int | None, engine: str) -> tuple[float, float]:
    """Mean loss and mean score of these samples."""
    amount = work(network, subset.rows.size, 1)
    size = team_size(engine, threads, amount)
    totals = np.zeros(2)
    data_set = evaluation_of(network, "evaluate", subset, size, engine)
    team.run(partial(program_of(engine).evaluate, totals, data_set), size, team.new_control(), amount=amount)
    loss, score = totals / subset.rows.size
    return float(loss), float(score)


def evaluation_of(
    network: Network, purpose: str, subset: Subset, threads: int, engine: str
) -> schema.Evaluation:
    """These samples as the program evaluates them, and room for the results, for a team of at most so many threads."""
    samples, targets, rows, _ = subset
    plan, state = _plan_over(network, purpose, targets.formula, rows.size, samples.sparse, threads, engine)
    return schema.Evaluation(
        losses=np.zeros(rows.size, network.dtype),
        scores=np.zeros(rows.size, network.dtype),
        plan=plan.operations,
        state=state,
        data=data_of(network.dtype, samples, targets, rows),
        chunk=state.losses.size // threads,
    )


def _nothing(dtype: np.dtype[Any]) -> schema.Evaluation:
    none = np.zeros(0, dtype)
    state = schema.State(none, none, none, none, none, none, none, np.zeros(0, np.int64))
    data = data_of(dtype, Samples(none, 0, (0,)), None, np.zeros(0, np.int64))
    return schema.Evaluation(none, none, np.zeros(0, schema.OPERATION), state, data, 1)


NO_EVALUATION = {each.dtype: _nothing(each.dtype) for each in PRECISIONS.values()}  # of no samples


@one_at_a_time
def predict(
    network: Network, samples: Samples, *, threads: int | None, engine: str, order: np.ndarray | None = None
) -> np.ndarray:
    """The outputs for the samples whose numbers are in `order`, shape (samples, outputs); without one, for all."""
    order = np.arange(samples.count) if order is None else order
    outputs = np.empty((order.size, network.outputs), network.dtype)
    amount = work(network, order.size, 1)
    size = team_size(engine, threads, amount)
    plan, state = _plan_over(network, "predict", None, order.size, samples.sparse, size, engine)
    data = data_of(network.dtype, samples, None, order)
    run = partial(program_of(engine).predict, outputs, plan.operations, state, data)
    team.run(run, size, team.new_control(), amount=amount)
    return outputs


def _plan_over(
    network: Network, purpose: str, loss: Formula | None, count: int, sparse: bool, threads: int, engine: str
) -> tuple[Plan, schema.State]:
    """The plan and the arenas of a run over `count` samples that does not train."""
    rows = team_rows(network.widths, network.dtype, threads) if engine == "kernels" else count
    return prepare(
        network,
        lambda: network.lowered(rows, loss=loss, sparse_input=sparse),
        purpose,
        (loss, rows, sparse),
        threads,
        engine=engine,
    )
