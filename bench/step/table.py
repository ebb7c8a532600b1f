"""The table of a measured step, for the terminal and for the page."""

from html import escape
from typing import Any, NamedTuple

from fastmlp.kernels.program.phases import BACKWARD, EPOCH, FORWARD, GRADIENT, TRANSPOSE, UPDATE, WAIT

from .. import page
from ..page import Cell, number
from ..settings import Figures

HEAD = ["of the step", "GFLOP/s", "of the peak", "MB", "GB/s", "at least"]
MOST_RANKS = 4  # of which each has a column
LEAST_SHARE = 0.001  # of a step, below which a phase without work has no line of its own

_WORDS = {
    FORWARD: "forward", BACKWARD: "backward", GRADIENT: "gradient", UPDATE: "update", TRANSPOSE: "transpose",
    WAIT: "wait at barriers", EPOCH: "start and end of an epoch",
}  # fmt: skip
_OF_KINDS = {"input": "gather", "loss": "loss"}


class Group(NamedTuple):
    """A phase, and the operations that have it."""

    name: str
    rows: list[dict[str, Any]]


def _phase(row: dict[str, Any]) -> str:
    kind = row["name"].split()[0]
    return _OF_KINDS.get(kind, "forward") if row["phase"] == FORWARD else _WORDS[row["phase"]]


def groups(step: dict[str, Any]) -> list[Group]:
    """The phases in the order in which a step begins them; waiting and the epoch come last."""
    order = [
        "gather", "forward", "loss", "backward", "gradient", "update", "transpose", "wait at barriers",
        "start and end of an epoch",
    ]  # fmt: skip
    found = [Group(name, [row for row in step["rows"] if _phase(row) == name]) for name in order]
    return [group for group in found if group.rows]


def mean(row: dict[str, Any]) -> float:
    """Seconds of a step, the mean of all ranks."""
    return sum(row["seconds"]) / len(row["seconds"])


def total(step: dict[str, Any]) -> float:
    """Seconds of a step without the start and the end of an epoch, the mean of all ranks."""
    return sum(mean(row) for row in step["rows"] if row["phase"] != EPOCH)


def _shown(step: dict[str, Any], row: dict[str, Any]) -> bool:
    """Whether a row has work, or takes more than the time of a mark."""
    return row["traffic"] > 0 or mean(row) > LEAST_SHARE * total(step)


def _sum(rows: list[dict[str, Any]]) -> dict[str, Any]:
    sums = {name: sum(row[name] for row in rows) for name in ("flops", "traffic", "least")}
    return sums | {"seconds": [sum(times) for times in zip(*(row["seconds"] for row in rows), strict=True)]}


def head(step: dict[str, Any]) -> list[str]:
    """The names of the columns; times are milliseconds of a step."""
    ranks = len(step["rows"][0]["seconds"])
    names = [f"rank {rank}" for rank in range(ranks)] if ranks <= MOST_RANKS else ["least rank", "most"]
    return ["phase", "operation", *(f"{name}, ms" for name in names), *HEAD[:-1], "at least, ms"]


def _cells(step: dict[str, Any], row: dict[str, Any], phase: str, operation: str) -> list[str]:
    seconds, spent = row["seconds"], mean(row)
    shown = seconds if len(seconds) <= MOST_RANKS else [min(seconds), max(seconds)]
    speed = row["flops"] / spent if spent else 0.0
    works = row["traffic"] > 0
    return [
        phase,
        operation,
        *(f"{1e3 * each:.3f}" for each in shown),
        f"{spent / total(step):.1%}",
        f"{speed / 1e9:.1f}" if row["flops"] else "",
        f"{speed / step['peaks']['arithmetic']:.0%}" if row["flops"] else "",
        f"{row['traffic'] / 1e6:.2f}" if works else "",
        f"{row['traffic'] / spent / 1e9:.1f}" if works and spent else "",
        f"{1e3 * row['least']:.3f}" if works else "",
    ]


def _operation(row: dict[str, Any]) -> str:
    inputs, outputs = row["shape"]
    size = f"{inputs} x {outputs}" if row["name"] in ("dense", "sparse", "mixed") else f"{outputs or inputs}"
    return f"{row['operation']} {row['name']} {size}"


def cells(step: dict[str, Any]) -> list[list[str]]:
    """The lines of the table: of each phase its sum, then, if it has several, its operations; then the whole step."""
    lines = []
    for group in groups(step):
        one, is_epoch = len(group.rows) == 1, group.rows[0]["phase"] == EPOCH
        name = _operation(group.rows[0]) if one and not is_epoch else ""
        lines.append(_cells(step, _sum(group.rows), group.name, name))
        if not one and not is_epoch:
            lines += [_cells(step, row, "", _operation(row)) for row in group.rows if _shown(step, row)]
    step_rows = [row for row in step["rows"] if row["phase"] != EPOCH]
    return [*lines, _cells(step, _sum(step_rows), "the whole step", "")]


def words(step: dict[str, Any]) -> list[str]:
    """The whole step in words: its speed, its share of the peak, and what explains the rest."""
    inside = [row for row in step["rows"] if row["phase"] != EPOCH]
    parts = {
        "products": [row for row in inside if row["flops"]],
        "all else": [row for row in inside if not row["flops"] and row["phase"] != WAIT],
        "waiting": [row for row in inside if row["phase"] == WAIT],
    }
    spent = {name: sum(map(mean, rows)) for name, rows in parts.items()}
    whole, peak = total(step), step["peaks"]["arithmetic"]
    flops = sum(row["flops"] for row in parts["products"])
    at_peak = flops / peak
    least = sum(row["least"] for row in parts["all else"])
    run = step["run"]
    return [
        f"{step['batch'] / whole:,.0f} samples/s, {flops / whole / 1e9:.1f} GFLOP/s: {at_peak / whole:.1%} of the peak "
        f"of {peak / 1e9:.1f} GFLOP/s on {step['threads']} thread(s).",
        f"Of the {1e3 * whole:.3f} ms of a step, the products take {1e3 * spent['products']:.3f} ms, and "
        f"{1e3 * at_peak:.3f} ms at the peak; all else takes {1e3 * spent['all else']:.3f} ms, and at least "
        f"{1e3 * least:.3f} ms; the ranks wait {1e3 * spent['waiting']:.3f} ms.",
        f"So {(spent['products'] - at_peak) / whole:.1%} of the step is products below the peak, "
        f"{spent['all else'] / whole:.1%} other work, {spent['waiting'] / whole:.1%} waiting. "
        f"Measuring makes a step {step['slowdown'] - 1:+.1%} longer.",
        f"Fastest round: {run['steps']} steps in {run['seconds']:.3f} s; median of all: {run['median']:.3f} s.",
    ]


def section(figures: Figures) -> str:
    """The section of the page."""
    parts = []
    for name, step in figures.get("step", {}).items():
        rows = [[_name(phase, operation), *map(number, others)] for phase, operation, *others in cells(step)]
        parts += [
            f"<h3>{escape(name)}: {escape(step['title'])}</h3>",
            page.table(["phase, operation", *head(step)[2:]], rows),
        ]
        parts += [f"<p>{escape(line)}</p>" for line in words(step)]
    note = (
        "The program in training, each phase timed in place by the cycle counter: milliseconds of a step on each rank, "
        "the operations and the bytes that the plan asks for, and the least time that this machine needs for them, at "
        "the peaks measured in the same minute."
    )
    return page.section("Where the time of a step goes", note, *parts) if parts else ""


def _name(phase: str, operation: str) -> Cell:
    name = f"<b>{escape(phase)}</b> {escape(operation)}" if phase else f"   {escape(operation)}"
    return Cell(name.replace(" ", "&nbsp;"))
