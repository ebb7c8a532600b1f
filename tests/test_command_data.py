"""Commands on tables: CSV and NPZ files, with the names of columns and classes carried through the model."""

import csv
from pathlib import Path

import numpy as np
import pytest

from fastmlp import MaxAbsScaler, StandardScaler, cli, load

OPTIONS = ("--layers", "8", "--epochs", "40", "--batch-size", "16", "--lr", "0.02", "--out", "run")
NAMES = ("lily", "rose", "tulip, red")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def flowers(count, seed=0):
    """Rows of length, width and kind, easy to tell apart."""
    random = np.random.default_rng(seed)
    kinds = random.integers(0, 3, count)
    X = random.normal(size=(count, 2)) * 0.3 + np.stack([kinds, -kinds], axis=1) * 3
    return X * [1, 1000], kinds


def write(name, count=200, seed=0, columns=("id", "length", "width", "kind")):
    X, kinds = flowers(count, seed)
    with Path(name).open("w", newline="") as file:
        writer = csv.writer(file)
        if columns:
            writer.writerow(columns)
        for number, (x, kind) in enumerate(zip(X.tolist(), kinds, strict=True)):
            row = {"id": f"#{number}", "length": x[0], "width": x[1], "kind": NAMES[kind]}
            writer.writerow([row[name] for name in columns or ("length", "width", "kind")])
    return X, kinds


def call(*arguments):
    try:
        return cli.main(arguments)
    except SystemExit as exit:
        return exit.code


def accuracy(capsys):
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "accuracy" in line]
    return float(line.replace(",", "").split()[-1 if line.startswith("accuracy") else 2])


def test_train_evaluate_and_predict(capsys):
    write("train.csv")
    _, kinds = write("new.csv", 20, seed=1, columns=("kind", "width", "id", "length"))
    assert call("train", "--data", "train.csv", "--label", "kind", "--drop", "id", *OPTIONS) == 0
    out = capsys.readouterr().out
    assert "train.csv: 160 training, 40 test samples of 2 features" in out
    model = load("run/model.safetensors")
    assert (model.feature_names, model.class_names) == (("length", "width"), NAMES)
    assert isinstance(model.layers[1], StandardScaler)
    assert call("evaluate", "run/model.safetensors", "--data", "new.csv", "--label", "kind") == 0
    assert accuracy(capsys) > 0.9
    assert call("predict", "run/model.safetensors", "--data", "new.csv") == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert np.mean([row["class"] == NAMES[kind] for row, kind in zip(rows, kinds, strict=True)]) > 0.9


def test_a_model_of_a_table_needs_a_table(capsys):
    write("train.csv", 40)
    assert call("train", "--data", "train.csv", "--label", "kind", "--drop", "id", *OPTIONS) == 0
    capsys.readouterr()
    for command in ("evaluate", "predict"):
        assert call(command, "run/model.safetensors") == 1
        assert capsys.readouterr().err == (
            "fastmlp: error: --data: expected samples of shape (2,), as the model was trained on, but those of "
            "synthetic digits have shape (28, 28); give a file or folder with such samples\n"
        )


def test_two_files_without_headers(capsys):
    write("train.csv", columns=())
    write("test.csv", 30, seed=1, columns=())
    arguments = ("--data", "train.csv", "--test", "test.csv", "--label", "last", "--scaler", "max_abs")
    assert call("train", *arguments, *OPTIONS, "--samples", "150") == 0
    assert "150 training, 30 test samples" in capsys.readouterr().out
    assert isinstance(load("run/model.safetensors").layers[1], MaxAbsScaler)
    assert (
        call("evaluate", "run/model.safetensors", "--data", "test.csv", "--label", "-1", "--samples", "10")
        == 0
    )


@pytest.mark.parametrize(
    "names", [("X", "y"), ("x_train", "y_train"), ("x_train", "y_train", "x_test", "y_test")]
)
def test_npz(names, capsys):
    X, kinds = flowers(100)
    np.savez("data.npz", **dict(zip(names, (X, kinds, X[:30], kinds[:30]), strict=False)))
    assert call("train", "--data", "data.npz", *OPTIONS) == 0
    out = capsys.readouterr().out
    assert ("100 training, 30 test" if len(names) == 4 else "80 training, 20 test") in out
    assert call("evaluate", "run/model.safetensors", "--data", "data.npz") == 0
    assert accuracy(capsys) > 0.9
    assert call("predict", "run/model.safetensors", "--data", "data.npz", "--samples", "3") == 0
    assert len(capsys.readouterr().out.splitlines()) == 4


ERRORS = {
    "train --data t.csv": "--label: expected the column of t.csv that holds the classes",
    "train --data t.csv --label kid": "t.csv: line 1: there is no column 'kid'",
    "train --data t.csv --label kind": "t.csv: line 2, column 0 ('id'): expected a number, got '#0'",
    "train --data t.csv --label kind --drop id --test-split 1.5": "--test-split: test_size: expected a share",
    "train --data t.csv --label kind --drop id --test v.csv": "line 2, column 3 ('kind'): expected one of the classes",
    "train --data a.npz": "a.npz: expected the arrays X and y, or x and y, or x_train and y_train, got Z",
    "train --data a.npz --label 0": "--label: expected with a CSV file only, got with an NPZ file",
    "train --data r.npz": "r.npz: expected classes to learn (whole numbers or text), got float64",
    "train --data o.csv --label kind": "o.csv: expected two classes or more to learn, all are oak",
    "train --data broken.npz": "broken.npz: not an NPZ file, or damaged",
}


@pytest.mark.parametrize("line", ERRORS)
def test_errors(line, folder, capsys):
    write("t.csv", 30)
    (folder / "v.csv").write_text("id,length,width,kind\n#0,1,2,oak\n")
    (folder / "o.csv").write_text("a,kind\n" + "1,oak\n2,oak\n" * 5)
    np.savez("a.npz", Z=np.eye(2))
    np.savez("r.npz", X=np.eye(10), y=np.linspace(0, 1, 10))
    (folder / "broken.npz").write_bytes((folder / "a.npz").read_bytes()[:60])
    before = sorted(folder.iterdir())
    assert call(*line.split()) in (1, 2)
    (error,) = capsys.readouterr().err.splitlines()
    assert error.startswith("fastmlp: error: ")
    assert ERRORS[line] in error
    assert sorted(folder.iterdir()) == before
