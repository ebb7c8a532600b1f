"""A thread as a member of its team."""

from typing import NamedTuple

import numpy as np


class Member(NamedTuple):
    """A thread as a member of its team."""

    control: np.ndarray  # the shared words
    rank: int
    size: int
