"""The example that compares batch, stochastic and mini-batch gradient descent."""

import re

import pytest

from tests.examples.scripts import printed, run

NAME = "s5_three_ways.py"
LINE = r"(\S+) +([\d,]+) steps +\S+ s  loss (\S+)  test accuracy (\S+)"


def test_three_ways_on_few_digits(tmp_path):
    text = printed(
        NAME, "--samples", "600", "--test-samples", "100", "--epochs", "3", "--layers", "30", "20", "10",
        "--activations", "tanh", "relu", "relu", "--batch-size", "48", "--output", "picture.png",
        folder=tmp_path,
    )  # fmt: skip
    found = re.findall(LINE, text)
    assert [(way, steps) for way, steps, *_ in found] == [
        ("batch", "3"),
        ("stochastic", "1,800"),
        ("mini-batch", "39"),
    ]
    batch, stochastic, mini = (float(loss) for _, _, loss, _ in found)
    assert stochastic < mini < batch < 2.5
    assert float(found[1][3]) > 0.4
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in tmp_path.iterdir()] == ["picture.png"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--layers", "5", "5", "5", "--activations", "relu", "tanh"],
            "--activations: expected 1 or 3, got 2",
        ),
        (["--data", "nowhere"], "nowhere"),
    ],
)
def test_what_does_not_fit_is_said(options, message, tmp_path):
    done = run(NAME, *options, folder=tmp_path)
    assert done.returncode != 0
    assert message in done.stderr
    assert list(tmp_path.iterdir()) == []
