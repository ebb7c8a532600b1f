"""Commands on tables: CSV and NPZ files, with the names of columns and classes carried through the model."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest

from fastmlp import MaxAbsScaler, StandardScaler, load
from fastmlp.cli import parser
from fastmlp.metrics import r2

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
        return parser.main(arguments)
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
    "train --data t.csv": "--label: expected the column of t.csv with the classes",
    "train --data t.csv --label kid": "t.csv: line 1: there is no column 'kid'",
    "train --data t.csv --label kind": "t.csv: line 2, column 1 ('id'): expected a number, got '#0'",
    "train --data t.csv --label kind --drop id --test-split 1.5": "--test-split: test_size: expected a share",
    "train --data t.csv --label kind --drop id --test v.csv": "line 2, column 4 ('kind'): expected one of the classes",
    "train --data a.npz": "a.npz: expected the arrays X and y, or x and y, or x_train and y_train, got Z",
    "train --data a.npz --label 0": "--label: expected with a CSV file only, got with an NPZ file",
    "train --data o.csv --label kind": "o.csv: expected two classes or more, but all samples are of class oak",
    "train --data t.csv --targets kind --drop id": "line 2, column 4 ('kind'): expected a number, got",
    "train --data t.csv --label kind --targets width": "--label: expected --label (classes) or --targets (values), got",
    "train --data a.npz --targets 0": "--targets: expected with a CSV file only, got with an NPZ file",
    "train --targets 0": "--targets: expected with a CSV file only, got with images",
    "train --data broken.npz": "broken.npz: not an NPZ file of numbers and texts, or damaged",
}


@pytest.mark.parametrize("line", ERRORS)
def test_errors(line, folder, capsys):
    write("t.csv", 30)
    (folder / "v.csv").write_text("id,length,width,kind\n#0,1,2,oak\n")
    (folder / "o.csv").write_text("a,kind\n" + "1,oak\n2,oak\n" * 5)
    np.savez("a.npz", Z=np.eye(2))
    (folder / "broken.npz").write_bytes((folder / "a.npz").read_bytes()[:60])
    before = sorted(folder.iterdir())
    assert call(*line.split()) in (1, 2)
    (error,) = capsys.readouterr().err.splitlines()
    assert error.startswith("fastmlp: error: ")
    assert ERRORS[line] in error
    assert sorted(folder.iterdir()) == before


def houses(name, count=300, seed=0):
    """Rows of area, age, price and rent; the values are formulas of the features and a little noise."""
    random = np.random.default_rng(seed)
    X = random.uniform(size=(count, 2)) * [200, 50]
    values = np.stack([X[:, 0] / 100 - X[:, 1] / 50, X[:, 1] / 25], axis=1)
    values += 0.01 * random.normal(size=values.shape)
    rows = np.hstack([X, values])
    np.savetxt(name, rows, delimiter=",", header="area,age,price,rent", comments="", fmt="%.17g")
    return X.astype(np.float32), values


def predicted(capsys, columns):
    header, *lines = csv.reader(capsys.readouterr().out.splitlines())
    assert header == ["index", *columns]
    assert [int(line[0]) for line in lines] == list(range(len(lines)))
    return np.array([line[1:] for line in lines], np.float32)


@pytest.mark.parametrize("columns", [("price",), ("rent", "price")])
def test_values(columns, capsys):
    houses("train.csv")
    X, values = houses("new.csv", 50, seed=1)
    places = [["price", "rent"].index(column) for column in columns]
    drop = ("--drop", "rent") if len(columns) == 1 else ()
    arguments = ("--data", "train.csv", "--targets", *columns, *drop, "--validation-split", "0.1", *OPTIONS)
    assert call("train", *arguments) == 0
    out = capsys.readouterr().out
    assert "train.csv: 216 training, 24 validation, 60 test samples of 2 features" in out
    model = load("run/model.safetensors")
    assert (model.feature_names, model.class_names) == (("area", "age"), ())
    assert (
        call("evaluate", "run/model.safetensors", "--data", "new.csv", "--targets", *columns, "--json") == 0
    )
    scores = json.loads(capsys.readouterr().out)
    expected = model.predict(X)
    assert scores["r2"] == pytest.approx(r2(values[:, places], expected), abs=1e-5)
    assert scores["r2"] > 0.95
    assert scores["mean_absolute_error"] == pytest.approx(
        np.abs(expected - values[:, places]).mean(), rel=1e-4
    )
    shown = re.search(r"test mean absolute error (\S+), r2 (\S+), loss (\S+)\n", out)
    assert float(shown[2]) > 0.95
    assert call("predict", "run/model.safetensors", "--data", "new.csv") == 0
    names = ("value",) if len(columns) == 1 else ("value_0", "value_1")
    np.testing.assert_array_equal(predicted(capsys, names), expected)  # all digits


def test_labels_that_are_numbers_come_back_as_they_are_written(capsys):
    X, kinds = flowers(120)
    for labels in (("01", "02", "03"), ("1", "2", "3"), ("1.0", "2.0", "5.0"), ("-1", "+1", "7")):
        rows = [f"{x[0]},{x[1]},{labels[kind]}" for x, kind in zip(X.tolist(), kinds, strict=True)]
        Path("t.csv").write_text("\n".join(["a,b,kind", *rows]))
        assert call("train", "--data", "t.csv", "--label", "kind", *OPTIONS, "--overwrite") == 0
        assert load("run/model.safetensors").class_names == labels
        capsys.readouterr()
        assert call("predict", "run/model.safetensors", "--data", "t.csv") == 0
        found = [row["class"] for row in csv.DictReader(capsys.readouterr().out.splitlines())]
        assert np.mean([name == labels[kind] for name, kind in zip(found, kinds, strict=True)]) > 0.9


def test_an_npz_file_may_lack_some_classes(capsys):
    X, kinds = flowers(100)
    np.savez("all.npz", X=X, y=kinds + 1)
    np.savez("some.npz", X=X[kinds > 0], y=kinds[kinds > 0] + 1)
    np.savez("other.npz", X=X, y=kinds)
    assert call("train", "--data", "all.npz", *OPTIONS) == 0
    assert load("run/model.safetensors").class_names == ("1", "2", "3")
    capsys.readouterr()
    assert call("evaluate", "run/model.safetensors", "--data", "some.npz") == 0
    assert accuracy(capsys) > 0.9
    assert call("evaluate", "run/model.safetensors", "--data", "other.npz") == 1
    assert "other.npz: y: expected the classes 1, 2, 3, got '0'" in capsys.readouterr().err


def test_another_encoding(capsys):
    X, kinds = flowers(60)
    names = ("Käfer", "Öl", "x")
    rows = [f"{x[0]};{x[1]};{names[kind]}" for x, kind in zip(X.tolist(), kinds, strict=True)]
    Path("t.csv").write_bytes("\r\n".join(["a;größe;art", *rows]).encode("cp1252"))
    assert call("train", "--data", "t.csv", "--label", "art", *OPTIONS) == 1
    assert "--encoding cp1252" in capsys.readouterr().err
    assert call("train", "--data", "t.csv", "--label", "art", "--encoding", "cp1252", *OPTIONS) == 0
    model = load("run/model.safetensors")
    assert (model.class_names, model.feature_names) == (("Käfer", "x", "Öl"), ("a", "größe"))
    assert call("predict", "run/model.safetensors", "--data", "t.csv", "--encoding", "cp1252") == 0


def test_values_of_an_npz_file(capsys):
    X, values = houses("unused.csv")
    np.savez("data.npz", X=X, y=values[:, 0])
    np.savez("classes.npz", X=X, y=np.arange(len(X)))
    assert call("train", "--data", "data.npz", *OPTIONS) == 0
    assert call("evaluate", "run/model.safetensors", "--data", "data.npz") == 0
    capsys.readouterr()
    assert call("predict", "run/model.safetensors", "--data", "data.npz", "--out", "p.csv") == 0
    assert len(Path("p.csv").read_text().splitlines()) == 301
    assert call("evaluate", "run/model.safetensors", "--data", "classes.npz") == 2
    assert "classes.npz: y: expected values (floats), as the model was trained on" in capsys.readouterr().err


def test_classes_are_not_values(capsys):
    write("t.csv")
    houses("h.csv")
    assert call("train", "--data", "t.csv", "--label", "kind", "--drop", "id", *OPTIONS) == 0
    assert call("evaluate", "run/model.safetensors", "--data", "t.csv", "--targets", "width") == 2
    assert "--targets: expected --label, because the model predicts classes" in capsys.readouterr().err
    assert call("train", "--data", "h.csv", "--targets", "price", *OPTIONS, "--overwrite") == 0
    assert call("evaluate", "run/model.safetensors", "--data", "h.csv", "--label", "price") == 2
    assert "--label: expected --targets, because the model predicts values" in capsys.readouterr().err
