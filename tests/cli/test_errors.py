"""Errors are one line each, and nothing is left behind."""

import numpy as np
import pytest

from fastmlp import Dense, Flatten, Sequential, TrainingDiverged, load
from fastmlp.cli import warm_up
from fastmlp.cli.run_folder import MODEL
from fastmlp.data import mnist, write_idx
from fastmlp.data.folder import FILE_NAMES
from tests.cli.commands import SMALL, call, error_line, start

USAGE_ERRORS = {
    "fly": "unknown command 'fly'; expected one of train, evaluate, predict, info, warm (see fastmlp --help)",
    "trian": "unknown command 'trian': did you mean train?; expected one of",
    "train --learning-rate 0.1": "unknown option '--learning-rate': did you mean --lr? (see fastmlp train --help)",
    "train --epoch 3": "unknown option '--epoch': did you mean --epochs?",
    "train --layer=3": "unknown option '--layer': did you mean --layers?",
    "train --verbose": "unknown option '--verbose' (see fastmlp train --help)",
    "evaluate . digits": "unexpected argument 'digits' (see fastmlp evaluate --help)",
    "train --epochs 0": "--epochs: expected a whole number of at least 1, got '0' (see fastmlp train --help)",
    "train --threads many": "--threads: expected a whole number of at least 1, got 'many'",
    "train --layers": "--layers: expected at least one argument",
    "train --layers 8 0": "--layers: expected a whole number of at least 1, got '0'",
    "train --lr fast": "--lr: expected a number above 0, got 'fast'",
    "train --lr -1": "--lr: expected a number above 0, got '-1'",
    "train --lr nan": "--lr: expected a number above 0, got 'nan'",
    "train --activation rellu": "--activation: expected one of elu, gelu, gelu_tanh, ",
    "train --optimizer adm": "--optimizer: expected one of adadelta, adagrad, adam, adamw, ",
    "train --engine v8": "--engine: invalid choice: 'v8'",
    "train --dropout 1": "--dropout: expected a number from 0 and below 1, got '1'",
    "train --seed -1": "--seed: expected a whole number from 0 and below 2**63, got '-1'",
    "train --samples 10 --validation-split 0.01": "that leaves some of the 10 for training",
    "train --samples 10 --validation-split nan": "--validation-split: expected a number from 0 and below 1, got 'nan'",
    "train --data mnsit": "--data: there is no file or folder 'mnsit'; expected synthetic, mnist, a folder",
    "train --label kind": "--label: expected with a CSV file only, got with images",
    "train --encoding cp1252": "--encoding: expected with a CSV file only, got with images",
    "train --test other.csv": "--test: expected with a CSV file only, got with images",
    "train --data new.csv --label kind": "--data: there is no file or folder 'new.csv'; expected synthetic",
    "train --scaler robust": "--scaler: expected one of max_abs, min_max, none, standard",
    "evaluate .": "MODEL: expected the file of a model, but . is a folder; give model.safetensors",
    "evaluate missing": "MODEL: there is no file 'missing'; expected one that `fastmlp train` wrote",
    "predict missing": "MODEL: there is no file 'missing'",
    "train --data .": "train-images-idx3-ubyte",
}


@pytest.mark.parametrize("line", USAGE_ERRORS)
def test_wrong_usage(line, empty_folder, capsys):
    assert call(*line.split()) == 2
    assert USAGE_ERRORS[line] in error_line(capsys)
    assert list(empty_folder.iterdir()) == []


FAILURES = {
    "train --layers 100000000000000": (1, "Unable to allocate"),
    "train --out {file}/run": (2, "run: cannot write results there: Not a directory; give --out"),
    "evaluate {file}": (1, "file: not a model file"),
    "evaluate {model} --data .": (2, "train-images-idx3-ubyte"),
    "predict {model} --out {file}": (2, "file exists already; give another file, or --overwrite"),
    "predict {model} --out {file}/p.csv": (2, "no such folder, create it first"),
    "predict {model} --out {folder}": (2, "this is a folder, give the name of a file"),
}


@pytest.mark.parametrize("line", FAILURES)
def test_failure(line, model_file, empty_folder, tmp_path, capsys):
    (tmp_path / "file").write_text("some text")
    (tmp_path / "folder").mkdir()
    places = {"file": tmp_path / "file", "folder": tmp_path / "folder", "model": model_file}
    code, message = FAILURES[line]
    assert call(*line.format(**places).split()) == code
    assert message in error_line(capsys)
    assert list(empty_folder.iterdir()) == []
    assert (tmp_path / "file").read_text() == "some text"


def test_out_that_is_a_file(tmp_path, capsys):
    (tmp_path / "file").write_text("some text")
    assert call("train", *SMALL, "--out", str(tmp_path / "file")) == 2
    assert "file is a file" in error_line(capsys)


def test_model_with_one_flipped_bit(model_file, tmp_path, capsys):
    damaged = bytearray(model_file.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (tmp_path / "damaged").write_bytes(damaged)
    assert call("evaluate", str(tmp_path / "damaged")) == 1
    assert "damaged: " in error_line(capsys)


def test_model_for_other_images(model_file, idx_folder, capsys):
    for name in (FILE_NAMES[0], FILE_NAMES[2]):
        write_idx(idx_folder / name, np.zeros((300 if name == FILE_NAMES[0] else 100, 5, 5), np.uint8))
    assert call("evaluate", str(model_file), "--data", str(idx_folder)) == 1
    assert "--data: expected samples of shape (28, 28), as the model was trained on" in error_line(capsys)


def test_model_of_classes_without_probabilities(tmp_path, capsys):
    Sequential([Flatten(), Dense(10)], loss="cross_entropy").build((28, 28)).save(tmp_path / "linear")
    assert call("predict", str(tmp_path / "linear")) == 2
    assert "expected a model of values, or a model of classes whose last layer is softmax" in error_line(
        capsys
    )


@pytest.mark.parametrize("name", FILE_NAMES)
def test_truncated_idx_file(name, idx_folder, empty_folder, capsys):
    path = idx_folder / name
    path.write_bytes(path.read_bytes()[:-1])
    assert call("train", *SMALL, "--data", str(idx_folder), "--out", "run") == 1
    assert name in error_line(capsys)
    assert list(empty_folder.iterdir()) == []


def test_mnist_without_a_network(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(mnist, "MIRRORS", ("http://127.0.0.1:9/", "http://127.0.0.1:9/again/"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert call("train", "--data", "mnist") == 1
    assert "no mirror delivered train-images-idx3-ubyte" in error_line(capsys)


def test_divergence_in_the_first_epoch_leaves_nothing(empty_folder, capsys):
    assert call("train", *SMALL, "--optimizer", "sgd", "--lr", "1e30", "--out", "run") == 1
    assert "the loss is not finite in epoch 1" in error_line(capsys)
    assert list(empty_folder.iterdir()) == []


def test_the_optimizer_asked_for_is_compiled_beforehand(monkeypatch, empty_folder):
    warmed = []
    monkeypatch.setattr(warm_up, "warm_training", lambda *names, **options: warmed.append(names))
    assert call("train", *SMALL, "--optimizer", "lion", "--out", "run") == 0
    assert warmed == [("lion",)]


def test_divergence_later_keeps_the_last_good_weights(empty_folder, monkeypatch, capsys):
    fit = Sequential.fit

    def diverge(model, X, y, *, epochs, **settings):
        fit(model, X, y, epochs=1, **settings)
        raise TrainingDiverged("the loss is not finite in epoch 2")

    monkeypatch.setattr(Sequential, "fit", diverge)
    assert call("train", *SMALL, "--out", "run", "--engine", "reference") == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == (
        "fastmlp: error: the loss is not finite in epoch 2; the model is saved in run; whole epochs so far: 1"
    )
    assert load(empty_folder / "run" / MODEL).parameters == 12730


def test_wrong_vector_width_is_one_line():
    process = start("info", FASTMLP_LANES="5")
    _, err = process.communicate()
    assert process.returncode == 1
    assert err.splitlines() == [
        "fastmlp: error: FASTMLP_LANES: expected 4, 8 or 16 float32 lanes, got '5'; unset it"
    ]
