"""Chooses the number of threads while a network trains: the one that is fastest at the moment.

The bits do not depend on the number of threads, so it may change between any two steps. Which number is fastest depends
on more than the network: cores that share no cache, or that other programs keep busy, can make two threads slower than
one, and this may change within a second.
"""

from __future__ import annotations

SEGMENT_SECONDS = 0.05  # of training with one number of threads before the next decision
TRY_SECONDS = 0.01  # of training with another number, to measure it
MOST_SECONDS = 1.0  # between two tries, at most
CLEARLY = 0.95  # a number of threads is faster if a step takes less than this part of the current one's time
WORK_PER_SECOND = 1e10  # multiply-adds per second, before anything has been measured


class ThreadTuner:
    """Chooses the number of threads for a few steps at a time, by the time that the last ones took.

    Parameters
    ----------
    largest : int
        Number of threads to begin with; the others that are tried are its half, and so on down to one.
    work : float
        Multiply-adds of a step.
    fixed : bool
        Always use the largest.
    """

    def __init__(self, largest: int, work: float, *, fixed: bool = False) -> None:
        self.size = self.largest = largest
        self._sizes = [largest] if fixed else _halves(largest)
        self._guess = work / WORK_PER_SECOND
        self._seconds: dict[int, float] = {}  # of a step, by the number of threads
        self._interval = self._until_try = SEGMENT_SECONDS
        self._tries = 0

    def next(self, steps: int) -> tuple[int, int]:
        """The number of threads to use next, and for how many of the remaining steps."""
        if len(self._sizes) == 1:
            return self.size, steps
        if self._until_try > 0:
            size, seconds = self.size, SEGMENT_SECONDS
        else:
            size, seconds = self._neighbour(), TRY_SECONDS
        count = round(seconds / self._seconds.get(size, self._guess))
        return size, min(max(count, 1), steps)

    def note(self, size: int, steps: int, seconds: float) -> None:
        """Record how long some steps took on a number of threads."""
        self._seconds[size] = seconds / max(steps, 1)
        if size == self.size:
            self._until_try -= seconds
            if any(other < self._seconds[size] * CLEARLY for other in self._seconds.values()):
                self._until_try = 0.0  # another number was faster the last time it ran: try it now
        elif self._seconds[size] < self._seconds[self.size] * CLEARLY:
            self.size = size
            self._interval = self._until_try = SEGMENT_SECONDS
        else:
            self._interval = self._until_try = min(2 * self._interval, MOST_SECONDS)

    def _neighbour(self) -> int:
        """The next number of threads to try: alternately the one below and the one above."""
        place = self._sizes.index(self.size)
        neighbours = [self._sizes[i] for i in (place - 1, place + 1) if 0 <= i < len(self._sizes)]
        self._tries += 1
        return neighbours[self._tries % len(neighbours)]


def _halves(largest: int) -> list[int]:
    """The number, its half, and so on down to one; the smallest first."""
    return [*_halves(largest // 2), largest] if largest > 1 else [1]
