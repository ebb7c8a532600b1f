"""The share of the machine's peak that each kernel reaches."""

from typing import NamedTuple

from .peaks import least_seconds


class Share(NamedTuple):
    """A kernel on one shape, compared with its reference and with the machine."""

    kernel: str
    row: str
    threads: int
    seconds: float
    speed: float  # GFLOP/s or GB/s
    unit: str
    intensity: float  # operations per byte
    footprint: float
    ratio: float  # times faster than NumPy
    peak: float  # share of the peak; above 1 the measurement is wrong


def shares(figures: list[dict], machine: list[dict]) -> list[Share]:
    """The shares of all kernels that were measured together with their references.

    Parameters
    ----------
    figures : list of dict
        `extra_info` of `bench_kernels`.
    machine : list of dict
        The peaks of one thread, and of all.
    """
    by_threads = {peaks["threads"]: peaks for peaks in machine}
    twins = {_key(one): one["seconds"] for one in figures if one["side"] == "NumPy"}
    found = []
    for one in figures:
        if one["side"] == "kernel" and _key(one) in twins:
            seconds = one["seconds"]
            unit, amount = ("GFLOP/s", one["flops"]) if one["flops"] else ("GB/s", one["traffic"])
            least = least_seconds(by_threads[one["threads"]], one["flops"], one["traffic"], one["footprint"])
            found.append(
                Share(
                    *_key(one), seconds, amount / seconds / 1e9, unit, one["flops"] / one["traffic"],
                    one["footprint"], twins[_key(one)] / seconds, least / seconds,
                )
            )  # fmt: skip
    return found


def _key(one: dict) -> tuple[str, str, int]:
    return one["kernel"], one["row"], one["threads"]


def lines(figures: list[dict], machine: list[dict]) -> list[str]:
    """The shares as a table for the terminal."""
    return [
        f"{share.kernel:<20} {share.row:<28} {share.threads} thread(s) {share.speed:7.1f} {share.unit:<8} "
        f"{share.peak:5.0%} of the peak, {share.ratio:6.2f}x NumPy"
        for share in shares(figures, machine)
    ]
