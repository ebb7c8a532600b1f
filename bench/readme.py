"""The speed table of the README: `python -m bench --readme` writes it between two markers, and nobody edits it."""

from pathlib import Path
from statistics import median

from .goals import Best, best_modes
from .peers import PEERS

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- speed:begin -->", "<!-- speed:end -->"


def table(race: dict[str, dict]) -> str:
    """The race in Markdown: our speed divided by that of each library's fastest mode, and which mode that is."""
    best = {name: best_modes(entry["seconds"]) for name, entry in race.items()}
    ran = {library for modes in best.values() for library in modes}
    libraries = [name for name in dict.fromkeys(peer.library for peer in PEERS) if name in ran]
    rows = [["workload", "fastmlp", *(f"vs {name}" for name in libraries)]]
    rows.append(["---"] * len(rows[0]))
    for name, entry in race.items():
        cells = [_cell(best[name].get(library)) for library in libraries]
        rows.append([f"{name}: {entry['title']}", speed(entry), *cells])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _cell(best: Best | None) -> str:
    if best is None:
        return "-"
    return f"{best.ratio:.2f}" + (f" ({best.label})" if best.label else "")


def machine(facts: dict[str, str]) -> str:
    """The line below the table: when it was measured, on which machine, and with which versions."""
    return (
        f"Measured on {facts['date']}: {facts['CPU']}, {facts['cores used']} cores; "
        f"fastmlp {facts['fastmlp']}, {facts['packages']}."
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
        raise ValueError(f"README: expected {BEGIN} and, after it, {END}, once each")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def write(table: str) -> None:
    """Put the table into the README."""
    README.write_text(with_table(README.read_text(encoding="utf-8"), table), encoding="utf-8")
