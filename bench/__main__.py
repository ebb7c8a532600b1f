"""`python -m bench`: measure everything, and write one report.

Without names of parts, all of them run. Ctrl-C ends the run; what was measured by then is in the report.
"""

import argparse
import json
import sys
from pathlib import Path

from tqdm import tqdm

from . import accuracy, checks, facts, race, readme, report, suites, sweeps
from .peers import PEERS
from .settings import Figures, Settings
from .workloads import WORKLOADS

# In this order: what is asked for most comes first, should the run be ended early.
PARTS = {
    "race": race,
    "accuracy": accuracy,
    "checks": checks,
    "kernels": suites.KERNELS,
    "sweeps": sweeps,
    "epochs": suites.EPOCHS,
}


def parser() -> argparse.ArgumentParser:
    """What the command line accepts."""
    names = [peer.name for peer in PEERS]
    options = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    options.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all without any")
    options.add_argument(
        "--quick", action="store_true", help="few rounds, small epochs, every third point of a sweep"
    )
    options.add_argument("--rounds", type=int, help="interleaved runs of each rival (5; in a quick run 2)")
    options.add_argument("--workloads", nargs="+", choices=WORKLOADS, default=list(WORKLOADS), metavar="NAME")
    options.add_argument(
        "--peers", nargs="+", choices=names, default=names, metavar="NAME", help=", ".join(names)
    )
    options.add_argument("--output", type=Path, default=Path(__file__).parent / "report.html", metavar="FILE")
    options.add_argument(
        "--from", type=Path, dest="source", metavar="JSON", help="only write the report of a past run"
    )
    options.add_argument("--readme", action="store_true", help="write the table of the race into the README")
    return options


def measure(parts: list[str], settings: Settings, save) -> Figures:
    """Run the parts under one progress bar; a part that fails is named and does not stop the others."""
    figures: Figures = {"facts": facts.gather(), "quick": settings.quick, "failures": [], "race": {}}
    total = sum(PARTS[name].steps(settings) for name in parts)
    try:
        with tqdm(total=total, unit="step", smoothing=0) as bar:
            for name in parts:
                try:
                    for words in PARTS[name].run(settings, figures):
                        bar.set_postfix_str(words)
                        bar.update()
                except Exception as error:
                    figures["failures"].append([name, "the whole part", f"{type(error).__name__}: {error}"])
                save(figures)
    except KeyboardInterrupt:
        figures["failures"].append(["the run", "what comes later", "ended by Ctrl-C"])
        save(figures)
    return figures


def main() -> None:
    options = parser().parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser().error(f"unknown parts {sorted(unknown)}: expected {', '.join(PARTS)}")
    if options.readme and options.quick:
        parser().error("--readme: a quick run is a look, no result")
    options.output.parent.mkdir(parents=True, exist_ok=True)
    raw = options.output.with_suffix(".json")

    def save(figures: Figures) -> None:
        raw.write_text(json.dumps(figures, indent=1), encoding="utf-8")

    if options.source:
        figures = json.loads(options.source.read_text(encoding="utf-8"))
    else:
        rounds = options.rounds or (2 if options.quick else 5)
        settings = Settings(rounds, options.quick, options.workloads, options.peers)
        figures = measure(options.parts or list(PARTS), settings, save)
    print(report.as_text(figures))
    options.output.write_text(report.as_html(figures), encoding="utf-8")
    print(f"{options.output}, and all figures in {raw}", file=sys.stderr)
    if options.readme:
        readme.write(readme.table(figures["race"]))


if __name__ == "__main__":
    main()
