"""The table that `python -m tests.peers` prints."""

import pytest

from tests.peers import __main__ as table
from tests.peers.twenty_steps import Row


def test_lines(capsys):
    row = Row("PyTorch", {"float32": 1.25e-7, "float64": 0.0}.get)
    table.print_table({"parameters": {"sgd": row}, "rates": {"constant": row._replace(peer="by hand")}})
    assert capsys.readouterr().out.splitlines() == [
        "largest difference                  peer         float32   float64",
        "",
        "parameters",
        "  sgd                               PyTorch      1.2e-07         0",
        "",
        "rates",
        "  constant                          by hand      1.2e-07         0",
    ]


def test_every_row_fits_and_is_there_once():
    names = [(title, what) for title, rows in table.sections().items() for what in rows]
    assert len(names) > 90
    assert max(len(what) for _, what in names) < 34


def test_a_missing_peer_is_named(monkeypatch):
    monkeypatch.setattr(table, "PEERS", ("torch", "no_such_peer"))
    with pytest.raises(SystemExit, match="missing: pip install no_such_peer"):
        table.main()
