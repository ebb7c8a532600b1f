"""What the tests of the commands share: a folder of their own, compiled kernels, a model, images."""

import pytest

from fastmlp import synthetic_digits
from fastmlp.cli import warm_up
from fastmlp.cli.run_folder import MODEL
from fastmlp.data import write_idx
from fastmlp.data.folder import FILE_NAMES
from tests.cli.commands import SMALL, call


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    """Each test starts in a folder of its own with nothing in it."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(scope="session", autouse=True)
def compiled_kernels():
    """What a command prints must not depend on which test comes first."""
    warm_up.warm_training()
    warm_up.warm_training("sgd")


@pytest.fixture(scope="session")
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
