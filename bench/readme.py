"""The speed tables of the README and of docs/benchmarks.md; nobody edits them.

`python -m bench race --readme` writes them between two markers, from the last race of each kind of processor.
"""

from collections.abc import Callable, Iterable
from statistics import median

from .goals import Best, best_modes
from .rivals import ROOT
from .settings import Figures

README, BENCHMARKS = ROOT / "README.md", ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- speed:begin -->", "<!-- speed:end -->"
LIBRARIES = ("NumPy", "PyTorch", "JAX")
OWN_FLOAT32 = "fastmlp float32"  # what mixed precision is compared with
# The rows of the README. docs/benchmarks.md has all.
HEADLINES = (
    "small", "medium", "large", "large-dense", "huge", "large-bf16", "forecast", "stochastic", "row", "rows"
)  # fmt: skip


def short(runs: dict[str, Figures]) -> str:
    """The table of the README: a part of the workloads, ratios alone."""
    return table(runs, HEADLINES, LIBRARIES, lambda best: f"{best.ratio:.2f}")


def long(runs: dict[str, Figures]) -> str:
    """All workloads, each ratio with the mode in which the library was the fastest."""
    names = dict.fromkeys(name for run in runs.values() for name in run["race"])
    return table(runs, names, (*LIBRARIES, OWN_FLOAT32), _with_mode)


def _with_mode(best: Best) -> str:
    return f"{best.ratio:.2f}" + (f" ({best.label})" if best.label else "")


def table(
    runs: dict[str, Figures], names: Iterable[str], libraries: Iterable[str], cell: Callable[[Best], str]
) -> str:
    """Markdown: our speed, and our speed divided by that of each library's fastest mode.

    Parameters
    ----------
    runs : dict
        A run for each kind of processor, by kind. With two of them, each cell has two figures.
    names, libraries : iterable of str
        Rows and columns; those that no run has are left out.
    cell : callable
        The words for a library's fastest mode.
    """
    races = [run["race"] for run in runs.values()]
    names = [name for name in names if any(name in race for race in races)]
    best = {
        name: [best_modes(race[name]["seconds"]) if name in race else {} for race in races] for name in names
    }
    ran = {library for modes in best.values() for one in modes for library in one}
    libraries = [library for library in libraries if library in ran]
    kinds = f" ({' / '.join(runs)})" if len(runs) > 1 else ""
    rows = [["workload", f"fastmlp{kinds}", *(f"vs {library}{kinds}" for library in libraries)]]
    rows.append(["---"] * len(rows[0]))
    for name in names:
        entries = [race.get(name) for race in races]
        title = next(entry["title"] for entry in entries if entry)
        ratios = [
            [cell(one[library]) if library in one else "-" for one in best[name]] for library in libraries
        ]
        speeds = [speed(entry) if entry else "-" for entry in entries]
        rows.append([f"{name}: {title}", " / ".join(speeds), *map(" / ".join, ratios)])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def below(runs: dict[str, Figures]) -> str:
    """The lines below a table: what the samples are; when, on which machines, with which versions it was measured."""
    return "\n".join(
        [_samples(runs), "", *(f"- {machine(kind, run['facts'])}" for kind, run in runs.items())]
    )


def _samples(runs: dict[str, Figures]) -> str:
    inputs = {name: entry["inputs"] for run in runs.values() for name, entry in run["race"].items()}
    read = ", ".join(f"`{name}`" for name, kind in inputs.items() if kind == "images")
    images = " or ".join(dict.fromkeys(run["facts"]["images"] for run in runs.values()))
    return f"Samples of {read}: {images}, as bytes. All others: Gaussian noise in float32."


def machine(kind: str, facts: dict[str, str]) -> str:
    """When it was measured, on which machine, and with which versions."""
    return (
        f"{kind}: {facts['date']}, {facts['CPU']}, {facts['cores used']} cores, {facts['vectors']}; "
        f"fastmlp {facts['fastmlp']}; {facts['packages']}."
    )


def speed(entry: dict) -> str:
    """The speed of fastmlp: microseconds per call for a single row, else samples per second."""
    seconds = median(entry["seconds"]["fastmlp"])
    return f"{seconds * 1e6:.1f} µs" if entry["rows"] == 1 else f"{entry['rows'] / seconds:,.0f} rows/s"


def with_table(text: str, table: str) -> str:
    """The text with everything between the markers replaced.

    Raises
    ------
    ValueError
        If the two markers are missing, repeated or in the wrong order.
    """
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise ValueError(f"page: expected {BEGIN} and, after it, {END}, once each")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def write(runs: dict[str, Figures]) -> None:
    """Put the tables into the README and the documentation."""
    for path, of_page in ((README, short), (BENCHMARKS, long)):
        text = with_table(path.read_text(encoding="utf-8"), f"{of_page(runs)}\n\n{below(runs)}")
        path.write_text(text, encoding="utf-8")
