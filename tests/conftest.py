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
