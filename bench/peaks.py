"""The peaks of this machine: multiply-adds in registers, and bytes per second of each level of memory.

`python -m bench.peaks` prints them. Loops are written as the kernels are, in vectors as wide as theirs.
"""

from collections.abc import Callable
from math import sqrt
from time import perf_counter
from typing import NamedTuple

import numpy as np
from numba import njit

from fastmlp.engine import team
from fastmlp.engine.buffers import aligned_zeros
from fastmlp.engine.processor import caches
from fastmlp.kernels.program.threads import Member, barrier
from fastmlp.kernels.simd import FLOAT32_LANES, Int, Pointer, fma, primitive, repeat

ACCUMULATORS = 12  # a multiply-add takes 4 cycles and up to two start in one: 8 keep the units busy
UNROLLED = 8  # vectors per iteration, so that the loop itself costs nothing
SECONDS = 0.02  # of a run
RUNS = 7  # the best one counts: noise only makes a run slower


@primitive
def _multiply_add(x: Pointer, times: Int) -> None:
    """x = x * x + ... in ACCUMULATORS registers, `times` times each, without memory access."""
    start = [(x + i * x.lanes).load() for i in range(ACCUMULATORS)]
    factor = x.splat()
    total = repeat(times, 1, start, lambda _, sums: [fma(factor, factor, value) for value in sums])
    for i, vec in enumerate(total):
        (x + i * x.lanes).store(vec)


@primitive
def _read(a: Pointer, b: Pointer, c: Pointer, size: Int) -> None:
    """The sum of a, so that the compiler keeps the loads."""

    def step(i, sums):
        return [total + (a + (i + v * a.lanes)).load() for v, total in enumerate(sums)]

    sums = repeat(size, a.lanes * UNROLLED, [a.zeros()] * UNROLLED, step)
    for v, total in enumerate(sums):
        (c + v * a.lanes).store(total)


def _streaming(formula: Callable, *, sources: int):
    """A loop that writes a formula of one or two arrays into the third, vector by vector."""

    def stream(a: Pointer, b: Pointer, c: Pointer, size: Int) -> None:
        def step(i, _):
            places = [i + v * a.lanes for v in range(UNROLLED)]
            loaded = [[(array + place).load() for array in (a, b)[:sources]] for place in places]
            for place, vectors in zip(places, loaded, strict=True):
                (c + place).store(formula(*vectors))

        repeat(size, a.lanes * UNROLLED, [], step)

    return primitive(stream)


class Stream(NamedTuple):
    """A loop that reads or writes each number of its arrays once."""

    name: str
    loop: Callable
    arrays: int


STREAMS = (
    Stream("read", _read, 1),
    Stream("copy", _streaming(lambda a: a, sources=1), 2),
    Stream("add", _streaming(lambda a, b: a + b, sources=2), 3),
)


def _repeated(loop: Callable, name: str) -> Callable:
    """Each rank of a team runs the loop on its own arrays, all at the same time."""

    def run(a, b, c, size, times, control, rank, team_size):
        barrier(Member(control, rank, team_size))
        for _ in range(times):
            loop(a, b, c, size)
        barrier(Member(control, rank, team_size))

    run.__qualname__ = f"repeated.{name}"
    return njit(nogil=True)(run)


@njit(nogil=True)
def _multiply_adds(x, times, control, rank, size):
    barrier(Member(control, rank, size))
    _multiply_add(x, times)
    barrier(Member(control, rank, size))


_LOOPS = {stream.name: _repeated(stream.loop, stream.name) for stream in STREAMS}


def _seconds(work: Callable, threads: int) -> float:
    """Seconds of `work(control, rank, size)` on a team; the best of several runs."""
    times = []
    for _ in range(RUNS):
        control = team.new_control()
        start = perf_counter()
        team.run(work, threads, control, amount=team.BRIEF)
        times.append(perf_counter() - start)
    return min(times)


def _rate(work_of: Callable[[int], Callable], amount: int, threads: int) -> float:
    """Amount of work per second; the work is repeated until it takes long enough to measure."""
    times = 1
    while (seconds := _seconds(work_of(times), threads)) < SECONDS:
        times = times * 2 if seconds < SECONDS / 10 else int(times * 1.2 * SECONDS / seconds) + 1
    return times * amount * threads / seconds


def arithmetic(threads: int) -> float:
    """Operations per second, two for each float32 multiply-add."""
    registers = [aligned_zeros(ACCUMULATORS * FLOAT32_LANES, np.dtype(np.float32)) for _ in range(threads)]

    def work_of(times):
        return lambda control, rank, size: _multiply_adds(registers[rank], times, control, rank, size)

    return _rate(work_of, 2 * ACCUMULATORS * FLOAT32_LANES, threads)


def _ones(size: int) -> np.ndarray:
    """Write the memory first: untouched memory would map to one page of zeros, which stays in the cache."""
    array = aligned_zeros(size, np.dtype(np.float32))
    array.fill(1)
    return array


def bandwidth(stream: Stream, footprint: int, threads: int) -> float:
    """Bytes per second when each thread loops over `footprint` bytes of its own."""
    step = FLOAT32_LANES * UNROLLED
    size = max(step, footprint // 4 // stream.arrays // step * step)
    arrays = [[_ones(size) for _ in range(3)] for _ in range(threads)]
    loop = _LOOPS[stream.name]

    def work_of(times):
        return lambda control, rank, team_size: loop(*arrays[rank], size, times, control, rank, team_size)

    return _rate(work_of, 4 * size * stream.arrays, threads)


def measure(threads: int) -> dict:
    """All peaks of this many threads.

    Returns
    -------
    dict
        `threads`; `arithmetic`, operations per second; `memory`: for each level its `bytes`, over all threads (none for
        DRAM), and the bytes per second of each stream.
    """
    levels, nearer = {}, 0
    for name, size in caches().items():
        own = size // threads if name == "L3" else size  # the level that cores share
        # Far more than the level before, and far less than this level and its page tables hold.
        footprint = int(sqrt(nearer * own)) or own // 2
        levels[name] = {"bytes": own * threads} | {s.name: bandwidth(s, footprint, threads) for s in STREAMS}
        nearer = own
    levels["DRAM"] = {"bytes": None} | {s.name: bandwidth(s, 4 * nearer, threads) for s in STREAMS}
    return {"threads": threads, "arithmetic": arithmetic(threads), "memory": levels}


def larger(one: dict, other: dict) -> dict:
    """The larger of two measurements of each peak: noise only makes it smaller."""
    if isinstance(one, dict):
        return {key: larger(value, other[key]) for key, value in one.items()}
    return one if one is None else max(one, other)


def least_seconds(peaks: dict, flops: float, traffic: float, footprint: float) -> float:
    """The least time that this machine needs for this work.

    The maximum of three: arithmetic; all traffic between registers and the first level; and from each further level at
    least what does not fit into the one before.
    """
    seconds, nearer = max(flops / peaks["arithmetic"], traffic / fastest(peaks, "L1")), 0
    for name, level in peaks["memory"].items():
        seconds = max(seconds, (footprint - nearer) / fastest(peaks, name))
        nearer = level["bytes"]
    return seconds


def fastest(peaks: dict, level: str) -> float:
    """Bytes per second of the level's fastest stream."""
    return max(peaks["memory"][level][stream.name] for stream in STREAMS)


def describe(peaks: dict) -> str:
    """The peaks, one per line."""
    lines = [f"{peaks['threads']} thread(s): {peaks['arithmetic'] / 1e9:.0f} GFLOP/s"]
    for name, level in peaks["memory"].items():
        speeds = ", ".join(f"{stream.name} {level[stream.name] / 1e9:.0f}" for stream in STREAMS)
        lines.append(f"  {name:>4}: {speeds} GB/s")
    return "\n".join(lines)


if __name__ == "__main__":
    for count in sorted({1, min(team.thread_limits().values())}):
        print(describe(measure(count)))
