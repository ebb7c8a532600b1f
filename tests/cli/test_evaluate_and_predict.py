"""`fastmlp evaluate` and `fastmlp predict`."""

import json
import signal

from fastmlp import load, synthetic_digits
from tests.cli.commands import call, start


def test_evaluate_prints_what_the_model_says(model_file, capsys):
    assert call("evaluate", str(model_file), "--samples", "200", "--json") == 0
    scores = json.loads(capsys.readouterr().out)
    assert call("evaluate", str(model_file), "--samples", "200") == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [["loss", f"{scores['loss']:.4f}"], ["accuracy", f"{scores['accuracy']:.4f}"]]


def test_predict_writes_the_same_to_a_file_and_to_standard_output(model_file, empty_folder, capsys):
    assert call("predict", str(model_file), "--samples", "20") == 0
    printed = capsys.readouterr().out
    assert call("predict", str(model_file), "--samples", "20", "--out", "p.csv") == 0
    assert (empty_folder / "p.csv").read_text() == printed
    assert call("predict", str(model_file), "--samples", "10", "--out", "p.csv") == 2
    assert (empty_folder / "p.csv").read_text() == printed
    assert call("predict", str(model_file), "--samples", "20", "--out", "p.csv", "--overwrite") == 0
    assert (empty_folder / "p.csv").read_text() == printed
    head, *rows = (line.split(",") for line in printed.splitlines())
    assert head == ["index", "class", "probability"]
    images, _ = synthetic_digits(20, start=1 << 40)
    expected = load(model_file).predict(images)
    assert [int(row[0]) for row in rows] == list(range(20))
    assert [int(row[1]) for row in rows] == expected.argmax(axis=1).tolist()
    assert [row[2] for row in rows] == [f"{p:.6f}" for p in expected.max(axis=1)]


def test_predict_into_a_closed_pipe_ends_quietly(model_file):
    with start("predict", str(model_file)) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 128 + signal.SIGPIPE
