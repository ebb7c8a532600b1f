"""docs/origins.md: whatever the five origins can do is in its tables, and the tests and examples it names are there."""

import ast
import re
from functools import cache
from typing import NamedTuple

import pytest

from tests.pages import PAGES, ROOT

ROWS_OF_ORIGIN = {1: 9, 2: 7, 3: 8, 4: 8, 5: 4}
MISSING = "missing"


class Row(NamedTuple):
    """A thing that an origin can do; its tests and what shows it, or `missing`."""

    origin: int
    what: str
    tests: list[str]
    shown_in: list[str]


def rows() -> list[Row]:
    """All rows of all tables."""
    found = []
    for number, section in re.findall(
        r"^## Origin (\d)(.*?)(?=^## |\Z)", PAGES["docs/origins.md"], re.DOTALL | re.MULTILINE
    ):
        for line in section.splitlines():
            if line.startswith("|") and not line.startswith(("| what it has", "|---")):
                what, _, tests, shown_in = (cell.strip() for cell in line.strip("|").split("|"))
                found.append(Row(int(number), what, _names(tests), _names(shown_in)))
    return found


def _names(cell: str) -> list[str]:
    return [MISSING] if cell == MISSING else re.findall(r"`([^`]+)`", cell)


ROWS = rows()


@cache
def functions_of(path: str) -> set[str]:
    """The test functions of a file, which is parsed and not imported."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_row_of_every_origin_is_listed():
    assert {origin: sum(row.origin == origin for row in ROWS) for origin in ROWS_OF_ORIGIN} == ROWS_OF_ORIGIN
    assert len({(row.origin, row.what) for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.origin}: {row.what}")
def test_tests_and_examples_are_there(row):
    assert row.tests and row.shown_in
    for test in row.tests:
        if test != MISSING:
            path, _, name = test.partition("::")
            assert name.startswith("test_") and name in functions_of(path), test
    for path in row.shown_in:
        assert path == MISSING or (ROOT / path).is_file(), path


def test_every_example_is_on_the_page_of_examples():
    for path in sorted((ROOT / "examples").glob("*.py")):
        assert f"python examples/{path.name}" in PAGES["docs/guide/examples.md"], path
