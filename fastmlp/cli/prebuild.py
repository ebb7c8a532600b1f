"""Compiles everything for other processors, into the package: `python -m fastmlp.cli.prebuild float32`.

This is a part of making a platform wheel, see `release/platform_wheel.py`. A processor's machine code is compiled, not
run, so that of AVX-512 can be made where there is only AVX2. Numba and fastmlp read what they compile for when they are
imported, so each target has a process, all at the same time.
"""

from __future__ import annotations

import os
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Sequence

import numba

from ..engine.catalogue import compilations
from ..kernels import simd
from ..kernels.compiler import jit, prebuilt


def main(arguments: Sequence[str] | None = None) -> None:
    """Compile for all targets, or for the one that is named."""
    parser = ArgumentParser(prog="python -m fastmlp.cli.prebuild", description=__doc__)
    parser.add_argument("dtypes", nargs="+", choices=["float32", "float64"])
    parser.add_argument("--target", choices=prebuilt.TARGETS, help="compile in this process")
    options = parser.parse_args(arguments)
    if options.target:
        _compile(prebuilt.TARGETS[options.target], options.dtypes)
    else:
        _start_all(options.dtypes)


def _start_all(dtypes: Sequence[str]) -> None:
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "fastmlp.cli.prebuild", *dtypes, "--target", target.name],
            env={**os.environ, **target.environment(), "FASTMLP_BOUNDSCHECK": "", "FASTMLP_TIMED": ""},
        )
        for target in prebuilt.TARGETS.values()
    ]
    codes = [process.wait() for process in running]
    if any(codes):
        sys.exit("prebuild: a process failed, see above")


def _compile(target: prebuilt.Target, dtypes: Sequence[str]) -> None:
    if target.name != numba.config.CPU_NAME or target.lanes != simd.FLOAT32_LANES:
        sys.exit(f"prebuild: --target {target.name}: expected the environment {target.environment()}")
    folder = prebuilt.FOLDER / target.name
    folder.mkdir(parents=True)
    jit.keep_in(folder)
    for entry, types in compilations(dtypes):
        entry.compile(types)
    prebuilt.list_contents(target)


if __name__ == "__main__":
    main()
