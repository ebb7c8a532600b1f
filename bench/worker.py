"""The other side of a rival: `python -m bench.worker MODULE FUNCTION ARGUMENT...` runs once for each line it reads."""

import importlib
import sys


def main() -> None:
    target, *arguments = sys.argv[1:]
    module, _, function = target.partition(":")
    runs = getattr(importlib.import_module(f"bench.{module}"), function)(*arguments)
    for _ in sys.stdin:
        print(next(runs), flush=True)


if __name__ == "__main__":
    main()
