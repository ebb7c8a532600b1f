"""Small data: what an epoch, a fit, a search, many models and single rows cost beside their arithmetic."""

from collections.abc import Iterator

from ..settings import Figures, Settings
from . import epochs, estimators, many, rows

SECTIONS = (epochs, estimators, many, rows)


def steps(settings: Settings) -> int:
    """Steps of progress."""
    return sum(section.steps(settings) for section in SECTIONS)


def run(settings: Settings, figures: Figures) -> Iterator[str]:
    """Measure one section after the other; one that fails is named in the report and does not stop the others."""
    figures["small"] = {"tables": [], "checks": []}
    for section in SECTIONS:
        name = section.__name__.rpartition(".")[2]
        try:
            yield from section.run(settings, figures["small"])
        except (RuntimeError, OSError, ImportError) as error:
            figures["failures"].append(["small", name, str(error)])
