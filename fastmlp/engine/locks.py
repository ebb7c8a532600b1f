"""The lock of a network, which stays usable in the child of a fork."""

import os
import threading
from weakref import WeakSet

_Reentrant = type(threading.RLock())


class NetworkLock(_Reentrant):  # type: ignore[misc, valid-type]
    """A reentrant lock that a fork frees, if another thread of the parent holds it: in the child it does not exist.

    Attributes
    ----------
    was_held_at_fork : bool
        Whether a fork has freed it. The network is then as that thread left it, maybe in the middle of a step.
    """

    def __init__(self) -> None:
        super().__init__()
        self.was_held_at_fork = False
        _locks.add(self)

    def require_whole_network(self) -> None:
        """Raise a RuntimeError if a fork has freed it."""
        if self.was_held_at_fork:
            raise RuntimeError(
                "this process was forked while another thread used the model, which may be in the middle of a step "
                "here; fork when no thread uses it, or load the model from a file in the child"
            )


_locks: WeakSet[NetworkLock] = WeakSet()


def _free_locks() -> None:
    """In the child of a fork: free the locks of threads that do not exist."""
    for lock in _locks:
        if lock.acquire(blocking=False):
            lock.release()
        else:
            lock._at_fork_reinit()
            lock.was_held_at_fork = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_free_locks)
