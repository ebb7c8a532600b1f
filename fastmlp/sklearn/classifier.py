"""Classes, or labels of which several may be true, as an estimator of scikit-learn."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import issparse
from sklearn.base import ClassifierMixin
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from ..losses import BinaryCrossEntropy, CrossEntropy, Loss
from ..model import Sequential
from .perceptron import Perceptron


class MLPClassifier(ClassifierMixin, Perceptron):
    """A multilayer perceptron for classes, as an estimator of scikit-learn.

    Two classes are told apart by one sigmoid output, more by a softmax. Where `y` is a matrix of zeros and ones, shape
    (samples, labels), each label has a sigmoid output of its own; `early_stopping` then goes by the share of labels
    that are right. Classes may be numbers, or strings, which `model_` knows as `class_names`.

    Parameters
    ----------
    hidden_layer_sizes, activation, ...
        As for `Perceptron`. `loss` may be `auto` or, e.g., `CrossEntropy(label_smoothing=0.1)`; with two classes
        `BinaryCrossEntropy(label_smoothing=0.1)`.

    Attributes
    ----------
    classes_ : ndarray
        The classes in the order of the columns of `predict_proba`.
    model_ : Sequential
        The model itself, for instance to save it.
    n_features_in_, feature_names_in_
        As everywhere in scikit-learn.
    n_iter_ : int
        Epochs of the last `fit` or `partial_fit`; `model_.epochs` are all.
    loss_curve_ : list of float
        Mean loss of each epoch so far, with the penalty that its end had.
    loss_, best_loss_ : float
        The last and the least of them; with `early_stopping`, there is no best one.
    validation_scores_, best_validation_score_
        Accuracy of each epoch on the samples set aside, and the highest; None without `early_stopping`.
    coefs_, intercepts_ : list of ndarray
        Weights and biases: views.
    ensemble_ : Ensemble
        All networks, of which `model_` is the first. Where there are several (`n_members`), the other attributes are
        about that one, and `ensemble_.histories` has the curves of all.
    n_layers_, n_outputs_ : int
    out_activation_ : str

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> X, y = load_iris(return_X_y=True)
    >>> perceptron = MLPClassifier(32, learning_rate_init=0.01, max_iter=500, random_state=1)
    >>> make_pipeline(StandardScaler(), perceptron).fit(X, y).score(X, y) > 0.95
    True
    """

    _score: ClassVar[str] = "accuracy"

    classes_: np.ndarray

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def partial_fit(
        self, X: Any, y: Any, classes: ArrayLike | None = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Train one epoch on these samples, going on with the model that is there.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.
        classes : array_like, optional
            All classes; needed in the first call, unless `y` is a matrix of labels.

        Returns
        -------
        self
        """
        known = hasattr(self, "model_")
        given = None if classes is None else np.unique(np.asarray(classes))
        if not known and given is None and type_of_target(y) != "multilabel-indicator":
            raise ValueError(
                "partial_fit: classes must be passed in the first call, as the samples may not show all of them; "
                "give e.g. classes=np.unique(y) of all samples"
            )
        if known and given is not None and not np.array_equal(given, self.classes_):
            raise ValueError(
                f"partial_fit: classes are {given}; expected {self.classes_} as in the first call"
            )
        return self._train_some(X, y, sample_weight, given)

    def predict(self, X: Any) -> np.ndarray:
        """The most likely class of each sample, or a matrix of zeros and ones.

        Parameters
        ----------
        X : array_like, sparse matrix or data frame, shape (samples, features)

        Returns
        -------
        ndarray, shape (samples,) or (samples, labels)
        """
        outputs = self._outputs(X)
        if self._has_labels():
            return (outputs > 0.5).astype(np.int64)
        chosen = outputs.argmax(axis=1) if self.out_activation_ == "softmax" else outputs[:, 0] > 0.5
        return np.asarray(self.classes_[chosen.astype(np.int64)])

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class, or of each label.

        Parameters
        ----------
        X : array_like, sparse matrix or data frame, shape (samples, features)

        Returns
        -------
        ndarray, shape (samples, classes)
        """
        outputs = self._outputs(X)
        if self.out_activation_ == "softmax" or self._has_labels():
            return outputs
        both = np.empty((len(outputs), 2), outputs.dtype)
        np.subtract(1, outputs[:, 0], out=both[:, 0])
        both[:, 1] = outputs[:, 0]
        return both

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Its logarithm: of probabilities that are too small for a float32, minus infinity.

        Parameters
        ----------
        X : array_like, sparse matrix or data frame, shape (samples, features)

        Returns
        -------
        ndarray, shape (samples, classes)
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    # What `Perceptron` asks

    def _has_labels(self) -> bool:
        """Whether several classes of a sample may be true."""
        return self.out_activation_ == "logistic" and self.n_outputs_ > 1

    def _learn_targets(self, y: Any, classes: np.ndarray | None) -> np.ndarray:
        kind = type_of_target(y)
        if kind not in ("binary", "multiclass", "multilabel-indicator"):
            check_classification_targets(y)  # which looks for the type once more
        if kind == "multiclass-multioutput":
            raise ValueError(
                "MLPClassifier: y has several outputs with several classes each; expected one class for each sample, "
                "or a matrix of zeros and ones"
            )
        if kind == "multilabel-indicator":
            targets = np.asarray(y.toarray() if issparse(y) else y, np.float64)
            found = np.arange(targets.shape[1])
        else:
            y = column_or_1d(y, warn=True)
            found = np.unique(y)
        known = found if classes is None else classes
        unknown = np.setdiff1d(found, known)
        if unknown.size:
            raise ValueError(
                f"MLPClassifier: y has the class {unknown.tolist()[0]!r}; expected classes among {known}"
            )
        self.classes_ = known
        return targets if kind == "multilabel-indicator" else np.searchsorted(known, y)

    def _output_layer(self, targets: np.ndarray) -> tuple[int, str]:
        if targets.ndim == 2:
            return targets.shape[1], "sigmoid"
        return (1, "sigmoid") if len(self.classes_) == 2 else (len(self.classes_), "softmax")

    def _losses(self, units: int, last: str) -> dict[str, tuple[Loss, float]]:
        return {"auto": (CrossEntropy(), 1.0) if last == "softmax" else (BinaryCrossEntropy(), float(units))}

    def _name_outputs(self, model: Sequential) -> None:
        if all(isinstance(name, str) for name in self.classes_):
            model.class_names = tuple(map(str, self.classes_))
