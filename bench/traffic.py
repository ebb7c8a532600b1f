"""What crosses from core to core in a step, counted on paper: `python -m bench.traffic 784-1024-1024-10 256`.

For teams of 1 to 64 ranks, under two orders of the sums over a layer's inputs: two half sums, as the engine has them,
and a fixed tree of eight leaves. docs/decisions/0029 uses the figures. A number crosses if another rank wrote it; each
rank reads it once. Each hidden layer is counted as input-shared, which is how wide layers run.
"""

import sys
from itertools import pairwise
from typing import NamedTuple

RANKS = (2, 4, 8, 16, 32, 64)
HALVES, LEAVES = 2, 8
BYTES = 4  # of a number


class Core(NamedTuple):
    """A core that was measured, and how fast it gets what another core wrote."""

    name: str
    flops: float  # multiply-adds of float32 in registers count two
    near: float  # bytes per second from the third-level cache that `together` cores share
    together: int
    far: float  # bytes per second from any other core
    barrier: float  # seconds for two cores


# Measured: flops and near. Taken: far of EPYC is the rate of memory, the barrier of Xeon a tenth of a microsecond.
CORES = (
    Core("EPYC, Zen 4 or 5", 110e9, 90e9, 8, 22e9, 210e-9),
    Core("Xeon, Emerald Rapids", 150e9, 29e9, 64, 29e9, 100e-9),
)


def others(ranks: float) -> float:
    """The share of what all ranks wrote that others than this one wrote."""
    return 1 - 1 / ranks


def crossing(inputs: int, units: int, batch: int, ranks: int, parts: int, first: bool) -> float:
    """Numbers that a rank reads of others in one layer and step, where sums have this many parts.

    A part of the inputs has `ranks / parts` owners, which divide the units; with fewer ranks than parts, an owner has
    several and adds them itself.
    """
    groups = min(parts, ranks)
    owners = ranks / groups
    values = batch * inputs / groups * (others(owners) if first else others(ranks))
    weights = inputs * units / ranks * others(owners)
    # A rank adds the sums of all groups for its rows.
    sums = batch / ranks * units * groups * others(ranks)
    deltas = batch * units * others(ranks)
    transposed = 0 if first else weights
    return values + weights + sums + deltas + transposed


def step(layers: list[int], batch: int, ranks: int, parts: int) -> float:
    """Bytes that a rank reads of others in a step."""
    pairs = list(pairwise(layers[:-1]))
    return BYTES * sum(crossing(a, b, batch, ranks, parts, i == 0) for i, (a, b) in enumerate(pairs))


def seconds(core: Core, layers: list[int], batch: int, ranks: int, parts: int) -> float:
    """A step: the arithmetic at the peak, what crosses, and two barriers for each pass of each layer."""
    weights = [a * b for a, b in pairwise(layers)]
    flops = batch * (6 * sum(weights) - 2 * weights[0])
    speed = core.near if ranks <= core.together else core.far
    barriers = 4 * len(weights) * core.barrier * ranks.bit_length()
    return flops / ranks / core.flops + step(layers, batch, ranks, parts) / speed + barriers


def main() -> None:
    layers, batch = [int(units) for units in sys.argv[1].split("-")], int(sys.argv[2])
    print(
        f"{sys.argv[1]}, batch {batch}: bytes that cross to each rank, and times of a step (halves, tree, ratio)"
    )
    for ranks in RANKS:
        halves, tree = (step(layers, batch, ranks, parts) / 1e6 for parts in (HALVES, LEAVES))
        line = f"{ranks:3} ranks  {halves:6.2f} MB {tree:6.2f} MB"
        for core in CORES:
            one, other = (seconds(core, layers, batch, ranks, parts) for parts in (HALVES, LEAVES))
            line += f"   {core.name}: {one * 1e3:6.3f} {other * 1e3:6.3f} ms {one / other:5.2f}"
        print(line)


if __name__ == "__main__":
    main()
