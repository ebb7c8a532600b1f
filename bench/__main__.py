"""`python -m bench`: run the benchmarks and print their tables."""

import argparse
import platform

from . import products, training

SUITES = {"training": training.compare, "products": products.compare}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("suites", nargs="*", choices=[*SUITES, []], help="which; all without any", default=[])
    parser.add_argument("--rounds", type=int, default=5, help="interleaved runs of each pair (5)")
    arguments = parser.parse_args()
    print(
        f"{platform.machine()}, Python {platform.python_version()}; medians of {arguments.rounds} interleaved runs\n"
    )
    for name in arguments.suites or SUITES:
        print(f"## {name}\n\n{SUITES[name](arguments.rounds)}\n", flush=True)


if __name__ == "__main__":
    main()
