"""The catalogue lists all that fastmlp compiles, so that `fastmlp warm` and platform wheels leave nothing out."""

import json
import subprocess
import sys

from fastmlp.engine.catalogue import compilations
from fastmlp.kernels import simd
from fastmlp.kernels.compiler.jit import ENTRIES
from tests.pages import ROOT


def test_everyday_work_calls_nothing_else():
    program = [sys.executable, "-m", "tests.every_entry", "float32", "mixed_bfloat16"]
    said = json.loads(subprocess.run(program, cwd=ROOT, capture_output=True, check=True).stdout)
    assert said["unlisted"] == []


def test_every_entry_is_listed():
    """But the one that only tests call, and the product on a matrix unit where there is none."""
    listed = {each.entry.py_func for each in compilations(["float32", "mixed_bfloat16"])}
    ours = {name: entry for name, entry in ENTRIES.items() if name.startswith("fastmlp.kernels.")}
    left_out = {name for name, entry in ours.items() if entry.py_func not in listed}
    impossible = set() if simd.matrix_unit().used else {"fastmlp.kernels.program.product_code.tiled_product"}
    assert left_out - impossible == {"fastmlp.kernels.program.entries.loss"}


def test_each_is_listed_once():
    for dtypes in (["float32"], ["float32", "float64"], ["float32", "mixed_bfloat16"]):
        listed = [(each.entry.py_func, each.types) for each in compilations(dtypes)]
        assert len(set(listed)) == len(listed)
