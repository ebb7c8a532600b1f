"""Nothing in the package can run what it reads (R1 of the model file)."""

import io
import tokenize
from pathlib import Path

import pytest

import fastmlp
from fastmlp import kernels

FORBIDDEN = {
    "pickle", "cPickle", "_pickle", "dill", "cloudpickle", "shelve", "joblib", "marshal",
    "eval", "exec", "__import__", "allow_pickle", "runpy",
}  # fmt: skip


def forbidden_words(source: bytes) -> list[str]:
    """Forbidden names that stand in the code itself: comments and strings are other kinds of token."""
    tokens = tokenize.tokenize(io.BytesIO(source).readline)
    return [f"{token.string} in line {token.start[0]}" for token in tokens if token.string in FORBIDDEN]


def package_sources() -> list[Path]:
    """All modules of fastmlp and of fastmlp.kernels, wherever they are installed."""
    folders = {Path(fastmlp.__file__).parent, Path(kernels.__file__).parent}
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


@pytest.mark.parametrize("path", package_sources(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_r1_no_source_can_run_what_it_reads(path):
    assert forbidden_words(path.read_bytes()) == []


def test_r1_the_search_covers_both_trees():
    found = {f"{path.parent.name}/{path.name}" for path in package_sources()}
    assert {"fastmlp/model.py", "model_file/reading.py", "compiler/jit.py"} <= found


@pytest.mark.parametrize("word", sorted(FORBIDDEN))
def test_r1_the_search_finds_code_and_only_code(word):
    for code in [
        f"import {word}",
        f"from {word} import load",
        f"x = {word}('1')",
        f"np.load(f, {word}=True)",
    ]:
        assert forbidden_words(code.encode()) == [f"{word} in line 1"]
    assert forbidden_words(f'"""No {word} here."""\n# nor {word}\nx = "{word}"\nre{word} = 1'.encode()) == []
