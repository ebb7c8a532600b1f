"""Reading the data of a command: images by name or folder, or a table in a CSV or NPZ file."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace

import numpy as np

from ..data import DataSet, Table, load_csv, load_idx_folder, load_mnist, load_npz, load_synthetic
from ..data.npz import npz_names
from ..errors import FileFormatError, UsageError
from ..losses import BinaryCrossEntropy, CrossEntropy
from ..model import Sequential
from .paths import is_npz, is_table

TRAINING_IMAGES, TEST_IMAGES = 60_000, 10_000  # of the synthetic data, as many as MNIST has

_PAIRS = (("X", "y"), ("x", "y"), ("x_train", "y_train"))  # names in NPZ files
_TEST_PAIR = ("x_test", "y_test")
_TEST_SHARE = 0.2


def has_values(data: DataSet) -> bool:
    """Whether the targets are values; else they are classes."""
    return bool(data.y_train.dtype.kind == "f")


def puts_out_values(model: Sequential) -> bool:
    """Whether a model predicts values; else it predicts classes."""
    return not isinstance(model.loss, (CrossEntropy, BinaryCrossEntropy))


def training_data(options: Namespace) -> DataSet:
    """Training and test samples; of the training samples the first `--samples`."""
    if not is_table(options.data):
        return _images(options, training=options.samples)
    if is_npz(options.data):
        data = _npz_set(options)
    else:
        table = _csv(options.data, options)
        if options.test is None:
            data = _split(table, options)
        else:
            data = table.with_test(
                _csv(options.test, options, features=table.feature_names, class_names=table.class_names)
            )
    if data.class_names and len(classes := np.unique(data.y_train)) == 1:
        raise UsageError(
            f"{options.data}: expected two classes or more, but all samples are of class "
            f"{data.class_names[int(classes[0])]}"
        )
    return replace(data, x_train=data.x_train[: options.samples], y_train=data.y_train[: options.samples])


def test_data(options: Namespace, model: Sequential, *, with_targets: bool) -> Table:
    """The first samples of the test images or of a whole table, with the features and classes of this model.

    With targets, they are classes for a model of classes and values for a model of values.
    """
    if not is_table(options.data):
        data = _images(options, training=0, test=options.samples)
        wanted, shape = model.network.input_shape, data.x_test.shape[1:]
        if shape != wanted:
            raise ValueError(
                f"--data: expected samples of shape {wanted}, as the model was trained on, but those of {data.name} "
                f"have shape {shape}; give a file or folder with such samples"
            )
        return Table(data.x_test, data.y_test, data.name)
    if not is_npz(options.data):
        if with_targets:
            _check_columns(options, model)
        table = _csv(
            options.data,
            options,
            features=model.feature_names,
            class_names=model.class_names,
            with_targets=with_targets,
        )
    else:
        names = npz_names(options.data)
        X, y = _TEST_PAIR if _TEST_PAIR[0] in names else _pair(options.data, names)
        table = load_npz(options.data, X, y if with_targets else None, class_names=model.class_names or None)
        if with_targets and puts_out_values(model) and table.class_names:
            raise UsageError(
                f"{options.data}: {y}: expected values (floats), as the model was trained on, got classes"
            )
    return replace(
        table, X=table.X[: options.samples], y=None if table.y is None else table.y[: options.samples]
    )


def _check_columns(options: Namespace, model: Sequential) -> None:
    """Raise if the options are those for classes and the model predicts values, or the other way round."""
    wanted, other, what = (
        ("targets", "label", "values") if puts_out_values(model) else ("label", "targets", "classes")
    )
    if getattr(options, other) is not None:
        raise UsageError(f"--{other}: expected --{wanted}, because the model predicts {what}")


def _images(options: Namespace, *, training: int | None = None, test: int | None = None) -> DataSet:
    """The first images of a data set; None for all of them."""
    name = options.data
    if name == "synthetic":
        return load_synthetic(
            TRAINING_IMAGES if training is None else training, TEST_IMAGES if test is None else test
        )
    data = load_mnist() if name == "mnist" else load_idx_folder(name)
    return replace(
        data, x_train=data.x_train[:training], y_train=data.y_train[:training],
        x_test=data.x_test[:test], y_test=data.y_test[:test],
    )  # fmt: skip


def _csv(
    path: str,
    options: Namespace,
    *,
    features: tuple[str, ...] = (),
    class_names: tuple[str, ...] = (),
    with_targets: bool = True,
) -> Table:
    if with_targets and options.label is None and options.targets is None:
        raise UsageError(
            f"--label: expected the column of {path} with the classes: its name, its number from 0, first or last; or "
            "--targets with the columns of values"
        )
    known = options.label is not None and class_names
    try:
        return load_csv(
            path, label=options.label, targets=options.targets, features=features or None, drop=options.drop,
            header=options.header, class_names=class_names if known else None, encoding=options.encoding or "utf-8",
        )  # fmt: skip
    except FileFormatError:
        raise
    except ValueError as error:  # an argument
        raise UsageError(str(error)) from error


def _split(table: Table, options: Namespace) -> DataSet:
    try:
        share = _TEST_SHARE if options.test_split is None else options.test_split
        return table.split(share, seed=options.seed)
    except ValueError as error:
        raise UsageError(f"--test-split: {error}") from error


def _npz_set(options: Namespace) -> DataSet:
    """Training and test arrays of one file, or one pair that is split."""
    names = npz_names(options.data)
    table = load_npz(options.data, *_pair(options.data, names))
    if set(_TEST_PAIR) <= names and options.test_split is None:
        return table.with_test(load_npz(options.data, *_TEST_PAIR))
    return _split(table, options)


def _pair(path: str, names: set[str]) -> tuple[str, str]:
    for pair in _PAIRS:
        if set(pair) <= names:
            return pair
    wanted = ", or ".join(" and ".join(pair) for pair in _PAIRS)
    raise UsageError(f"{path}: expected the arrays {wanted}, got {', '.join(sorted(names)) or 'none'}")
