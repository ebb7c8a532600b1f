"""The files that docs/internal/origins.md names as tests and as examples exist."""

import re

from tests.pages import PAGES, ROOT


def test_the_files_exist():
    named = re.findall(r"`((?:tests|examples|docs)/[^`]+)`", PAGES["docs/internal/origins.md"])
    assert named
    assert [path for path in named if not (ROOT / path).is_file()] == []
