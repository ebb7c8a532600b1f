"""The real MNIST, where its four files are at hand."""

import os
from functools import cache

import pytest

from fastmlp import load_idx_folder

FOLDER = os.environ.get("FASTMLP_MNIST")

needs_mnist = pytest.mark.skipif(
    FOLDER is None, reason="FASTMLP_MNIST does not name the folder with the files of MNIST"
)


@cache
def mnist():
    """Training and test images with their labels."""
    return load_idx_folder(FOLDER)
