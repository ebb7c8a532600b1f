"""`python -m bench`: run the benchmarks and print their tables."""

import argparse
import platform

from . import products, readme, training
from .workloads import WORKLOADS

SUITES = ("training", "products")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("suites", nargs="*", help=f"which of {', '.join(SUITES)}; all without any")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved runs of each rival (5)")
    parser.add_argument("--workloads", nargs="+", choices=WORKLOADS, default=[], help="of the training suite")
    parser.add_argument("--rivals", nargs="+", choices=training.installed(), default=training.installed())
    parser.add_argument("--readme", action="store_true", help="write the table of training into the README")
    options = parser.parse_args()
    if unknown := set(options.suites) - set(SUITES):
        parser.error(f"unknown suites {sorted(unknown)}: expected {', '.join(SUITES)}")
    print(
        f"{platform.machine()}, Python {platform.python_version()}; medians of {options.rounds} rounds",
        flush=True,
    )
    if "training" in (options.suites or SUITES):
        table = training.report(options.workloads, options.rivals, options.rounds)
        print(table, flush=True)
        if options.readme:
            readme.write(table)
    if "products" in (options.suites or SUITES):
        print(products.compare(options.rounds), flush=True)


if __name__ == "__main__":
    main()
