"""This machine's processor: its maker and its caches. They decide in which order work is done, and never a bit."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..kernels import schema, simd

# Of cores whose caches the system does not tell.
_TYPICAL = {"L1": 32 << 10, "L2": 1 << 20, "L3": 32 << 20}


@cache
def caches() -> dict[str, int]:
    """Bytes of each level of data cache that one core can use, by "L1", "L2", "L3"."""
    sizes = dict(_TYPICAL)
    for folder in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        try:
            kind, level, size = ((folder / name).read_text().strip() for name in ("type", "level", "size"))
        except OSError:
            continue
        found = re.fullmatch(r"(\d+)([KM])", size)
        if kind != "Instruction" and found:
            sizes[f"L{level}"] = int(found[1]) << {"K": 10, "M": 20}[found[2]]
    return sizes


@cache
def maker() -> str:
    """Who made the processor, as it says itself: "GenuineIntel", "AuthenticAMD"; "" if the system does not tell."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("vendor_id")), "")


class Rule(NamedTuple):
    """What products ask for ahead on one kind of core; docs/decisions/0028 has the measurements.

    `above` counts second-level caches: products with smaller matrices ask for nothing.
    """

    weights: np.int64  # of products with weights
    weights_above: float
    gradient: np.int64  # of the gradient of weights
    gradient_above: float  # by the size of the deltas


# Intel's cores have a third level that is far away, and wait for each row of a wide matrix.
_INTEL = Rule(schema.ROWS_AHEAD, 0.5, schema.ROWS_AHEAD, 0.125)
# AMD's cores with AVX2 wait for the first rows of each panel.
_AMD = Rule(schema.NEXT_PANEL, 4.0, schema.ROWS_AHEAD, 1.0)
# What nobody has measured asks for nothing.
_UNKNOWN = Rule(schema.NO_PREFETCH, 0.0, schema.NO_PREFETCH, 0.0)


@cache
def prefetch_rule() -> Rule:
    """What the products of this machine ask for ahead: see `schema.NO_PREFETCH`."""
    if maker() == "GenuineIntel":
        return _INTEL
    return _AMD if maker() == "AuthenticAMD" and simd.HOST_LANES == 8 else _UNKNOWN


def weights_prefetch(size: int) -> int:
    """What products with a matrix of weights of this many bytes ask for."""
    rule = prefetch_rule()
    return int(rule.weights if size > rule.weights_above * caches()["L2"] else schema.NO_PREFETCH)


def gradient_prefetch(size: int) -> int:
    """What the gradient of weights asks for, whose deltas have this many bytes."""
    rule = prefetch_rule()
    return int(rule.gradient if size > rule.gradient_above * caches()["L2"] else schema.NO_PREFETCH)
