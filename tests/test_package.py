"""The package itself: its public names, found when they are first used."""

import subprocess
import sys
import tomllib
from importlib.metadata import version

import pytest

import fastmlp
from tests.pages import ROOT


@pytest.mark.parametrize("name", fastmlp.__all__)
def test_public_names_exist_and_have_a_docstring(name):
    assert getattr(fastmlp, name).__doc__
    assert name in dir(fastmlp)


def test_each_name_is_listed_once():
    _ = fastmlp.Dense
    assert len(dir(fastmlp)) == len(set(dir(fastmlp)))


def test_unknown_name():
    with pytest.raises(AttributeError, match="module 'fastmlp' has no attribute 'Sequentail'"):
        _ = fastmlp.Sequentail


def test_import_star_brings_all_names():
    program = "from fastmlp import *; import fastmlp; print(set(fastmlp.__all__) <= set(globals()))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stdout == "True\n"


def test_version_is_that_of_the_distribution():
    assert fastmlp.__version__ == version("fastmlp")


def test_every_folder_is_installed():
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    found = [
        ".".join((name, *path.parent.relative_to(ROOT / folder).parts))
        for name, folder in setuptools["package-dir"].items()
        for path in (ROOT / folder).rglob("__init__.py")
    ]
    assert sorted(setuptools["packages"]) == sorted(found)
