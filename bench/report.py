"""The report of a run: one HTML file with everything in it, and lines for the terminal."""

import base64
from html import escape
from pathlib import Path
from statistics import median
from typing import NamedTuple

from . import plots
from .goals import Outcome, best_modes, outcomes
from .peers import OURS, PEERS
from .readme import speed, table
from .rivals import ratio
from .settings import Figures
from .shares import Share, shares

CSS = Path(__file__).with_name("page.css")
BUSY = 0.5  # load above which figures are not to be trusted


def as_text(figures: Figures) -> str:
    """For the terminal: the table of the race, goals and checks with pass or fail, and what could not be measured."""
    lines = [table(figures["race"])] if figures["race"] else []
    for goal in outcomes(figures["race"]):
        reached = f"{goal.best.ratio:.2f}x of {goal.best.peer}" if goal.best else "not measured"
        lines.append(f"{_verdict(goal.met)}  {goal.workload}: {reached}, goal {goal.goal:g}x {goal.library}")
    for check in checks_of(figures):
        lines.append(f"{_verdict(check['met'])}  {check['name']}: {check['reached']}; goal: {check['goal']}")
    lines += [f"failed  {where}, {who}: {why}" for where, who, why in figures["failures"]]
    return "\n".join(lines)


def _verdict(met: bool) -> str:
    return "PASS" if met else "FAIL"


def checks_of(figures: Figures) -> list[dict]:
    """All checks, the accuracy included."""
    checks = list(figures.get("checks", []))
    if run := figures.get("accuracy"):
        reached = run["accuracy"][-1]
        checks.append(
            {"name": f"test accuracy on {run['data']}: {run['title']}", "goal": f"at least {run['goal']:.0%} on MNIST",
             "reached": f"{reached:.2%} after {len(run['accuracy'])} epochs in {run['seconds']:.1f} s",
             "met": run["data"] == "MNIST" and reached >= run["goal"]}
        )  # fmt: skip
    return checks


class Cell(NamedTuple):
    """Of a table: HTML, and its class."""

    html: str
    kind: str = ""


def _text(words: object) -> Cell:
    return Cell(escape(str(words)))


def _number(words: object, kind: str = "") -> Cell:
    return Cell(escape(str(words)), f"number {kind}")


def _met(met: bool, measured: bool = True) -> Cell:
    if not measured:
        return Cell("&ndash; not measured", "open")
    return Cell("&#10003; met", "met") if met else Cell("&#10007; not met", "missed")


def _table(head: list[str], rows: list[list[Cell]]) -> str:
    """Columns of numbers are set to the right, head and all."""
    sides = ["number" if rows and "number" in rows[0][column].kind else "" for column in range(len(head))]
    top = "".join(f'<th class="{side}">{escape(name)}</th>' for name, side in zip(head, sides, strict=True))
    body = "".join(
        "<tr>" + "".join(f'<td class="{cell.kind}">{cell.html}</td>' for cell in row) + "</tr>\n"
        for row in rows
    )
    return f'<div class="scroll"><table><tr>{top}</tr>\n{body}</table></div>'


def _picture(words: str, draw, *arguments) -> str:
    data = base64.b64encode(plots.styled(draw, *arguments).encode()).decode()
    return f'<img alt="{escape(words)}" src="data:image/svg+xml;base64,{data}">'


def _section(title: str, note: str, *parts: str) -> str:
    return f'<h2>{escape(title)}</h2>\n<p class="note">{escape(note)}</p>\n' + "\n".join(parts)


def as_html(figures: Figures) -> str:
    """The whole page; what was not measured is left out, and what failed is named."""
    facts = figures["facts"]
    sections = [
        section(figures)
        for section in (_race, _goals, _sweeps, _kernels, _epochs, _accuracy, _facts, _failures)
    ]
    caution = " This was a quick run: a look, no result." if figures["quick"] else ""
    if float(facts["load before the run"]) > BUSY:
        caution += (
            " The machine was busy with something else: threads that wait for each other then wait long."
        )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>fastmlp: benchmarks</title><style>
{CSS.read_text(encoding="utf-8")}</style></head><body>
<h1>fastmlp: benchmarks</h1>
<p class="lead">{escape(facts["date"])}, {escape(facts["CPU"])}, {escape(facts["fastmlp"])}.<b>{caution}</b></p>
{_cards(figures)}
{"".join(section for section in sections if section)}
</body></html>
"""


def _cards(figures: Figures) -> str:
    """The outcome in a few numbers."""
    goals, checks = outcomes(figures["race"]), checks_of(figures)
    cards = []
    if goals:
        cards.append((f"{sum(goal.met for goal in goals)} of {len(goals)}", "speed goals met"))
    if checks:
        cards.append((f"{sum(check['met'] for check in checks)} of {len(checks)}", "checks passed"))
    best = [mode for entry in figures["race"].values() for mode in best_modes(entry["seconds"]).values()]
    if best:
        low, high = (pick(best, key=lambda mode: mode.ratio) for pick in (min, max))
        cards.append((f"{low.ratio:.2f}x to {high.ratio:.1f}x", "as fast as the best mode of each peer"))
    boxes = "".join(f'<div class="card"><b>{escape(a)}</b><span>{escape(b)}</span></div>' for a, b in cards)
    return f'<div class="cards">{boxes}</div>'


def _race(figures: Figures) -> str:
    race = figures["race"]
    if not race:
        return ""
    best = {name: best_modes(entry["seconds"]) for name, entry in race.items()}
    libraries = [
        name for name in dict.fromkeys(p.library for p in PEERS) if any(name in b for b in best.values())
    ]
    rows = [
        [Cell(f"{escape(name)}<small>{escape(entry['title'])}</small>"), _number(speed(entry))]
        + [_ratio_cell(best[name].get(library)) for library in libraries]
        for name, entry in race.items()
    ]
    return _section(
        "The race",
        "How many times as fast as the best mode of each library fastmlp is: each in a process of its own, all in "
        "turn, medians of the ratios of the rounds. Where a peer wins, the figure is below 1 and orange.",
        _table(["workload", "fastmlp", *(f"x {name}" for name in libraries)], rows),
        _picture("ratios with goals", plots.ratios, race),
        _picture("rows a second of every peer", plots.throughput, race),
        "<details><summary>Every mode, with times and processor time</summary>" + _modes(race) + "</details>",
    )


def _ratio_cell(best) -> Cell:
    if best is None:
        return _number("-")
    mode = best.peer.split()[-1] if best.peer.startswith("PyTorch") else ""
    return Cell(f"{best.ratio:.2f}<small>{mode}</small>", "number wins" if best.ratio < 1 else "number")


def _modes(race: dict) -> str:
    rows = []
    for name, entry in race.items():
        for peer, seconds in entry["seconds"].items():
            times = ratio(entry["seconds"][OURS.name], seconds)
            busy = median(cpu / wall for cpu, wall in zip(entry["cpu_seconds"][peer], seconds, strict=True))
            rows.append(
                [_text(name), _text(peer), _number(f"{entry['rows'] / median(seconds):,.0f}"),
                 _number(f"{times:.2f}", "wins" if times < 1 else ""), _number(f"{busy:.2f}"), _number(len(seconds))]
            )  # fmt: skip
    return _table(["workload", "peer", "rows/s", "fastmlp is x as fast", "cores busy", "rounds"], rows)


def _goals(figures: Figures) -> str:
    goals, checks = outcomes(figures["race"]), checks_of(figures)
    parts = []
    if goals:
        parts.append(_goal_table(goals))
    if checks:
        rows = [[_text(c["name"]), _text(c["goal"]), _text(c["reached"]), _met(c["met"])] for c in checks]
        parts.append(_table(["check", "goal", "reached", ""], rows))
    if grid := figures.get("threads"):
        parts += [
            "<h3>All threads against one</h3>",
            _picture("all threads against one", plots.threads, grid),
        ]
    note = "What the project wants to reach, on two cores; ratios are of medians in one run."
    return _section("Goals", note, *parts) if parts else ""


def _goal_table(goals: list[Outcome]) -> str:
    """A row a workload, a column a library."""
    libraries = list(dict.fromkeys(goal.library for goal in goals))
    cells = {(goal.workload, goal.library): _goal_cell(goal) for goal in goals}
    rows = [
        [_text(name), *(cells[name, library] for library in libraries)]
        for name in dict.fromkeys(goal.workload for goal in goals)
    ]
    return _table(["workload", *(f"x {library}, of the goal" for library in libraries)], rows)


def _goal_cell(goal: Outcome) -> Cell:
    reached = f"{goal.best.ratio:.2f}" if goal.best else "-"
    verdict = _met(goal.met, goal.best is not None)
    return Cell(f'{reached} of {goal.goal:g} <span class="{verdict.kind}">{verdict.html}</span>', "number")


def _sweeps(figures: Figures) -> str:
    sweeps = figures.get("sweeps", {})
    parts = []
    if points := sweeps.get("width"):
        parts += [
            "<h3>Width</h3>",
            _picture("speed against width", plots.curve, points, "width of all layers", "GFLOP/s"),
        ]
    if points := sweeps.get("batch"):
        parts += [
            "<h3>Batch</h3>",
            _picture("speed against batch", plots.curve, points, "batch", "rows a second"),
        ]
    if cores := {name: points for name, points in sweeps.items() if name.startswith("cores")}:
        parts += ["<h3>Cores</h3>", _picture("speed against cores", plots.cores, cores)]
    note = (
        "Training on synthetic data with Adam. Width: three layers of it and ten classes, batch 128; whole-step "
        "arithmetic. Batch: 784-128-64-10. Cores: each process is confined to so many."
    )
    return _section("Width, batch, cores", note, *parts) if parts else ""


def _kernels(figures: Figures) -> str:
    if not figures.get("kernels") or not figures.get("peaks"):
        return ""
    found = shares(figures["kernels"], figures["peaks"])
    one = min(figures["peaks"], key=lambda machine: machine["threads"])
    rows = [
        [_text(s.kernel), _text(s.row), _number(s.threads), _number(f"{s.speed:.1f} {s.unit}"), Cell(_bar(s)),
         _number(f"{s.ratio:.2f}", "wins" if s.ratio < 1 else "")]
        for s in found
    ]  # fmt: skip
    return _section(
        "Kernels",
        "Each kernel alone, against its NumPy twin on as many threads, and against what this machine can do: "
        "multiply-adds in registers, and the way through memory that its numbers have to take at least. Above 100 % "
        "something was measured wrong, such as a peak while others took a core.",
        _picture("roofline", plots.roofline, found, one),
        f"<details><summary>All {len(rows)} kernels, their share of the peak and NumPy</summary>",
        _table(["kernel", "shape", "threads", "speed", "share of the peak", "x NumPy"], rows),
        "</details><details><summary>Peaks of this machine</summary>"
        + _peaks(figures["peaks"])
        + "</details>",
    )


def _bar(share: Share) -> str:
    return f'<span class="bar"><i style="width: {min(share.peak, 1):.0%}"></i></span>{share.peak:.0%}'


def _peaks(machine: list[dict]) -> str:
    rows = []
    for found in machine:
        rows.append(
            [
                _number(found["threads"]),
                _text("registers"),
                _number(f"{found['arithmetic'] / 1e9:.0f} GFLOP/s"),
            ]
        )
        for name, level in found["memory"].items():
            speeds = ", ".join(f"{k} {v / 1e9:.0f}" for k, v in level.items() if k != "bytes")
            rows.append([_number(found["threads"]), _text(name), _number(f"{speeds} GB/s")])
    return _table(["threads", "from", "at most"], rows)


def _epochs(figures: Figures) -> str:
    epochs = [one for one in figures.get("epochs", []) if "workload" in one]
    starts = {one["start"]: one["median"] for one in figures.get("epochs", []) if "start" in one}
    if not epochs and not starts:
        return ""
    rows = [
        [_text(one["workload"]), _text(one["title"]), _number(f"{one['samples/s']:,.0f}"),
         _number(f"{one['cpu_seconds'] / one['seconds']:.2f}"), _number(f"{one['memory']['peak'] / 1e6:.1f} MB"),
         _number(f"{one['memory']['workspace'] / 1e6:.1f} MB"), _number(f"{one['memory']['parameters'] / 1e6:.1f} MB"),
         _number(f"{one['memory']['data'] / 1e6:.0f} MB")]
        for one in epochs
    ]  # fmt: skip
    head = ["workload", "network", "rows/s", "cores busy", "memory", "workspace", "parameters", "data"]
    words = "; ".join(f"{name} {seconds:.2f} s" for name, seconds in starts.items())
    start = (
        f"<p>From the start of a process to the end of its first step: {escape(words)}.</p>" if starts else ""
    )
    note = (
        "fastmlp alone, whole epochs, checked against the NumPy reference before. Memory: how far it rises at most "
        "while a model is made and trained, beyond the data and the machine code. Cold: nothing is compiled yet."
    )
    return _section("Epochs, memory, start", note, _table(head, rows) if rows else "", start)


def _accuracy(figures: Figures) -> str:
    run = figures.get("accuracy")
    if not run:
        return ""
    reached = f"{run['accuracy'][-1]:.2%} of the test images of {run['data']}"
    note = (
        f"{run['title']}: {reached} after {len(run['accuracy'])} epochs, {run['seconds']:.1f} s of training."
    )
    return _section("Accuracy", note, _picture("accuracy against epochs", plots.accuracy, run))


def _facts(figures: Figures) -> str:
    rows = [[_text(name), _text(words)] for name, words in figures["facts"].items()]
    return _section("The machine", "What a figure depends on.", _table(["", ""], rows))


def _failures(figures: Figures) -> str:
    if not figures["failures"]:
        return ""
    rows = [[_text(part) for part in failure] for failure in figures["failures"]]
    return _section("Not measured", "What failed or is not installed.", _table(["where", "who", "why"], rows))
