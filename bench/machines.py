"""The last full race of each kind of processor: `python -m bench race --readme` writes one file of `results/`.

The tables of the README and of the documentation are made from all files, so they show the kinds side by side, each
measured on its own machine. Nobody edits the files.
"""

import json
from pathlib import Path

from .settings import Figures
from .workloads import WORKLOADS

RESULTS = Path(__file__).with_name("results")
VENDORS = ("AMD", "Intel")


def kind(facts: dict[str, str]) -> str:
    """The vendor of the processor; of one without a known name, its architecture."""
    known = (vendor for vendor in VENDORS if vendor in facts["CPU"])
    return next(known, facts["system"].split()[-1])


def keep(figures: Figures, folder: Path = RESULTS) -> Path:
    """Write the race of this machine in place of the last one of its kind, and return where.

    Raises
    ------
    ValueError
        If it was a quick run, or a workload was not measured: a table must not mix runs.
    """
    missing = [name for name in WORKLOADS if name not in figures["race"]]
    if figures["quick"] or missing:
        why = "a quick one" if figures["quick"] else f"one without {', '.join(missing)}"
        raise ValueError(
            f"results: expected a full run of all workloads, got {why}; run python -m bench race --readme"
        )
    folder.mkdir(exist_ok=True)
    path = folder / f"{kind(figures['facts']).lower()}.json"
    kept = {"facts": figures["facts"], "race": figures["race"]}
    path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    return path


def kept(folder: Path = RESULTS) -> dict[str, Figures]:
    """The last race of each kind of processor that there is, by kind."""
    runs = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    return {kind(run["facts"]): run for run in runs}
