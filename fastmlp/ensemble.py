"""An ensemble: models whose predictions are averaged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from os import PathLike
from typing import Any, Self, overload

import numpy as np
from numpy.typing import ArrayLike

from .callbacks import EarlyStopping
from .checks import COUNT, COUNT_FROM_ZERO, checked, look_up, refusal
from .errors import FileFormatError, TrainingDiverged
from .files.checkpoint import load_members, save_members
from .inputs.resampling import bootstrap_rows, fold_rows
from .inputs.samples import Inputs
from .inputs.shared_data import SharedData
from .inputs.subsets import read_subset
from .inputs.targets import ClassWeight, has_classes, true_classes
from .layers import Activation, Dense
from .many import check_models, jobs_of, run_jobs, warn_of_divergence
from .model import Sequential
from .training.fit_arguments import check_verbose
from .training.history import History
from .training.many import Job
from .training.scoring import Given, choose_metrics, predicted_classes

_RESAMPLING = ("bootstrap", "folds")
_ALIKE = ("units of the last layer", "last activation", "loss", "class names")


class Ensemble:
    """Models that predict together: the mean of their probabilities or values, and how far they disagree.

    Parameters
    ----------
    models : sequence of Sequential
        The members, with the same outputs, last activation and kind of loss; hidden layers, optimizers and seeds may
        differ.

    Attributes
    ----------
    members : tuple of Sequential
        The models; `ensemble[0]` is the first one.
    diverged : tuple of int
        Numbers of the members that diverged in the last `fit`. Predictions leave them out.

    Notes
    -----
    Predictions are sums over the members in their order: the same bits for any number of threads. Copies and pickles
    have members of their own; `ensemble[1:3]` is an ensemble of the same models.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.linspace(-1, 1, 60, dtype="float32")[:, None]
    >>> ensemble = Ensemble.of(Sequential([Dense(8, "tanh"), Dense(1)], optimizer=Adam(0.1)), 5)
    >>> histories = ensemble.fit(X, X**2, epochs=200, resample="bootstrap", verbose=0)
    >>> mean, deviation = ensemble.predict(X), ensemble.predict_std(X)
    >>> mean.shape, bool(np.abs(mean - X**2).max() < 0.1)
    ((60, 1), True)
    """

    def __init__(self, models: Sequence[Sequential]) -> None:
        self.members = tuple(check_models(models))
        self.diverged: tuple[int, ...] = ()
        first, *others = map(_kind_of, self.members)
        for place, other in enumerate(others, 1):
            for what, expected, found in zip(_ALIKE, first, other, strict=True):
                if found != expected:
                    raise ValueError(
                        f"models: expected the same {what}, got {expected} in 0 and {found} in {place}"
                    )

    @classmethod
    def of(cls, model: Sequential, members: int) -> Self:
        """An ensemble of copies of one model, with the seeds `model.seed`, `model.seed + 1`, and so on.

        Parameters
        ----------
        model : Sequential
            A model without parameters: before `build` and `fit`.
        members : int
            How many.

        Examples
        --------
        >>> [member.seed for member in Ensemble.of(Sequential([Dense(2, "softmax")], seed=7), 3)]
        [7, 8, 9]
        """
        if not isinstance(model, Sequential):
            raise TypeError(f"model: expected a Sequential, got {model!r}")
        if model._network is not None:
            raise ValueError(
                "model: expected one that is not built yet, as its copies get weights of their own"
            )
        copies = [deepcopy(model) for _ in range(checked("", "members", members, COUNT))]
        for place, copied in enumerate(copies):
            copied.seed += place
        return cls(copies)

    def __repr__(self) -> str:
        return f"<Ensemble of {len(self)} models: {self.members[0]!r}>"

    def __len__(self) -> int:
        return len(self.members)

    def __iter__(self) -> Iterator[Sequential]:
        return iter(self.members)

    @overload
    def __getitem__(self, place: int) -> Sequential: ...

    @overload
    def __getitem__(self, place: slice) -> Ensemble: ...

    def __getitem__(self, place: int | slice) -> Sequential | Ensemble:
        if not isinstance(place, slice):
            return self.members[place]
        places = range(len(self))[place]
        chosen = Ensemble([self.members[number] for number in places])
        chosen.diverged = tuple(new for new, old in enumerate(places) if old in self.diverged)
        return chosen

    def __copy__(self) -> Self:
        """No different from a deep copy, as with models."""
        return deepcopy(self)

    @property
    def histories(self) -> list[History]:
        """The history of each member."""
        return [member.history for member in self.members]

    @property
    def class_names(self) -> tuple[str, ...]:
        """What the classes are called."""
        return self.members[0].class_names

    # Training

    def fit(
        self,
        X: Inputs,
        y: ArrayLike,
        *,
        epochs: int = 10,
        batch_size: int | None = 32,
        resample: str | None = None,
        seed: int = 0,
        rows: Sequence[ArrayLike] | None = None,
        validation_rows: Sequence[ArrayLike] | None = None,
        early_stopping: EarlyStopping | None = None,
        sample_weight: ArrayLike | None = None,
        threads: int | None = None,
        verbose: int = 1,
    ) -> list[History]:
        """Train all members at once, as `fit_many` does; called again, they go on where they stopped.

        Parameters
        ----------
        X, y, epochs, batch_size, rows, validation_rows, early_stopping, sample_weight, threads, verbose
            As `fit_many` takes them.
        resample : str, optional
            Which samples each member is trained on. None: all, or `rows`. `bootstrap`: as many as there are, drawn with
            replacement. `folds`: all but a part of its own, one of as many equal parts as there are members, with its
            share of each class. The samples that a member is not trained on are its validation data: early stopping
            and the `val_` curves of its history are about them.
        seed : int
            Key of the random numbers of `resample`; on every machine the same samples.

        Returns
        -------
        list of History
            That of each member.

        Raises
        ------
        ValueError
            If an argument is not acceptable; nothing has changed then.
        TrainingDiverged
            If all members diverged.
        KeyboardInterrupt
            After Ctrl-C. Each member is as after its last whole step; those that have not begun have no parameters.

        Warns
        -----
        RuntimeWarning
            If some members diverged: predictions leave them out.
        """
        check_verbose(verbose)
        data = SharedData(X, y, sample_weight)
        if resample is not None:
            if rows is not None or validation_rows is not None:
                raise ValueError(
                    "resample: expected None where rows or validation_rows are given; give one of them"
                )
            look_up("resample", resample, dict.fromkeys(_RESAMPLING))
            drawn = self._resampled(data, resample, checked("", "seed", seed, COUNT_FROM_ZERO))
            rows, validation_rows = map(list, zip(*drawn, strict=True))
        jobs = jobs_of(
            self.members, data, rows=rows, epochs=epochs, batch_size=batch_size, validation_rows=validation_rows,
            early_stopping=early_stopping,
        )  # fmt: skip
        self.fit_checked(jobs, threads, verbose)
        return self.histories

    def _resampled(self, data: SharedData, resample: str, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """The samples of each member for training and for validation."""
        count, members = data.count, len(self)
        if resample == "bootstrap":
            drawn = [bootstrap_rows(count, member, seed) for member in range(members)]
        else:
            if not 2 <= members <= count:
                raise ValueError(
                    f"resample: expected 2 to {count} members for folds of {count} samples, got {members}"
                )
            drawn = fold_rows(count, members, self._classes(data), seed)
        if any(not validation.size for _, validation in drawn):
            raise ValueError(
                f"resample: expected more than {count} samples: one member was to train on all of them"
            )
        return drawn

    def _classes(self, data: SharedData) -> np.ndarray | None:
        """The class of each sample; None of values."""
        model = self.members[0]
        subset = data.subset(model.data_spec.with_class_names(data.y), None, weighted=False)
        known = has_classes(model.loss, subset.outputs)
        return true_classes(subset.targets, model.loss, subset.outputs) if known else None

    def fit_checked(self, jobs: Sequence[Job], threads: int | None, verbose: int) -> None:
        """What `fit` does once its arguments are checked."""
        self.note_diverged(run_jobs(jobs, threads, verbose))

    def note_diverged(self, diverged: dict[int, TrainingDiverged]) -> None:
        """Leave out the members that diverged; an error if none is left."""
        self.diverged = tuple(diverged)
        if len(diverged) == len(self):
            raise diverged[0]
        if diverged:
            warn_of_divergence("Ensemble.fit", diverged, len(self), 5)

    # Use

    @property
    def _used(self) -> list[Sequential]:
        """The members that predict."""
        used = [member for place, member in enumerate(self.members) if place not in self.diverged]
        if not used:
            raise RuntimeError(
                "all members of the ensemble diverged; fit again with a lower learning rate or scaled data"
            )
        return used

    def predict(self, X: Inputs, *, threads: int | None = None) -> np.ndarray:
        """The mean of the members' outputs: of probabilities after softmax or sigmoid, else of values.

        Where outputs are logits, or logarithms of rates (`Poisson`), it is the mean of these.

        Parameters
        ----------
        X : array_like, shape (samples, ...) or that of one sample, or sparse matrix
            Samples.

        Returns
        -------
        ndarray, shape (samples, outputs), or (outputs,) for one sample
        """
        return mean_of(member.predict(X, threads=threads) for member in self._used)

    def predict_classes(self, X: Inputs, *, threads: int | None = None) -> np.ndarray:
        """The most likely class of each sample by the mean; of one output, whether it is on the upper side.

        Returns
        -------
        ndarray of int, or of str where the classes have names, shape (samples,), or () for one sample
        """
        classes = predicted_classes(self.predict(X, threads=threads), self.members[0].last_activation)
        return np.asarray(np.array(self.class_names)[classes]) if self.class_names else classes

    def predict_members(self, X: Inputs, *, threads: int | None = None) -> np.ndarray:
        """The outputs of each member that has not diverged.

        Returns
        -------
        ndarray, shape (members, samples, outputs), or (members, outputs) for one sample
        """
        return np.stack([member.predict(X, threads=threads) for member in self._used])

    def predict_std(self, X: Inputs, *, threads: int | None = None) -> np.ndarray:
        """The standard deviation of the members' outputs: the root of the mean squared difference from their mean.

        Returns
        -------
        ndarray, shape (samples, outputs), or (outputs,) for one sample
        """
        return deviation_of(self.predict_members(X, threads=threads))

    def predict_quantiles(self, X: Inputs, q: ArrayLike, *, threads: int | None = None) -> np.ndarray:
        """Quantiles of the members' outputs, with straight lines between them, as `numpy.quantile` has them.

        Parameters
        ----------
        X : array_like
            As for `predict`.
        q : float or sequence of float
            Which, from 0 (the least output) to 1 (the largest).

        Returns
        -------
        ndarray, shape (samples, outputs), or (quantiles, samples, outputs) for a sequence
        """
        chosen = np.asarray(q)
        if chosen.dtype.kind not in "fiu" or chosen.ndim > 1 or not np.all((chosen >= 0) & (chosen <= 1)):
            raise refusal("q", "numbers from 0 to 1", q)
        outputs = self.predict_members(X, threads=threads)
        return np.asarray(np.quantile(outputs, chosen, axis=0)).astype(outputs.dtype)

    def evaluate(
        self,
        X: Inputs,
        y: ArrayLike,
        *,
        class_weight: ClassWeight = None,
        sample_weight: ArrayLike | None = None,
        metrics: Given | None = None,
        threads: int | None = None,
    ) -> dict[str, Any]:
        """Mean loss and score of the mean of the members' outputs.

        Parameters
        ----------
        X, y, class_weight, sample_weight, metrics, threads
            As `Sequential.evaluate` takes them.

        Returns
        -------
        dict
            `loss`; `accuracy` or `mean_absolute_error`; the metrics.
        """
        mean, model = self.predict(X, threads=threads), self.members[0]
        if mean.ndim != 2:
            raise ValueError(f"X: expected samples, got one of shape {np.shape(X)}")
        given = _before_activation(mean, model.last_activation)
        judge = Sequential(
            [Activation("identity")], loss=model.loss, dtype=model.dtype, class_names=self.class_names
        )
        judge.build(mean.shape[1])
        measures = choose_metrics(metrics, model.loss, mean.shape[1], model.last_activation, numbers=False)
        scores = judge.evaluate(
            given, y, class_weight=class_weight, sample_weight=sample_weight, threads=threads
        )
        return scores | measures.of(read_subset(judge.data_spec, given, y).targets, mean)

    # Files

    def save(self, path: str | PathLike[str]) -> None:
        """Write all members to one file (safetensors), each with all that `Sequential.save` keeps.

        The file is written beside and then put in place: after a crash there is the old one or the new one. A tensor
        `member0`, `member1`, ... holds the bytes of the member's own model file.
        """
        save_members(Sequential, self.members, self.diverged, path)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read an ensemble that `save` wrote.

        Raises
        ------
        FileFormatError
            If the file is damaged, or is no ensemble of fastmlp; a single model is read by `fastmlp.load`.

        Examples
        --------
        >>> from tempfile import TemporaryDirectory
        >>> ensemble = Ensemble([Sequential([Dense(2, "softmax")], seed=seed).build(3) for seed in range(2)])
        >>> with TemporaryDirectory() as folder:
        ...     ensemble.save(f"{folder}/ensemble.safetensors")
        ...     loaded = Ensemble.load(f"{folder}/ensemble.safetensors")
        >>> bool((loaded.predict([1.0, 2.0, 3.0]) == ensemble.predict([1.0, 2.0, 3.0])).all())
        True
        """
        members, diverged = load_members(Sequential, path)
        try:
            ensemble = cls(members)
        except ValueError as error:
            raise FileFormatError(f"{path}: not an ensemble of fastmlp: {error}") from error
        ensemble.diverged = diverged
        return ensemble


def _kind_of(model: Sequential) -> tuple[Any, ...]:
    """What all members have in common: see `_ALIKE`."""
    units = [layer.units for layer in model.layers if isinstance(layer, Dense)]
    return units[-1:], model.last_activation, type(model.loss).__name__, model.class_names


def mean_of(arrays: Iterable[np.ndarray]) -> np.ndarray:
    """The mean in the type of the arrays, summed in their order in float64.

    `ndarray.mean` adds in an order that depends on the shape.
    """
    total, count = np.zeros(()), 0
    for array in arrays:
        total, count = total + array, count + 1
    return np.asarray((total / count).astype(array.dtype))


def deviation_of(arrays: np.ndarray) -> np.ndarray:
    """The root of the mean squared difference from the mean over the first axis."""
    wide = arrays.astype(np.float64)
    mean = mean_of(wide)
    return np.sqrt(mean_of(np.square(array - mean) for array in wide)).astype(arrays.dtype)


def _before_activation(mean: np.ndarray, last_activation: str) -> np.ndarray:
    """What the loss is computed from: logits where the outputs are probabilities, else the outputs.

    A probability of 0 counts as the smallest number of the type, one of 1 as half its spacing less.
    """
    if last_activation not in ("softmax", "sigmoid"):
        return mean
    limits = np.finfo(mean.dtype)
    logarithm = np.log(np.maximum(mean, limits.tiny))
    if last_activation == "softmax":
        return logarithm
    return logarithm - np.log(np.maximum(1 - mean, limits.epsneg / 2))
