"""The list of the examples is whole, and each has a test."""

import re
from pathlib import Path

from tests.examples.scripts import EXAMPLES


def test_each_example_has_a_row_and_a_test():
    scripts = {path.name for path in EXAMPLES.glob("*.py")}
    rows = re.findall(r"(?m)^\| `(\S+)` .*`python examples/(\S+)` \|$", (EXAMPLES / "README.md").read_text())
    assert {name for name, _ in rows} == scripts
    assert all(name == command for name, command in rows)
    assert {f"test_{name}" for name in scripts} <= {path.name for path in Path(__file__).parent.iterdir()}
