"""What both estimators share: arguments, training, attributes."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from ..checks import refusal
from ..ensemble import Ensemble
from ..losses import Loss
from ..model import Sequential
from ..optimizers import Optimizer
from . import options
from .preparation import Prepared, prepare


class Perceptron(BaseEstimator):
    """What `MLPClassifier` and `MLPRegressor` share: a thin layer over `Sequential`.

    Arguments have the names of scikit-learn's perceptrons where they mean the same, and their defaults; initial
    weights and biases are drawn from the same distributions, and training ends by the same rule. There is no
    `solver="lbfgs"`, and no `learning_rate`, `power_t` or `max_fun`: for a rate that falls, give an optimizer with a
    schedule as `solver`.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int
        Units of each hidden layer.
    activation : str
        Of the hidden layers: `identity`, `logistic`, `tanh`, `relu`, or any other that `Dense` has.
    loss : str or Loss
        `auto`: cross-entropy for classes, `squared_error` for values; see there for others.
    solver : str or Optimizer
        `adam`, `sgd`, or any other of `fastmlp.optimizers.OPTIMIZERS`; or an optimizer with options, such as
        `AdamW(CosineDecay(0.01, steps=1_000))`.
    alpha : float
        Strength of the penalty alpha / 2 times the sum of squared weights, divided by the samples of a batch; by
        their weights where there are some. A last batch that is smaller is penalised like the others.
    batch_size : int or "auto"
        Samples of a step; `auto` is 200, or all if there are fewer.
    learning_rate_init : float
        Size of a step, of every solver that is given by its name.
    max_iter : int
        Largest number of epochs; if it is reached before convergence, there is a `ConvergenceWarning`.
    shuffle : bool
        Whether each epoch has an order of its own.
    random_state : int, RandomState instance or None
        Where all random numbers come from. An int gives the same bits in each fit, for any number of threads.
    tol : float
        Progress that counts. Training ends when more than `n_iter_no_change` epochs in a row were not better than the
        best one before by this much.
    verbose : bool or int
        As `Sequential.fit` takes it: 0 silent; 1 a line an epoch, and a progress bar on a terminal; 2 a line an epoch.
    warm_start : bool
        Whether `fit` goes on with the model that is there, and with the state of its optimizer: two times 5 epochs
        give the bits of 10. For samples with the same features, and the same classes.
    momentum : float
        Of `sgd`, from 0 and below 1.
    nesterovs_momentum : bool
        Whether that of `sgd` is Nesterov's.
    early_stopping : bool
        Whether the score on samples that are set aside tells progress, and not the loss. The model ends with the
        weights of its best epoch then.
    validation_fraction : float
        Share of the samples to set aside for that; of each class its share.
    beta_1, beta_2, epsilon : float
        Of `adam`.
    n_iter_no_change : int
        Epochs without progress that do not end the training yet.
    threads : int or None
        Number of threads; None: as many as help. The result does not depend on it.
    dtype : str
        What the network computes in: `float32`; `mixed_bfloat16`; or `float64`, which is slower. See `Sequential`.
    n_members : int
        Networks that are trained at once on the same samples, each with a seed of its own, and with samples of its own
        set aside for `early_stopping`; predictions are means over them, without those that diverged.

    Examples
    --------
    >>> from fastmlp.schedules import CosineDecay
    >>> from fastmlp.sklearn import MLPRegressor
    >>> perceptron = MLPRegressor((16, 8), solver=AdamW(CosineDecay(0.01, steps=400)), early_stopping=True)
    >>> perceptron.get_params()["early_stopping"]
    True
    """

    _score: ClassVar[str]  # of the history, that tells the best epoch of early stopping
    _metrics: ClassVar[tuple[str, ...]] = ()  # what has to be measured for it

    # Known after fit, beside those that the docstrings of the classes name.
    model_: Sequential
    ensemble_: Ensemble
    n_features_in_: int
    n_iter_: int
    loss_: float
    loss_curve_: list[float]
    best_loss_: float | None
    validation_scores_: list[float] | None
    best_validation_score_: float | None

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
        *,
        loss: str | Loss = "auto",
        solver: str | Optimizer = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate_init: float = 0.001,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: int = 10,
        threads: int | None = None,
        dtype: str = "float32",
        n_members: int = 1,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.loss = loss
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.threads = threads
        self.dtype = dtype
        self.n_members = n_members

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    # What the classes say

    def _learn_targets(self, y: Any, classes: np.ndarray | None) -> np.ndarray:
        """Targets as `Sequential` takes them, of these classes, or of those that they show."""
        raise NotImplementedError

    def _output_layer(self, targets: np.ndarray) -> tuple[int, str]:
        """Units and activation of the last layer for these targets."""
        raise NotImplementedError

    def _losses(self, units: int, last: str) -> dict[str, tuple[Loss, float]]:
        """What `loss` may be called, and how many times as large as that of fastmlp scikit-learn's is."""
        raise NotImplementedError

    def _name_outputs(self, model: Sequential) -> None:
        """Tell a new model what its outputs are called."""

    # Training

    def fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> Self:
        """Train; anew, unless `warm_start`.

        Parameters
        ----------
        X : array_like, sparse matrix or data frame, shape (samples, features)
            Samples: numbers, bytes too.
        y : array_like, shape (samples,) or (samples, outputs)
            Their classes, or values.
        sample_weight : array_like, shape (samples,), optional
            How many samples each counts for.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If an argument is not acceptable.
        TrainingDiverged
            If the loss becomes NaN or infinite.
        KeyboardInterrupt
            After Ctrl-C; `model_` and the curves are usable then.
        """
        self._run(self._prepare(X, y, sample_weight))
        self._warn_unless_converged()
        return self

    def _warn_unless_converged(self) -> None:
        """Warn the caller of `fit` if a member would have gone on."""
        used = [member for place, member in enumerate(self.ensemble_) if place not in self.ensemble_.diverged]
        if not all(member.stop_training for member in used):
            warnings.warn(
                f"{type(self).__name__}: max_iter={self.max_iter} epochs are trained and the loss, or the validation "
                "score, still gets better; give more, or a larger learning_rate_init or tol",
                ConvergenceWarning,
                stacklevel=3,
            )

    def _train_some(
        self, X: Any, y: Any, sample_weight: ArrayLike | None, classes: np.ndarray | None = None
    ) -> Self:
        """Train one epoch, whether there is a model already or not."""
        if self.early_stopping:
            raise ValueError(
                f"{type(self).__name__}: early_stopping: expected False for partial_fit (one epoch), got True"
            )
        self._run(self._prepare_epochs(X, y, sample_weight, 1, 0.0, hasattr(self, "model_"), classes))
        return self

    def _prepare(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> Prepared:
        """All that `fit` does before it trains."""
        epochs, going_on = options.max_iter(self), self.warm_start and hasattr(self, "model_")
        share = options.number(self, "validation_fraction") if self.early_stopping else 0.0
        return self._prepare_epochs(X, y, sample_weight, epochs, share, going_on)

    def _prepare_epochs(
        self,
        X: Any,
        y: Any,
        sample_weight: ArrayLike | None,
        epochs: int,
        share: float,
        going_on: bool,
        classes: np.ndarray | None = None,
    ) -> Prepared:
        """Check what is to be trained for so many epochs: new models, or those that are there with their classes."""
        X, y = validate_data(
            self, X, y, reset=not going_on, accept_sparse="csr", multi_output=True,
            dtype=(np.float64, np.float32),
        )  # fmt: skip
        targets = self._learn_targets(y, getattr(self, "classes_", None) if going_on else classes)
        units, last = self._output_layer(targets)
        loss, times = self._loss(units, last)
        weights, mean_weight = options.weights(X, sample_weight, times)
        batch = options.batch_size(self, X.shape[0] - round(share * X.shape[0]))
        new = units, last, loss, batch * mean_weight
        ensemble = self._known_ensemble() if going_on else self._new_ensemble(*new)
        for model in ensemble:
            model.optimizer = options.optimizer(self)
        return prepare(
            self, ensemble, X, targets, epochs=epochs, batch_size=batch, validation_split=share,
            sample_weight=weights, score=self._score, metrics=self._metrics,
        )  # fmt: skip

    def _known_ensemble(self) -> Ensemble:
        """The models that are there, to go on with."""
        members = options.members(self)
        if members != len(self.ensemble_):
            raise ValueError(
                f"{type(self).__name__}: n_members: expected {len(self.ensemble_)} as in the fit that goes on, got "
                f"{members}"
            )
        return self.ensemble_

    def _new_ensemble(self, units: int, last: str, loss: Loss, penalized: float) -> Ensemble:
        """Models for so many outputs, each with a seed of its own."""
        random = check_random_state(self.random_state)
        models = []
        for _ in range(options.members(self)):
            layers = options.layers(self, units, last, penalized)
            seed = int(random.randint(np.iinfo(np.int32).max))
            model = Sequential(layers, loss=loss, seed=seed, dtype=self.dtype)
            model.feature_names = tuple(getattr(self, "feature_names_in_", ()))
            self._name_outputs(model)
            models.append(model)
        return Ensemble(models)

    def _run(self, prepared: Prepared) -> None:
        """Train: one model on all threads, several with a thread for each."""
        if len(prepared.jobs) > 1:
            prepared.ensemble.fit_checked(prepared.jobs, self.threads, options.verbosity(self))
            return
        (job,) = prepared.jobs
        arguments = replace(job.arguments, threads=self.threads, verbose=options.verbosity(self))
        job.model.fit_checked(arguments, job.epochs, job.callbacks)

    def _take_up(self, ensemble: Ensemble) -> None:
        """Make these the models, now that nothing speaks against their training; new ones begin new curves."""
        self.n_iter_ = 0
        if getattr(self, "ensemble_", None) is not ensemble:
            self.ensemble_, self.model_, self.loss_curve_ = ensemble, ensemble[0], []
            self.best_loss_ = self.validation_scores_ = self.best_validation_score_ = None

    def _loss(self, units: int, last: str) -> tuple[Loss, float]:
        """What training makes small, and how many times."""
        known = self._losses(units, last)
        kinds = tuple(dict.fromkeys(type(loss) for loss, _ in known.values()))
        if isinstance(self.loss, kinds):
            return self.loss, 1.0
        if not isinstance(self.loss, str) or self.loss not in known:
            names, others = " or ".join(map(repr, known)), ", ".join(kind.__name__ for kind in kinds)
            accepted = f"{names}, or one of fastmlp.losses for such targets ({others})"
            raise refusal(f"{type(self).__name__}: loss", accepted, self.loss)
        return known[self.loss]

    # Use

    def _outputs(self, X: Any) -> np.ndarray:
        """What the network gives out, in the type of X, shape (samples, outputs)."""
        outputs = self._outputs_of_few(X)
        if outputs is None:
            X = self._checked(X)
            predicting = self.ensemble_ if self._has_members() else self.model_
            outputs = predicting.predict(X, threads=self.threads)
        return outputs.astype(X.dtype, copy=False)

    def _outputs_of_few(self, X: Any) -> np.ndarray | None:
        """The outputs for a few rows of a plain array, in which nothing is wrong; None if X needs the checks."""
        plain = type(X) is np.ndarray and X.ndim == 2 and X.dtype.kind == "f"
        alone = self.threads is None and hasattr(self, "model_") and not self._has_members()
        # Of samples without names, scikit-learn warns where those of the training had names.
        if not plain or not alone or hasattr(self, "feature_names_in_"):
            return None
        return self.model_._predict_few(X)

    def _outputs_of_members(self, X: Any) -> np.ndarray:
        """What each network gives out, shape (members, samples, outputs)."""
        X = self._checked(X)
        return self.ensemble_.predict_members(X, threads=self.threads).astype(X.dtype, copy=False)

    def _checked(self, X: Any) -> Any:
        check_is_fitted(self, "model_")
        return validate_data(self, X, reset=False, accept_sparse="csr", dtype=(np.float64, np.float32))

    def _has_members(self) -> bool:
        """Whether there are several networks."""
        return len(getattr(self, "ensemble_", ())) > 1

    @property
    def coefs_(self) -> list[np.ndarray]:
        """The weights of each layer, shape (inputs, units): views."""
        return [layer.parameters["weight"] for layer in self.model_.layers]

    @property
    def intercepts_(self) -> list[np.ndarray]:
        """The biases of each layer, shape (units,): views."""
        return [layer.parameters["bias"] for layer in self.model_.layers]

    @property
    def n_layers_(self) -> int:
        """Layers, that of the inputs included."""
        return len(self.model_.layers) + 1

    @property
    def n_outputs_(self) -> int:
        """Units of the last layer."""
        return self.model_.network.outputs

    @property
    def out_activation_(self) -> str:
        """Activation of the last layer, as scikit-learn calls it."""
        last = self.model_.last_activation
        return {"sigmoid": "logistic"}.get(last, last)
