"""The two engines: the kernels' program and its NumPy twin, which has entries of the same names."""

from importlib import import_module
from types import ModuleType

from ..checks import look_up
from .team import choose_threads

ENGINES = {"kernels": "..kernels.program.entries", "reference": "..kernels.reference.entries"}


def entries_of(engine: str) -> ModuleType:
    """The module with the entries of an engine; few processes need both."""
    return import_module(look_up("engine", engine, ENGINES), __package__)


def choose_size(engine: str, threads: int | None, work: float) -> int:
    """Size of the team; the reference runs on one thread, and its BLAS on as many as it likes."""
    size = choose_threads(threads, work)
    return size if engine == "kernels" else 1
