"""The examples in the docstrings run."""

import doctest
import pkgutil
from importlib import import_module

import pytest

import fastmlp

MODULES = [
    module.name
    for module in pkgutil.walk_packages(fastmlp.__path__, "fastmlp.")
    if not module.name.endswith("__main__") and not module.name.startswith("fastmlp.kernels")
]


# Names are imported when they are first asked for, so ask for all.
PUBLIC = {name: getattr(fastmlp, name) for name in fastmlp.__all__}


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    failed, _ = doctest.testmod(import_module(name), extraglobs=PUBLIC)
    assert failed == 0


def test_the_main_classes_have_examples():
    finder = doctest.DocTestFinder()
    for name in ("Sequential", "Dense", "Adam", "History", "synthetic_digits"):
        assert any(test.examples for test in finder.find(getattr(fastmlp, name))), name
