"""What a reader of one file returns: samples, and what is known about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from ..inputs.splits import train_test_split
from .dataset import DataSet
from .summary import summarize


@dataclass(frozen=True, eq=False, repr=False)
class Table:
    """Samples with their classes or values.

    Attributes
    ----------
    X : ndarray, shape (samples, ...)
        The samples.
    y : ndarray or None
        Classes from 0, shape (samples,); or values, shape (samples,) or (samples, targets); or nothing.
    name : str
        What the data is, for titles and messages.
    feature_names : tuple of str
        What the columns of `X` are called; empty where that is not known.
    class_names : tuple of str
        What the classes are called, in the order of their numbers; empty where `y` holds no classes.

    Examples
    --------
    >>> import numpy as np
    >>> table = Table(np.eye(4, dtype="float32"), np.array([0, 1, 0, 1]), "corners", class_names=("even", "odd"))
    >>> data = table.split(test_size=0.5)
    >>> data.x_train.shape, sorted(data.y_test.tolist())
    ((2, 4), [0, 1])
    """

    X: NDArray[Any]
    y: NDArray[Any] | None
    name: str
    feature_names: tuple[str, ...] = ()
    class_names: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Name and shapes; the arrays themselves would fill the screen."""
        return f"Table({self.name!r}, X={self.X.shape}, y={None if self.y is None else self.y.shape})"

    def split(self, test_size: float = 0.25, *, seed: int = 0) -> DataSet:
        """Keep some of the samples for testing; of each class the same share.

        Parameters
        ----------
        test_size : float or int
            Share of the samples, between 0 and 1, or number of them.
        seed : int
            Which samples.

        See Also
        --------
        train_test_split : the same for arrays.
        """
        if self.y is None:
            raise ValueError(
                f"{self!r}: expected classes or values to learn; read the file with label or targets"
            )
        stratify = self.y if self.class_names else None
        x_train, x_test, y_train, y_test = train_test_split(
            self.X, self.y, test_size=test_size, stratify=stratify, seed=seed
        )
        return DataSet(
            x_train,
            y_train,
            x_test,
            y_test,
            self.name,
            feature_names=self.feature_names,
            class_names=self.class_names,
        )

    def with_test(self, test: Table) -> DataSet:
        """Train on this table and test on another one.

        Raises
        ------
        ValueError
            If their columns or classes are not the same.
        """
        if self.y is None or test.y is None:
            raise ValueError(f"{self!r}, {test!r}: expected classes or values to learn in both")
        for what, own, other in (
            ("features", self.X.shape[1:], test.X.shape[1:]),
            ("type", self.X.dtype, test.X.dtype),
            ("names of the features", self.feature_names, test.feature_names),
            ("classes", self.class_names, test.class_names),
        ):
            if own != other:
                raise ValueError(
                    f"{self.name} and {test.name}: expected the same {what}, got {own} and {other}"
                )
        return DataSet(
            self.X,
            self.y,
            test.X,
            test.y,
            self.name,
            feature_names=self.feature_names,
            class_names=self.class_names,
        )

    def summary(self) -> str:
        """What is in it, as a table: see `DataSet.summary`."""
        return summarize({"samples": (self.X, self.y)}, self.class_names)
