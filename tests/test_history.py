"""The history of a training run: curves that are as long as its epochs, and its file."""

import json
import math

import numpy as np

from fastmlp import History


def test_curves_are_as_long_as_the_epochs():
    history = History()
    history.append(1, {"loss": 3.0})
    history.append(2, {"loss": 2.0, "val_loss": 2.5})
    history.append(3, {"loss": 1.0})
    assert history.epochs == [1, 2, 3]
    assert history["loss"] == [3, 2, 1]
    np.testing.assert_array_equal(history["val_loss"], [math.nan, 2.5, math.nan])


def test_an_epoch_takes_the_place_of_itself_and_of_later_ones():
    history = History()
    for epoch in (1, 2, 3, 5):
        history.append(epoch, {"loss": float(epoch)})
    history.append(4, {"loss": 9.0})
    assert (history.epochs, history["loss"]) == ([1, 2, 3, 4], [1, 2, 3, 9])
    history.append(2, {"loss": 8.0})
    assert (history.epochs, history["loss"]) == ([1, 2], [1, 8])


def test_the_file_is_json_where_a_number_is_missing(tmp_path):
    history = History()
    history.append(1, {"loss": 0.5})
    history.append(2, {"val_loss": 0.25})
    history.save(tmp_path / "history.json")

    def refuse(constant):
        raise AssertionError(constant)

    read = json.loads((tmp_path / "history.json").read_text(), parse_constant=refuse)
    assert read == {"epochs": [1, 2], "metrics": {"loss": [0.5, None], "val_loss": [None, 0.25]}}
