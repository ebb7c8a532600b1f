"""`fastmlp info`, `fastmlp warm`, help and version."""

import signal
import subprocess
import sys

import pytest

from fastmlp.cli import parser, warm_up
from fastmlp.cli.commands import COMMANDS
from fastmlp.engine.team import thread_limits
from fastmlp.kernels.compiler import cache
from tests.cli.commands import SMALL, call, start


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


def test_info_says_whether_the_matrix_unit_is_used_and_why_not():
    out, _ = start("info", FASTMLP_AMX="0").communicate()
    (line,) = (line for line in out.splitlines() if line.startswith("matrix unit"))
    assert "none for products of mixed_bfloat16" in line
    assert "FASTMLP_AMX is 0" in line or "this processor has no AMX" in line


def test_warm_leaves_nothing_to_compile(empty_folder):
    start("warm").communicate()
    out, err = start("warm").communicate()
    assert out.startswith("nothing to compile: ")
    assert err == ""
    _, err = start("train", *SMALL).communicate()
    assert "compiling" not in err


def test_ctrl_c_leaves_no_process_that_compiles(empty_folder):
    process = start("warm", NUMBA_CACHE_DIR=str(empty_folder))
    assert process.stderr.readline().startswith("compiling the kernels")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)  # returns when nobody is left who could write an error
    assert process.returncode == 128 + signal.SIGINT
    assert "Traceback" not in err


def test_a_process_that_ends_early_is_an_error(monkeypatch):
    monkeypatch.setattr(warm_up.sys, "executable", "/bin/false")
    with pytest.raises(
        RuntimeError, match="ended with exit code 1 before its work was done; if the system has too"
    ):
        warm_up.warm_all()


@pytest.mark.parametrize(
    "line",
    [
        "--help", "--version", "", "trian", "train --epoch 1", "train --lr -1", "train --activation rellu",
        "train --optimizer adm", "train --data none.csv", "evaluate missing", "predict missing --out p.csv",
        "train --label kind",
    ],
)  # fmt: skip
def test_help_and_wrong_arguments_do_not_wait_for_numba(line):
    program = (
        "import sys\nfrom fastmlp.cli.parser import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "sys.exit('numba' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", program, *line.split()], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_no_arguments_print_the_help(capsys):
    assert call() == 0
    shown = capsys.readouterr().out
    assert shown.startswith("usage: fastmlp ")
    assert all(command in shown for command in COMMANDS)


def test_each_command_has_a_function():
    assert parser.parser().commands.keys() == COMMANDS.keys()


def test_module_is_the_command():
    run = subprocess.run([sys.executable, "-m", "fastmlp", "--version"], capture_output=True, text=True)
    assert run.stdout.startswith("fastmlp ")
    assert call("--version") == 0
