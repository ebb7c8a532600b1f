"""The command line: what each command prints and writes, every error in one line, and signals."""

import json
import os
import pty
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from fastmlp import Dense, Flatten, Sequential, TrainingDiverged, cli, load, synthetic_digits, warming
from fastmlp.data import mnist, write_idx
from fastmlp.data.folder import FILE_NAMES
from fastmlp.kernels import cache
from fastmlp.run_folder import HISTORY, MODEL, PICTURE
from fastmlp.team import thread_limits

SMALL = ("--samples", "500", "--layers", "16", "--epochs", "2", "--batch-size", "50")
# A test runner in the background ignores SIGINT, and its children would inherit that.
PROGRAM = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from fastmlp.cli import main; sys.exit(main())"
)


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    """Each test starts in a folder of its own with nothing in it."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(scope="module", autouse=True)
def compiled_kernels():
    """What a command prints must not depend on which test comes first."""
    warming.warm_training()
    warming.warm_training("sgd")


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained") / "run"
    assert call("train", *SMALL, "--out", str(folder)) == 0
    return folder / MODEL


@pytest.fixture
def idx_folder(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    arrays = [*synthetic_digits(300), *synthetic_digits(100, start=300)]
    for name, array in zip(FILE_NAMES, arrays, strict=True):
        write_idx(folder / name, array)
    return folder


def call(*arguments: str) -> int:
    """Run a command in this process; return its exit code."""
    try:
        return cli.main(arguments)
    except SystemExit as exit:
        return exit.code


def start(*arguments: str, **environment: str) -> subprocess.Popen:
    """Run a command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | environment,
    )  # fmt: skip


def error_line(capsys) -> str:
    """The one line on standard error."""
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("fastmlp: error: ")
    return lines[0]


# train


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
    assert call("train", *SMALL) == 1
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


# evaluate and predict


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


# Errors: one line each, and nothing left behind

USAGE_ERRORS = {
    "": "required: COMMAND",
    "fly": "invalid choice: 'fly'",
    "train --epochs 0": "--epochs: expected a whole number of at least 1, got '0'",
    "train --threads many": "--threads: expected a whole number of at least 1, got 'many'",
    "train --layers": "--layers: expected at least one argument",
    "train --layers 8 0": "--layers: expected a whole number of at least 1, got '0'",
    "train --lr fast": "--lr: invalid float value: 'fast'",
    "train --lr -1": "learning_rate is -1.0; expected above 0",
    "train --lr nan": "learning_rate is nan; expected a number",
    "train --activation rellu": "unknown activation 'rellu': expected one of elu, gelu, gelu_tanh, ",
    "train --optimizer adm": "unknown optimizer 'adm': expected one of adadelta, adagrad, adam, adamw, ",
    "train --engine v8": "unknown engine 'v8': expected one of kernels, reference",
    "train --dropout 1": "rate is 1.0; expected a number from 0 and below 1",
    "train --seed -1": "seed: expected a whole number from 0 and below 2**63, got -1",
    "train --samples 10 --validation-split 0.01": "that leaves some of the 10 for training",
    "train --samples 10 --validation-split nan": "--validation-split: expected a share between 0 and 1",
    "train --data mnsit": "--data: there is no file or folder 'mnsit'; expected synthetic, mnist, a folder",
    "train --label kind": "--label: expected with a CSV file only, got with images",
    "train --test other.csv": "--test: expected with a CSV file only, got with images",
    "train --data new.csv --label kind": "--data: there is no file or folder 'new.csv'; expected synthetic",
    "evaluate .": ".: expected the file of a model, got a folder; give model.safetensors",
    "train --scaler robust": "unknown scaler 'robust': expected one of max_abs, min_max, none, standard",
}


@pytest.mark.parametrize("line", USAGE_ERRORS)
def test_wrong_usage(line, empty_folder, capsys):
    assert call(*line.split()) == 2
    assert USAGE_ERRORS[line] in error_line(capsys)
    assert list(empty_folder.iterdir()) == []


FAILURES = {
    "train --data .": "train-images-idx3-ubyte",
    "train --layers 100000000000000": "Unable to allocate",
    "train --out {file}/run": "run: cannot write results there: Not a directory; give --out",
    "evaluate missing": "missing: No such file or directory",
    "evaluate {file}": "file: ",
    "evaluate {model} --data .": "train-images-idx3-ubyte",
    "predict {model} --out {file}/p.csv": "no such folder, create it first",
    "predict {model} --out {folder}": "this is a folder, give the name of a file",
}


@pytest.mark.parametrize("line", FAILURES)
def test_failure(line, model_file, empty_folder, tmp_path, capsys):
    (tmp_path / "file").write_text("some text")
    (tmp_path / "folder").mkdir()
    places = {"file": tmp_path / "file", "folder": tmp_path / "folder", "model": model_file}
    assert call(*line.format(**places).split()) == 1
    assert FAILURES[line] in error_line(capsys)
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
    assert "expected a model of values, or one of classes that ends in softmax" in error_line(capsys)


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
    monkeypatch.setattr(warming, "warm_training", lambda *names, **options: warmed.append(names))
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


# Signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_stops_training_and_saves(number, empty_folder):
    process = start("train", *SMALL, "--epochs", "10000000", "--out", "run")
    for line in process.stderr:
        if line.startswith("epoch 2/"):
            break
    process.send_signal(number)
    _, err = process.communicate()
    assert process.returncode == 128 + number
    history = json.loads((empty_folder / "run" / HISTORY).read_text())
    assert err.splitlines()[-1] == (
        f"fastmlp: stopped; the model is saved in run; whole epochs so far: {len(history['epochs'])}"
    )
    assert "Traceback" not in err
    assert history["epochs"] == list(range(1, len(history["epochs"]) + 1))
    assert sorted(path.name for path in (empty_folder / "run").iterdir()) == sorted([MODEL, HISTORY, PICTURE])
    assert np.isfinite(load(empty_folder / "run" / MODEL).layers[1].weight).all()


def test_a_closed_terminal_stops_training_and_saves(empty_folder):
    process, terminal = pty.fork()
    if process == 0:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup it would be ignored, and rightly so
        os.execv(
            sys.executable,
            [sys.executable, "-c", PROGRAM, "train", *SMALL, "--epochs", "10000000", "--out", "run"],
        )
    shown = b""
    while b"epoch 2/" not in shown:
        shown += os.read(terminal, 1024)
    os.close(terminal)
    _, status = os.waitpid(process, 0)
    assert os.waitstatus_to_exitcode(status) == 128 + signal.SIGHUP
    assert sorted(path.name for path in (empty_folder / "run").iterdir()) == sorted([MODEL, HISTORY, PICTURE])


def test_interruption_in_the_first_epoch_saves_the_model(empty_folder, monkeypatch, capsys):
    def stop_after_a_step(model, X, y, **settings):
        model.network.steps = [1] * len(model.layers)
        raise KeyboardInterrupt

    monkeypatch.setattr(Sequential, "fit", stop_after_a_step)
    assert call("train", *SMALL, "--out", "run", "--engine", "reference") == 130
    assert "whole epochs so far: 0" in capsys.readouterr().err
    assert sorted(path.name for path in (empty_folder / "run").iterdir()) == [HISTORY, MODEL]


def test_interruption_after_training_loses_nothing(empty_folder, monkeypatch):
    def interrupt(*arguments, **settings):
        raise KeyboardInterrupt

    monkeypatch.setattr(Sequential, "evaluate", interrupt)
    assert call("train", *SMALL, "--out", "run", "--engine", "reference") == 130
    assert sorted(path.name for path in (empty_folder / "run").iterdir()) == sorted([MODEL, HISTORY, PICTURE])


def test_interruption_of_the_compiler_leaves_nothing(empty_folder, tmp_path):
    process = start("train", "--optimizer", "sgd", "--out", "run", NUMBA_CACHE_DIR=str(tmp_path / "cold"))
    for line in process.stderr:
        if line.startswith("compiling"):
            break
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert (process.returncode, err) == (130, "fastmlp: stopped\n")
    assert list(empty_folder.iterdir()) == []


# info, warm, help


def test_info_names_every_limit_and_version(capsys):
    assert call("info") == 0
    out = capsys.readouterr().out
    for name, number in thread_limits().items():
        assert f"{name} {number}" in out
    assert str(cache.folder()) in out
    for package in ("fastmlp", "numpy", "numba", "llvmlite", "Python"):
        assert package in out


def test_info_says_where_the_vector_width_came_from():
    out, _ = start("info", FASTMLP_LANES="4").communicate()
    assert "4 float32, 2 float64, from FASTMLP_LANES" in out


def test_warm_leaves_nothing_to_compile(empty_folder):
    start("warm").communicate()
    out, err = start("warm").communicate()
    assert out.startswith("nothing to compile: ")
    assert err == ""
    _, err = start("train", *SMALL).communicate()
    assert "compiling" not in err


def test_help_and_version_do_not_wait_for_numba():
    program = (
        "import sys\nfrom fastmlp.cli import main\n"
        "try:\n    main([sys.argv[1]])\nexcept SystemExit as exit:\n"
        "    sys.exit('numba' in sys.modules or 'numpy' in sys.modules)"
    )
    for option in ("--help", "--version"):
        assert (
            subprocess.run([sys.executable, "-c", program, option], stdout=subprocess.DEVNULL).returncode == 0
        )


def test_module_is_the_command():
    run = subprocess.run([sys.executable, "-m", "fastmlp", "--version"], capture_output=True, text=True)
    assert run.stdout.startswith("fastmlp ")
    assert call("--version") == 0
