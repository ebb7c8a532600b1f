"""Ctrl-C, SIGTERM and a closed terminal: what was trained is saved."""

import json
import os
import pty
import signal
import sys

import numpy as np
import pytest

from fastmlp import Sequential, load
from fastmlp.cli.run_folder import HISTORY, MODEL, PICTURE
from tests.cli.commands import PROGRAM, SMALL, call, start

pytestmark = pytest.mark.survives("R27")


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
