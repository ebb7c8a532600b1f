"""The benchmarks' own parts: what they train, and how they write the README."""

import numpy as np
import pytest

from bench import readme, rivals
from bench.workloads import WORKLOADS, as_floats, data


def test_the_table_goes_between_the_markers():
    text = f"before\n{readme.BEGIN}\nold\n{readme.END}\nafter\n"
    written = readme.with_table(text, "new")
    assert written == f"before\n{readme.BEGIN}\nnew\n{readme.END}\nafter\n"
    assert readme.with_table(written, "new") == written


@pytest.mark.parametrize(
    "text", ["", readme.BEGIN, f"{readme.END}{readme.BEGIN}", f"{readme.BEGIN * 2}{readme.END}"]
)
def test_markers_that_are_not_there(text):
    with pytest.raises(ValueError, match="once each"):
        readme.with_table(text, "new")


def test_the_readme_has_the_markers():
    readme.with_table(readme.README.read_text(encoding="utf-8"), "new")


def test_the_ratio_is_the_median_of_the_rounds():
    assert rivals.ratio([1.0, 2.0, 1.0], [3.0, 2.0, 9.0]) == 3.0


@pytest.mark.parametrize("workload", WORKLOADS.values(), ids=lambda workload: workload.name)
def test_data_fits_the_network(workload, monkeypatch):
    monkeypatch.delenv("FASTMLP_MNIST", raising=False)
    small = workload._replace(samples=500)
    X, y = data(small)
    assert X.shape == (500, workload.layers[0])
    assert as_floats(X).dtype == np.float32
    assert as_floats(X).max() <= 1 or workload.inputs == "Gaussian"
    if workload.classes:
        assert y.shape == (500,)
        assert set(y.tolist()) <= set(range(workload.layers[-1]))
    else:
        assert y.shape == (500, workload.layers[-1])
