"""A process of `fastmlp warm`: compiles the entries whose names it reads, and writes what it did with each.

Standard input has the name of an entry a line, and ends when there is nothing more to do. Standard output has
`COMPILES` before the first compilation, and after each entry how many of its kernels were compiled and how many loaded.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Sequence

from ..engine.catalogue import Compilation, compilations
from ..engine.compilation import announced

COMPILES = "compiles"


def by_name(dtypes: Sequence[str]) -> dict[str, list[Compilation]]:
    """All that can be compiled, by entry: a process takes whole entries, as the cache has an index file for each."""
    found = defaultdict(list)
    for each in compilations(dtypes):
        function = each.entry.py_func
        found[f"{function.__module__}.{function.__qualname__}"].append(each)
    return dict(found)


def main(dtypes: Sequence[str]) -> None:
    """Work until the input ends."""
    entries = by_name(dtypes)
    with announced(lambda: print(COMPILES, flush=True)):
        for line in sys.stdin:
            some = entries[line.strip()]
            for entry, types in some:
                entry.compile(types)
            stats = some[0].entry.stats
            print(sum(stats.cache_misses.values()), sum(stats.cache_hits.values()), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
