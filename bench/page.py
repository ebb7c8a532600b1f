"""Building blocks of the report's page: tables, pictures, sections."""

import base64
from html import escape
from pathlib import Path
from typing import NamedTuple

from . import plots

CSS = Path(__file__).with_name("page.css")


class Cell(NamedTuple):
    """Of a table: HTML, and its class."""

    html: str
    kind: str = ""


def text(words: object) -> Cell:
    return Cell(escape(str(words)))


def number(words: object, kind: str = "") -> Cell:
    return Cell(escape(str(words)), f"number {kind}")


def met(met: bool, measured: bool = True) -> Cell:
    if not measured:
        return Cell("&ndash; not measured", "open")
    return Cell("&#10003; met", "met") if met else Cell("&#10007; not met", "missed")


def table(head: list[str], rows: list[list[Cell]]) -> str:
    """Columns of numbers are set to the right, head and all."""
    sides = ["number" if rows and "number" in rows[0][column].kind else "" for column in range(len(head))]
    top = "".join(f'<th class="{side}">{escape(name)}</th>' for name, side in zip(head, sides, strict=True))
    body = "".join(
        "<tr>" + "".join(f'<td class="{cell.kind}">{cell.html}</td>' for cell in row) + "</tr>\n"
        for row in rows
    )
    return f'<div class="scroll"><table><tr>{top}</tr>\n{body}</table></div>'


def picture(words: str, draw, *arguments) -> str:
    data = base64.b64encode(plots.styled(draw, *arguments).encode()).decode()
    return f'<img alt="{escape(words)}" src="data:image/svg+xml;base64,{data}">'


def section(title: str, note: str, *parts: str) -> str:
    return f'<h2>{escape(title)}</h2>\n<p class="note">{escape(note)}</p>\n' + "\n".join(parts)
