"""The speed table of the README, written between two markers by `python -m bench training --readme` alone."""

from pathlib import Path

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- speed:begin -->", "<!-- speed:end -->"


def with_table(text: str, table: str) -> str:
    """The text with what stands between the markers replaced.

    Raises
    ------
    ValueError
        If the two markers are not there, once each and in this order.
    """
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise ValueError(f"README: expected {BEGIN} and, after it, {END}, once each")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def write(table: str) -> None:
    """Put the table into the README."""
    README.write_text(with_table(README.read_text(encoding="utf-8"), table), encoding="utf-8")
