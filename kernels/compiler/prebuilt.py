"""Machine code that comes with the package: for which processors, and whether this process may use it.

A platform wheel carries a folder for each target, a kind of processor, with machine code in the files of Numba's cache.
This code is trusted as the Python files beside it are: whoever can write here can change those too. It is used only if
it was made from these very sources, by the same Python, Numba and llvmlite, for a target whose features this processor
has and whose vectors are as wide as those of this process. Otherwise it is as if it were not there.
"""

import hashlib
import json
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numba

from .. import simd
from .cache import PACKAGE, stamp

FOLDER = PACKAGE / "prebuilt"
_CONTENTS = "contents.json"


class Target(NamedTuple):
    """A kind of processor."""

    name: str  # LLVM's
    lanes: int  # float32 numbers of a vector
    features: tuple[str, ...]  # all that its machine code may use, in LLVM's words

    def environment(self) -> dict[str, str]:
        """The environment variables of a process that compiles for it."""
        features = ",".join(f"+{name}" for name in self.features)
        return {"NUMBA_CPU_NAME": self.name, "NUMBA_CPU_FEATURES": features, "FASTMLP_LANES": str(self.lanes)}


# The levels of the x86-64 psABI. A level contains those before it.
_V2 = (
    "cmov", "crc32", "cx16", "cx8", "fxsr", "mmx", "popcnt", "sahf", "sse", "sse2", "sse3", "sse4.1", "sse4.2", "ssse3",
)  # fmt: skip
_V3 = (*_V2, "avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe", "xsave")
_V4 = (*_V3, "avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl")
TARGETS = {target.name: target for target in (Target("x86-64-v3", 8, _V3), Target("x86-64-v4", 16, _V4))}


class Prebuilt(NamedTuple):
    """The machine code for a target."""

    folder: Path
    digests: dict[str, str]  # SHA-256 of each file

    def is_intact(self, start: str) -> bool:
        """Whether there are files whose names start like this, and all are as they were written."""
        names = [name for name in self.digests if name.startswith(start)]
        try:
            return bool(names) and all(_digest(self.folder / name) == self.digests[name] for name in names)
        except OSError:
            return False


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _made_for(target: Target) -> dict[str, str]:
    """What has to be the same in the process that makes machine code and in one that uses it."""
    return {
        "target": target.name,
        "system": simd.TRIPLE,
        "stamp": stamp(),
        "python": str(sys.implementation.cache_tag),
        "numba": numba.__version__,
        "llvmlite": simd.LLVMLITE_VERSION,
    }


def list_contents(target: Target) -> None:
    """Write down which files there are for a target, and for whom; after the last of them."""
    folder = FOLDER / target.name
    digests = {path.name: _digest(path) for path in sorted(folder.glob("*.nb*"))}
    contents = {"made_for": _made_for(target), "sha256": digests}
    (folder / _CONTENTS).write_text(json.dumps(contents, indent=1) + "\n", encoding="utf-8")


@cache
def found() -> Prebuilt | None:
    """The machine code that this process may use; None if there is none."""
    if numba.config.CPU_NAME or numba.config.CPU_FEATURES:
        return None  # somebody wants code for another processor than this one
    for target in TARGETS.values():
        if target.lanes == simd.FLOAT32_LANES and simd.FEATURES.issuperset(target.features):
            return _read(target)
    return None


def _read(target: Target) -> Prebuilt | None:
    folder = FOLDER / target.name
    try:
        contents = json.loads((folder / _CONTENTS).read_text(encoding="utf-8"))
        if contents["made_for"] == _made_for(target):
            return Prebuilt(folder, dict(contents["sha256"]))
    except (OSError, ValueError, KeyError, TypeError):
        pass  # a pure wheel, or a damaged file
    return None
