"""Small networks, lowered, with an arena each, for tests of the program."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from fastmlp.engine.buffers import aligned_zeros
from fastmlp.engine.execution import NO_EVALUATION
from fastmlp.engine.lowering import Lowering
from fastmlp.kernels import reference, schema, tables
from fastmlp.kernels.program.operation_code import link
from fastmlp.kernels.schema import Data, State, Update

SEED = np.uint64(7)


def build(
    parts, *, features, rows, dtype, loss=None, training=None, materialised=True, team=1, seed=0, sparse=False,
    mixed=False, **rules,
):  # fmt: skip
    """The plan of a network (pairs of a name and its argument), and arenas with random weights; a loss is to train.

    The rules are those of all dense layers: l1, l2, max_norm.
    """
    training = loss is not None if training is None else training
    lowering = Lowering(rows, np.dtype(dtype), training=training, sparse_input=sparse, mixed=mixed)
    lowering.input((1, features))
    for lowering.layer, (name, argument) in enumerate(parts):
        if name == "dense":
            lowering.dense(argument, **rules)
        elif name in ("dropout", "noise", "row_norm"):
            getattr(lowering, name)(argument)
        elif name == "scale":
            lowering.scale(keeps_zeros=argument)
        elif name == "batch_norm":
            lowering.batch_norm(argument, 0.9)
        elif name == "affine":
            lowering.affine()
        else:
            lowering.activation(name, argument)
    if loss is not None:
        lowering.loss(loss, 0.5)
    plan = lowering.finish([])
    link(plan.operations, np.dtype(dtype))
    zeros = lambda size: aligned_zeros(size, np.dtype(dtype))  # noqa: E731
    params = zeros(plan.parameters)
    widest = max(int(op["ldw"]) for op in plan.operations)
    state = State(
        params=params,
        gradients=zeros(params.size if materialised else 0),
        slots=zeros(3 * params.size),
        workspace=zeros(plan.workspace),
        scratch=zeros(team * schema.UPDATE_ROWS * widest),
        losses=zeros(rows),
        scores=zeros(rows),
        labels=aligned_zeros(rows, np.dtype(np.int64)),
    )
    random = np.random.default_rng(seed)
    for op in dense(plan.operations):
        weights = weights_of(op, params)
        weights[:] = random.standard_normal(weights.shape) / np.sqrt(op["fan_in"])
    for op in plan.operations[plan.operations["constants"] >= 0]:
        rows = reference.arenas.matrix(params, op["constants"], int(op["ldx"]), 2, int(op["fan_in"]))
        rows[:] = random.random(rows.shape) + 0.5
    if (centers := int(plan.operations[0]["centers"])) >= 0:
        start = centers * params.itemsize // 8
        params.view(np.float64)[start : start + features] = random.random(features) + 0.5
    return plan.operations, state


def dense(operations):
    """The operations that have weights."""
    return [op for op in operations if op["weights"] >= 0]


def weights_of(op, arena):
    """The weights, with the bias as the last row."""
    return reference.arenas.matrix(arena, op["weights"], int(op["ldw"]), int(op["depth"]), int(op["fan_out"]))


def padding(op, arena):
    """What follows the weights in each of their rows."""
    ldw, columns = int(op["ldw"]), int(op["fan_out"])
    return reference.arenas.matrix(arena, op["weights"] + columns, ldw, int(op["depth"]), ldw - columns)


def copy(state):
    """The same numbers in other arenas."""
    copies = [aligned_zeros(array.size, array.dtype) for array in state]
    for target, source in zip(copies, state, strict=True):
        target[:] = source
    return State(*copies)


def data(samples, features, outputs, dtype, seed=0, kind=schema.SINGLE):
    """Random samples with a class and with target values each."""
    random = np.random.default_rng(seed)
    if kind == schema.BYTES:
        inputs = random.integers(0, 256, (samples, features), np.uint8)
    else:
        inputs = random.standard_normal((samples, features)).astype(schema.ITEM_TYPES[kind])
    return Data(
        inputs=inputs.view(np.uint8).reshape(-1),
        kind=kind,
        starts=np.zeros(0, np.int64),
        columns=np.zeros(0, np.int32),
        labels=random.integers(0, outputs, samples),
        targets=random.random(samples * outputs).astype(dtype),
        weights=np.zeros(0, dtype),
        order=random.permutation(samples),
    )


def csr(data, features):
    """The same samples in CSR form."""
    rows = data.inputs.view(schema.ITEM_TYPES[data.kind]).reshape(-1, features)
    return data._replace(
        inputs=rows[rows != 0].view(np.uint8),
        starts=np.append(0, np.cumsum(np.count_nonzero(rows, axis=1))),
        columns=np.nonzero(rows)[1].astype(np.int32),
    )


def unlabelled(X, targets):
    """Given samples of single precision with target values, in their order."""
    empty, order = np.zeros(0, np.int64), np.arange(len(X))
    inputs = X.reshape(-1).view(np.uint8)
    return Data(
        inputs, schema.SINGLE, empty, np.zeros(0, np.int32), empty, targets, np.zeros(0, targets.dtype), order
    )


_HYPER = {
    "rate": 0.01, "momentum": 0.9, "rho": 0.9, "one_minus_rho": 0.1, "one_minus_dampening": 0.1, "beta1": 0.9,
    "one_minus_beta1": 0.1, "beta2": 0.99, "one_minus_beta2": 0.01, "correction": 1.5, "epsilon": 0.01, "decay": 0.003,
    "rate_g": 0.02,
}  # fmt: skip


def hyper(optimizer, dtype, steps=1):
    """The numbers of some steps, row after row."""
    return np.array([_HYPER[name] for name in optimizer.columns] * steps, dtype)


NO_RULES = {schema.CLIP_VALUE: np.inf, schema.CLIP_NORM: np.inf, schema.GLOBAL_CLIP_NORM: np.inf}


def update(program, code, dtype, steps=1, rules=None, averages=None, weight_rows=0):
    """How gradients become steps, for an engine; rules by their place."""
    words, numbers = program.prepared(code, np.dtype(dtype)), np.zeros(schema.UPDATE_RULES)
    given = NO_RULES | (rules or {})
    for place, number in given.items():
        numbers[place] = number
    changes = {place for place in given if given[place] != NO_RULES.get(place)} - {schema.AVERAGE}
    words[schema.CLIPS] = bool(changes)
    words[schema.NORMS] = bool(changes & {schema.CLIP_NORM, schema.GLOBAL_CLIP_NORM})
    sums, none = np.zeros(schema.SUMS * weight_rows, dtype), np.zeros(0, dtype)
    averages = none if averages is None else averages
    return Update(words, hyper(tables.OPTIMIZERS[code], dtype, steps), numbers, sums, averages)


def epochs(dtype, count=1, *, shuffled=(), before=0, best=0, rule=None):
    """What `train` keeps from epoch to epoch; a rule is words by their place."""
    words, progress = np.zeros(schema.RULE_WORDS), np.zeros(schema.PROGRESS_WORDS)
    words[schema.RULE_QUANTITY], progress[schema.BEST] = -1, -np.inf
    for place, number in (rule or {}).items():
        words[place] = number
    arenas = (np.zeros(size, dtype) for size in (before, best))
    return schema.Epochs(
        np.array(shuffled, np.int64), *arenas, np.zeros(count * schema.RECORD), words, progress
    )


def train(
    program, plan, state, samples, *, batch, optimizer, rules=None, averages=None, draw=0, team=1, kept=None,
    validation=None,
):  # fmt: skip
    """Some epochs, one by default, on a team of threads; what was kept of them, and the shared words."""
    control = np.zeros(schema.CONTROL_WORDS, np.int64)
    kept = epochs(state.params.dtype) if kept is None else kept
    steps = -(-samples.order.size // batch) * (kept.records.size // schema.RECORD)
    weight_rows = sum(int(op["fan_in"]) + 1 for op in dense(plan))
    how = update(program, optimizer, state.params.dtype, steps, rules, averages, weight_rows)
    validation = NO_EVALUATION[state.params.dtype] if validation is None else validation
    shared = (plan, state, samples, batch, how, kept, validation, SEED, draw, steps, control)
    with ThreadPoolExecutor(team) as pool:
        for done in [pool.submit(program.train, *shared, rank, team) for rank in range(team)]:
            done.result()
    return kept, control
