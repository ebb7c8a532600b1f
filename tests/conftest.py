"""What all tests share."""

import os
import signal

# Before NumPy is imported: BLAS threads would take cores from the threads under test.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest
from hypothesis import settings

from fastmlp import synthetic_digits

# A machine that decides whether a change lands must not find something new on its own; everywhere else, look around.
settings.register_profile("decide", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("decide")

# A shell that starts something in the background has it ignore Ctrl-C, and so would all that it starts; tests press it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def digits():
    """1,000 images and their labels; a last batch of 40 where batches have 64."""
    return synthetic_digits(1_000)


# What `pytest -m smoke` runs, in less than a minute once the kernels are compiled: something of every part.
SMOKE = {
    "test_boundaries.py",
    "test_by_hand.py",
    "test_class_names.py",
    "test_derived_layers.py",
    "test_lowering.py",
    "test_model.py",
    "test_options.py",
    "test_package.py",
    "test_random_draws.py",
    "test_saved_models.py",
    "test_tables.py",
    "test_team.py",
    "test_training.py",
    "test_verification.py",
}


def pytest_collection_modifyitems(items):
    """Mark the files of `SMOKE`."""
    for item in items:
        if item.path.name in SMOKE:
            item.add_marker(pytest.mark.smoke)
