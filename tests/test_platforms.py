"""What only Linux has is not needed to import the package, to save a model and to run a command."""

import subprocess
import sys

PROGRAM = """
import importlib, os, pkgutil, signal, sys
missing = {
    signal: ("SIGPIPE", "SIGHUP", "pthread_kill"),
    os: ("fchmod", "getuid", "geteuid", "sched_getaffinity", "sched_setaffinity", "fork", "register_at_fork"),
}
for module, names in missing.items():
    for name in names:
        if hasattr(module, name):
            delattr(module, name)

import fastmlp
for module in pkgutil.walk_packages(fastmlp.__path__, "fastmlp."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)

from fastmlp.cli import parser
model = fastmlp.Sequential([fastmlp.Dense(2)]).build(3)
for _ in range(2):  # the second time it replaces a file
    model.save(sys.argv[1])
fastmlp.load(sys.argv[1])
assert parser.main(["info"]) == 0
assert parser._silence() == 128 + 13
"""


def test_everything_imports_and_saves_without_what_only_linux_has(tmp_path):
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "model.safetensors")], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
