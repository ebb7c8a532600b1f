"""The pace of training: how many threads are fastest right now, found out while they train.

The bits do not depend on the number of threads, so it may change between any two steps. What is fastest depends on more
than the network: cores that share no cache, or that are busy with something else, can make two threads slower than
one, and that may change from one second to the next.
"""

from __future__ import annotations

SEGMENT_SECONDS = 0.05  # of training with the same number of threads, after which it is looked at again
TRY_SECONDS = 0.01  # of training with another number
MOST_SECONDS = 1.0  # from one try to the next
CLEARLY = 0.95  # of the seconds: what is no faster than this is not worth a change
WORK_PER_SECOND = 1e10  # multiply-adds a second, to begin with


class Pace:
    """Chooses the number of threads for a few steps at a time, by how long the last ones took.

    Parameters
    ----------
    largest : int
        Number of threads to begin with; the others are its halves, down to one.
    work : float
        Multiply-adds of a step.
    fixed : bool
        Always the largest.
    """

    def __init__(self, largest: int, work: float, *, fixed: bool = False) -> None:
        self.size = self.largest = largest
        self._sizes = [largest] if fixed else _halves(largest)
        self._guess = work / WORK_PER_SECOND
        self._seconds: dict[int, float] = {}  # of a step, by the number of threads
        self._interval = self._until_try = SEGMENT_SECONDS
        self._tries = 0

    def next(self, steps: int) -> tuple[int, int]:
        """The number of threads for the next steps, and how many steps, of those that are left."""
        if len(self._sizes) == 1:
            return self.size, steps
        size, seconds = (
            (self.size, SEGMENT_SECONDS) if self._until_try > 0 else (self._neighbour(), TRY_SECONDS)
        )
        count = round(seconds / self._seconds.get(size, self._guess))
        return size, min(max(count, 1), steps)

    def note(self, size: int, steps: int, seconds: float) -> None:
        """So long did so many steps take on so many threads."""
        self._seconds[size] = seconds / max(steps, 1)
        if size == self.size:
            self._until_try -= seconds
            if any(other < self._seconds[size] * CLEARLY for other in self._seconds.values()):
                self._until_try = 0.0  # another number was faster once; it may be again
        elif self._seconds[size] < self._seconds[self.size] * CLEARLY:
            self.size = size
            self._interval = self._until_try = SEGMENT_SECONDS
        else:
            self._interval = self._until_try = min(2 * self._interval, MOST_SECONDS)

    def _neighbour(self) -> int:
        """The next number of threads to try: the one below and the one above by turns."""
        place = self._sizes.index(self.size)
        neighbours = [self._sizes[i] for i in (place - 1, place + 1) if 0 <= i < len(self._sizes)]
        self._tries += 1
        return neighbours[self._tries % len(neighbours)]


def _halves(largest: int) -> list[int]:
    """The number, its half, and so on down to one; the smallest first."""
    return [*_halves(largest // 2), largest] if largest > 1 else [1]
