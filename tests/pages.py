"""The pages (README and docs/) and their code blocks.

`python` blocks run, all of a page in one namespace; an `output` block is what the `python` block before it prints; `sh`
blocks hold commands; `text` blocks are not checked.
"""

import contextlib
import io
import re
import shlex
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
}
LANGUAGES = {"python", "output", "sh", "text"}

_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\S*)[^\n]*\n(?P<code>.*?)^(?P=indent)```$", re.DOTALL | re.M
)


class Block(NamedTuple):
    """A code block: its language, its text, and the line of the page it starts at."""

    language: str
    code: str
    line: int


def blocks(page: str) -> list[Block]:
    """The code blocks of a page."""
    text = PAGES[page]
    return [
        Block(found["language"], found["code"], text.count("\n", 0, found.start("code")))
        for found in _FENCE.finditer(text)
    ]


def commands(page: str) -> list[list[str]]:
    """The commands of a page as lists of words."""
    return [
        shlex.split(command)
        for block in blocks(page)
        if block.language == "sh"
        for line in block.code.replace("\\\n", " ").splitlines()
        for command in line.split("#")[0].split("&&")
        if command.strip()
    ]


def run(page: str) -> dict[str, Any]:
    """Run the Python of a page in the current folder, check what it prints, and return its names."""
    names: dict[str, Any] = {"__name__": "__page__"}
    printed = ""
    for block in blocks(page):
        if block.language == "output":
            assert printed == block.code, f"{page}, line {block.line + 1}: it prints\n{printed}"
        if block.language == "python":
            out = io.StringIO()
            # Empty lines in front, so that an error names the line of the page.
            code = compile("\n" * block.line + block.code, page, "exec")
            with contextlib.redirect_stdout(out):
                exec(code, names)  # noqa: S102  # our own pages
            printed = out.getvalue()
    return names
