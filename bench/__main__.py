"""Measure fastmlp and other libraries, and write one report (HTML and JSON).

Without a PART all parts run, which takes more than an hour; `race` alone takes about half an hour, and one workload
against one peer about a minute. Ctrl-C ends the run; the report then has what was measured so far. Methods and terms:
docs/benchmarks.md.
"""

import argparse
import json
import sys
from pathlib import Path

from tqdm import tqdm

from fastmlp.optimizers import OPTIMIZERS

from . import accuracy, checks, facts, machines, mixed, race, readme, report, small, step, suites, sweeps
from .peers import PEERS
from .settings import Figures, Settings
from .workloads import WORKLOADS, Workload

# In this order: the most important part first, in case the run is ended early.
PARTS = {
    "race": race,
    "accuracy": accuracy,
    "mixed": mixed,
    "checks": checks,
    "step": step,
    "small": small,
    "kernels": suites.KERNELS,
    "sweeps": sweeps,
    "epochs": suites.EPOCHS,
}


def parser() -> argparse.ArgumentParser:
    """What the command line accepts."""
    names = [peer.name for peer in PEERS]
    options = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    options.add_argument(
        "parts", nargs="*", metavar="PART",
        help=f"one or more of {', '.join(PARTS)}; default: all. Or `step NETWORK ...`: workloads, or layers such as "
        f"784-2048-2048-10; default: {', '.join(step.DEFAULT)}",
    )  # fmt: skip
    options.add_argument(
        "--quick",
        action="store_true",
        help="a quick look: fewer rounds, smaller epochs, every third point of a sweep",
    )
    options.add_argument(
        "--rounds", type=int, help="interleaved runs of each peer; default: 5, with --quick 2"
    )
    options.add_argument(
        "--workloads", nargs="+", choices=WORKLOADS, default=list(WORKLOADS), metavar="NAME",
        help=f"one or more of {', '.join(WORKLOADS)}; default: all",
    )  # fmt: skip
    options.add_argument(
        "--peers",
        nargs="+",
        choices=names,
        default=names,
        metavar="NAME",
        help=f"one or more of {', '.join(map(repr, names))}; default: all that are installed",
    )
    options.add_argument(
        "--against",
        metavar="PYTHON",
        help="of another environment with another version of fastmlp, whose loop of fit is timed too (part small)",
    )
    options.add_argument("--batch", type=int, metavar="ROWS", help="of each NETWORK")
    options.add_argument("--optimizer", choices=list(OPTIMIZERS), metavar="NAME", help="of each NETWORK")
    options.add_argument(
        "--threads", type=int, default=0, metavar="N", help="that train a NETWORK; default: as in `fit`"
    )
    options.add_argument("--output", type=Path, default=Path(__file__).parent / "report.html", metavar="FILE")
    options.add_argument(
        "--from",
        type=Path,
        dest="source",
        metavar="JSON",
        help="write the report of a past run again, without measuring",
    )
    options.add_argument(
        "--readme",
        action="store_true",
        help="keep the race in bench/results as that of this kind of processor, and write the tables of README.md and "
        "docs/benchmarks.md from all that are there",
    )
    return options


def measure(parts: list[str], settings: Settings, save) -> Figures:
    """Run the parts under one progress bar; a part that fails is named in the report and does not stop the others."""
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


def _networks(options: argparse.Namespace) -> list[Workload]:
    """The networks of `step NETWORK ...`, which are then no parts."""
    if options.parts[:1] != ["step"]:
        return []
    names = [name for name in options.parts if name not in PARTS]
    options.parts = [name for name in options.parts if name in PARTS]
    try:
        return [step.parse(name, options.batch, options.optimizer) for name in names or step.DEFAULT]
    except ValueError as error:
        parser().error(str(error))


def main() -> None:
    options = parser().parse_args()
    networks = _networks(options)
    if unknown := set(options.parts) - set(PARTS):
        parser().error(f"PART: expected some of {', '.join(PARTS)}, got {', '.join(sorted(unknown))}")
    if options.readme and options.quick:
        parser().error("--readme: expected a full run, got --quick")
    if options.readme and len(options.workloads) < len(WORKLOADS):
        parser().error("--readme: expected all workloads, got --workloads; leave one of them out")
    options.output.parent.mkdir(parents=True, exist_ok=True)
    raw = options.output.with_suffix(".json")

    def save(figures: Figures) -> None:
        raw.write_text(json.dumps(figures, indent=1), encoding="utf-8")

    if options.source:
        figures = json.loads(options.source.read_text(encoding="utf-8"))
    else:
        rounds = options.rounds or (2 if options.quick else 5)
        settings = Settings(
            rounds,
            options.quick,
            options.workloads,
            options.peers,
            options.against,
            networks,
            options.threads,
        )
        figures = measure(options.parts or list(PARTS), settings, save)
    print(report.as_text(figures))
    options.output.write_text(report.as_html(figures), encoding="utf-8")
    print(f"{options.output}, and all figures in {raw}", file=sys.stderr)
    if options.readme:
        print(f"kept in {machines.keep(figures)}", file=sys.stderr)
        readme.write(machines.kept())


if __name__ == "__main__":
    main()
