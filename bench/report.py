"""The report of a run: one HTML file with everything in it, and lines for the terminal."""

from html import escape
from statistics import median

from . import mixed, page, plots, readme
from .goals import Outcome, best_modes, outcomes
from .page import Cell, met, number, text
from .peers import OURS, PEERS
from .rivals import ratio
from .settings import Figures
from .shares import Share, shares
from .step import table

BUSY = 0.5  # load above which the report warns


def as_text(figures: Figures) -> str:
    """For the terminal: the table of the race, goals and checks with pass or fail, and failures."""
    lines = [readme.long({"": figures})] if figures["race"] else []
    for goal in outcomes(figures["race"]):
        reached = f"{goal.best.ratio:.2f}x of {goal.best.peer}" if goal.best else "not measured"
        verdict = _verdict(goal.met)
        if goal.missing:
            verdict, reached = "n/a ", f"this machine has no {goal.missing}"
        lines.append(f"{verdict}  {goal.workload}: {reached}, goal {goal.goal:g}x {goal.library}")
    for part in figures.get("small", {}).get("tables", []):
        lines += ["", part["title"], *_aligned([part["head"], *part["rows"]]), ""]
    for name, step in figures.get("step", {}).items():
        lines += [
            "",
            f"{name}: {step['title']}",
            *_aligned([table.head(step), *table.cells(step)]),
            *table.words(step),
        ]
    for check in checks_of(figures):
        lines.append(f"{_verdict(check['met'])}  {check['name']}: {check['reached']}; goal: {check['goal']}")
    lines += [f"failed  {where}, {who}: {why}" for where, who, why in figures["failures"]]
    return "\n".join(lines)


def _aligned(rows: list[list[str]]) -> list[str]:
    """Words to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]


def _verdict(met: bool) -> str:
    return "PASS" if met else "FAIL"


def checks_of(figures: Figures) -> list[dict]:
    """All checks, the accuracy included."""
    checks = [*figures.get("checks", []), *figures.get("small", {}).get("checks", [])]
    if run := figures.get("accuracy"):
        reached = run["accuracy"][-1]
        checks.append(
            {"name": f"test accuracy on {run['data']}: {run['title']}", "goal": f"at least {run['goal']:.0%} on MNIST",
             "reached": f"{reached:.2%} after {len(run['accuracy'])} epochs in {run['seconds']:.1f} s",
             "met": run["data"] == "MNIST" and reached >= run["goal"]}
        )  # fmt: skip
    if run := figures.get("mixed"):
        checks.append(mixed.check(run))
    return checks


def as_html(figures: Figures) -> str:
    """The whole page; parts that did not run are left out, failures are named."""
    facts = figures["facts"]
    sections = [
        section(figures)
        for section in (
            _race,
            _goals,
            table.section,
            _small,
            _sweeps,
            _kernels,
            _epochs,
            _accuracy,
            _facts,
            _failures,
        )
    ]
    caution = " This was a quick run: its figures are rough." if figures["quick"] else ""
    if float(facts["load before the run"]) > BUSY:
        caution += (
            " The machine was busy with something else, which slows down threads that wait for each other."
        )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>fastmlp: benchmarks</title><style>
{page.CSS.read_text(encoding="utf-8")}</style></head><body>
<h1>fastmlp: benchmarks</h1>
<p class="lead">{escape(facts["date"])}, {escape(facts["CPU"])}, {escape(facts["fastmlp"])}.<b>{caution}</b></p>
{_cards(figures)}
{"".join(section for section in sections if section)}
</body></html>
"""


def _cards(figures: Figures) -> str:
    """The main results as cards."""
    goals = [goal for goal in outcomes(figures["race"]) if not goal.missing]
    checks = checks_of(figures)
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
        [Cell(f"{escape(name)}<small>{escape(entry['title'])}</small>"), number(readme.speed(entry))]
        + [_ratio_cell(best[name].get(library)) for library in libraries]
        for name, entry in race.items()
    ]
    return page.section(
        "The race",
        "How many times as fast as the best mode of each library fastmlp is: each in a process of its own, all in "
        "turn, medians of the ratios of the rounds. Where a peer wins, the figure is below 1 and orange.",
        page.table(["workload", "fastmlp", *(f"x {name}" for name in libraries)], rows),
        page.picture("ratios with goals", plots.ratios, race),
        page.picture("rows a second of every peer", plots.throughput, race),
        "<details><summary>Every mode, with times and processor time</summary>" + _modes(race) + "</details>",
    )


def _ratio_cell(best) -> Cell:
    if best is None:
        return number("-")
    return Cell(
        f"{best.ratio:.2f}<small>{escape(best.label)}</small>", "number wins" if best.ratio < 1 else "number"
    )


def _modes(race: dict) -> str:
    rows = []
    for name, entry in race.items():
        for peer, seconds in entry["seconds"].items():
            times = ratio(entry["seconds"][OURS.name], seconds)
            busy = median(cpu / wall for cpu, wall in zip(entry["cpu_seconds"][peer], seconds, strict=True))
            rows.append(
                [text(name), text(peer), number(f"{entry['rows'] / median(seconds):,.0f}"),
                 number(f"{times:.2f}", "wins" if times < 1 else ""), number(f"{busy:.2f}"), number(len(seconds))]
            )  # fmt: skip
    return page.table(["workload", "peer", "rows/s", "fastmlp is x as fast", "cores busy", "rounds"], rows)


def _goals(figures: Figures) -> str:
    goals, checks = outcomes(figures["race"]), checks_of(figures)
    parts = []
    if goals:
        parts.append(_goal_table(goals))
    if checks:
        rows = [[text(c["name"]), text(c["goal"]), text(c["reached"]), met(c["met"])] for c in checks]
        parts.append(page.table(["check", "goal", "reached", ""], rows))
    if curves := figures.get("growth"):
        parts += ["<h3>Growth of a step with its work</h3>", page.picture("growth", plots.growth, curves)]
    if grid := figures.get("threads"):
        parts += [
            "<h3>All threads against one</h3>",
            page.picture("all threads against one", plots.threads, grid),
        ]
    note = "What the project wants to reach, on two cores; ratios are of medians in one run."
    return page.section("Goals", note, *parts) if parts else ""


def _goal_table(goals: list[Outcome]) -> str:
    """One row per workload, one column per library."""
    libraries = list(dict.fromkeys(goal.library for goal in goals))
    cells: dict[tuple[str, str], Cell] = {}
    for goal in goals:
        cells.setdefault((goal.workload, goal.library), _goal_cell(goal))
    rows = [
        [text(name), *(cells.get((name, library), text("")) for library in libraries)]
        for name in dict.fromkeys(goal.workload for goal in goals)
    ]
    return page.table(["workload", *(f"x {library}, of the goal" for library in libraries)], rows)


def _goal_cell(goal: Outcome) -> Cell:
    if goal.missing:
        return number(f"no {goal.missing}: {goal.goal:g} does not apply")
    reached = f"{goal.best.ratio:.2f}" if goal.best else "-"
    verdict = met(goal.met, goal.best is not None)
    return Cell(f'{reached} of {goal.goal:g} <span class="{verdict.kind}">{verdict.html}</span>', "number")


def _small(figures: Figures) -> str:
    parts = []
    for part in figures.get("small", {}).get("tables", []):
        rows = [[text(first), *map(number, others)] for first, *others in part["rows"]]
        parts += [f"<h3>{escape(part['title'])}</h3>", page.table(part["head"], rows)]
    note = "What Python and the program's bookkeeping cost beside the arithmetic, and many models at once."
    return page.section("Small data", note, *parts) if parts else ""


def _sweeps(figures: Figures) -> str:
    sweeps = figures.get("sweeps", {})
    parts = []
    if points := sweeps.get("width"):
        parts += [
            "<h3>Width</h3>",
            page.picture("speed against width", plots.curve, points, "width of all layers", "GFLOP/s"),
        ]
    if points := sweeps.get("batch"):
        parts += [
            "<h3>Batch</h3>",
            page.picture("speed against batch", plots.curve, points, "batch", "rows a second"),
        ]
    if cores := {name: points for name, points in sweeps.items() if name.startswith("cores")}:
        parts += ["<h3>Cores</h3>", page.picture("speed against cores", plots.cores, cores)]
    note = (
        "Training on synthetic data with Adam. Width: three layers of it and ten classes, batch 128; whole-step "
        "arithmetic. Batch: 784-128-64-10. Cores: each process is confined to so many."
    )
    return page.section("Width, batch, cores", note, *parts) if parts else ""


def _kernels(figures: Figures) -> str:
    if not figures.get("kernels") or not figures.get("peaks"):
        return ""
    found = shares(figures["kernels"], figures["peaks"])
    one = min(figures["peaks"], key=lambda machine: machine["threads"])
    rows = [
        [text(s.kernel), text(s.row), number(s.threads), number(f"{s.speed:.1f} {s.unit}"), Cell(_bar(s)),
         number(f"{s.ratio:.2f}", "wins" if s.ratio < 1 else "")]
        for s in found
    ]  # fmt: skip
    return page.section(
        "Kernels",
        "Each kernel alone, against its NumPy twin on as many threads, and against what this machine can do: "
        "multiply-adds in registers, and the way through memory that its numbers have to take at least. Above 100 % "
        "something was measured wrong, such as a peak while others took a core.",
        page.picture("roofline", plots.roofline, found, one),
        f"<details><summary>All {len(rows)} kernels, their share of the peak and NumPy</summary>",
        page.table(["kernel", "shape", "threads", "speed", "share of the peak", "x NumPy"], rows),
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
                number(found["threads"]),
                text("registers"),
                number(f"{found['arithmetic'] / 1e9:.0f} GFLOP/s"),
            ]
        )
        for name, level in found["memory"].items():
            speeds = ", ".join(f"{k} {v / 1e9:.0f}" for k, v in level.items() if k != "bytes")
            rows.append([number(found["threads"]), text(name), number(f"{speeds} GB/s")])
    return page.table(["threads", "from", "at most"], rows)


def _epochs(figures: Figures) -> str:
    epochs = [one for one in figures.get("epochs", []) if "workload" in one]
    starts = {one["start"]: one["median"] for one in figures.get("epochs", []) if "start" in one}
    if not epochs and not starts:
        return ""
    rows = [
        [Cell(f"{escape(one['workload'])}<small>{escape(one['title'])}</small>"), number(f"{one['samples/s']:,.0f}"),
         number(f"{one['cpu_seconds'] / one['seconds']:.2f}"), number(f"{one['memory']['peak'] / 1e6:.1f} MB"),
         number(f"{one['memory']['workspace'] / 1e6:.1f} MB"), number(f"{one['memory']['parameters'] / 1e6:.1f} MB"),
         number(f"{one['memory']['data'] / 1e6:.0f} MB")]
        for one in epochs
    ]  # fmt: skip
    head = ["workload", "rows/s", "cores busy", "memory", "workspace", "parameters", "data"]
    words = "; ".join(f"{name} {seconds:.2f} s" for name, seconds in starts.items())
    start = (
        f"<p>From the start of a process to the end of its first step: {escape(words)}.</p>" if starts else ""
    )
    note = (
        "fastmlp alone, whole epochs, checked against the NumPy reference before. Memory: how far it rises at most "
        "while a model is made and trained, beyond the data and the machine code. Cold: nothing is compiled yet."
    )
    return page.section("Epochs, memory, start", note, page.table(head, rows) if rows else "", start)


def _accuracy(figures: Figures) -> str:
    run = figures.get("accuracy")
    if not run:
        return ""
    reached = f"{run['accuracy'][-1]:.2%} of the test images of {run['data']}"
    note = (
        f"{run['title']}: {reached} after {len(run['accuracy'])} epochs, {run['seconds']:.1f} s of training."
    )
    return page.section("Accuracy", note, page.picture("accuracy against epochs", plots.accuracy, run))


def _facts(figures: Figures) -> str:
    rows = [[text(name), text(words)] for name, words in figures["facts"].items()]
    return page.section("The machine", "What a figure depends on.", page.table(["", ""], rows))


def _failures(figures: Figures) -> str:
    if not figures["failures"]:
        return ""
    rows = [[text(part) for part in failure] for failure in figures["failures"]]
    return page.section(
        "Not measured", "What failed or is not installed.", page.table(["where", "who", "why"], rows)
    )
