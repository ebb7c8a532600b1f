"""`fastmlp train`: what it writes and prints."""

import json
import time

from fastmlp import load
from fastmlp.cli.run_folder import HISTORY, MODEL, PICTURE
from tests.cli.commands import SMALL, call, error_line


def test_train_writes_model_history_and_picture(empty_folder, capsys):
    assert call("train", *SMALL, "--out", "run", "--validation-split", "0.2", "--dropout", "0.1") == 0
    out, err = capsys.readouterr()
    assert [line.split("  ")[0] for line in err.splitlines()] == ["epoch 1/2", "epoch 2/2"]
    assert "400 training, 100 validation, 10,000 test images of 28 x 28 pixels" in out
    assert "784-16-10, relu, dropout 0.1, 12,730 parameters" in out
    assert "test accuracy 0." in out
    assert out.splitlines()[-3:] == [f"run/{name}" for name in (MODEL, HISTORY, PICTURE)]
    assert sorted(path.name for path in (empty_folder / "run").iterdir()) == sorted([MODEL, HISTORY, PICTURE])
    history = json.loads((empty_folder / "run" / HISTORY).read_text())
    assert history["epochs"] == [1, 2]
    assert {"loss", "val_loss", "accuracy", "val_accuracy", "seconds"} <= history["metrics"].keys()
    assert (empty_folder / "run" / PICTURE).read_bytes().startswith(b"\x89PNG")


def test_train_prints_the_accuracy_of_the_saved_model(capsys):
    call("train", *SMALL, "--out", "run")
    printed = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("test accuracy"))
    call("evaluate", f"run/{MODEL}", "--json")
    scores = json.loads(capsys.readouterr().out)
    assert printed == f"test accuracy {scores['accuracy']:.4f}, loss {scores['loss']:.4f}"


def test_a_folder_that_holds_no_new_one(empty_folder, capsys):
    (empty_folder / "runs").write_text("a file where the folders of runs go")
    assert call("train", *SMALL) == 2
    assert "cannot write results there: Not a directory; give --out" in error_line(capsys)


def test_train_makes_a_new_folder_for_every_run(empty_folder, monkeypatch):
    monkeypatch.setattr(time, "strftime", lambda _: "now")
    for _ in range(3):
        assert call("train", *SMALL, "--epochs", "1") == 0
    assert sorted(path.name for path in (empty_folder / "runs").iterdir()) == ["now", "now_2", "now_3"]


def test_train_keeps_an_earlier_run(empty_folder, capsys):
    arguments = ("train", *SMALL, "--out", "run")
    call(*arguments)
    before = (empty_folder / "run" / MODEL).read_bytes()
    capsys.readouterr()
    assert call(*arguments, "--seed", "1") == 2
    assert "holds an earlier run" in error_line(capsys)
    assert (empty_folder / "run" / MODEL).read_bytes() == before
    assert call(*arguments, "--seed", "1", "--overwrite") == 0
    assert (empty_folder / "run" / MODEL).read_bytes() != before


def test_train_gives_the_same_file_for_any_number_of_threads(empty_folder):
    for threads in "123":
        call("train", *SMALL, "--dropout", "0.1", "--threads", threads, "--out", threads)
    files = {(empty_folder / threads / MODEL).read_bytes() for threads in "123"}
    assert len(files) == 1


def test_train_takes_every_option(empty_folder):
    options = ("--activation", "tanh", "--optimizer", "momentum", "--lr", "0.02", "--seed", "5", "--engine")
    assert call("train", *SMALL, *options, "reference", "--layers", "8", "7", "--out", "run") == 0
    model = load(empty_folder / "run" / MODEL)
    assert [getattr(layer, "units", None) for layer in model.layers] == [None, 8, 7, 10]
    assert [layer.activation for layer in model.layers[1:]] == ["tanh", "tanh", "softmax"]
    assert (model.optimizer.name, model.optimizer.learning_rate, model.seed) == ("momentum", 0.02, 5)


def test_train_reads_a_folder_of_idx_files(idx_folder, capsys):
    assert call("train", *SMALL, "--data", str(idx_folder), "--out", "run") == 0
    assert "images: 300 training, 100 test images of 28 x 28 pixels" in capsys.readouterr().out
    assert call("evaluate", f"run/{MODEL}", "--data", str(idx_folder)) == 0
