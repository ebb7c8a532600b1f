"""The model: layers one after another, trained, evaluated, saved and loaded."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import zip_longest
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .callbacks import Callback, CallbackList, Logs
from .class_names import check_class_names, find_class_names, number_classes
from .counts import is_count, positive, sample_shape
from .data.split import split_rows
from .history import History
from .kernels import schema
from .layer import Layer, Shape
from .losses import CrossEntropy, Loss, choose_loss
from .measures import Given, Measures, choose_metrics, predicted_classes
from .names import look_up
from .network import DTYPES, ENGINES, Network
from .optimizers import Optimizer, get_optimizer
from .plan import Plan
from .predictor import Predictor
from .samples import BYTES, NUMBERS, Samples, as_batch, as_samples
from .saving import load_model, save_model
from .scalers import Scaler
from .sparse_matrix import SparseMatrix
from .targets import Targets, as_targets, has_classes, true_classes
from .team import choose_threads
from .trainer import LINES, SILENT, Task, train, train_step

Inputs = ArrayLike | SparseMatrix
ClassWeight = Mapping[int, float] | str | None


class Sequential:
    """A multilayer perceptron: layers one after another.

    Parameters
    ----------
    layers : sequence of Layer, optional
        The network, from the input on; more can be added with `add`.
    loss : str or Loss
        `cross_entropy`, `binary_cross_entropy`, `mean_squared_error`, `mean_absolute_error`, `huber`, `log_cosh`,
        `quantile`, `poisson`; one with options, e.g. `losses.Huber(delta=2.0)`; or `auto`: of the first three the one
        that goes with the last activation (softmax, sigmoid, any other).
    optimizer : str or Optimizer
        `adam`, `sgd`, ... (all names in `fastmlp.optimizers.OPTIMIZERS`), or one with options, e.g.
        `Adam(learning_rate=0.01)`.
    seed : int
        Key of all random numbers: same data, same seed, same version: the same bits, for any number of threads.
    dtype : str
        `float32`, or `float64` for checks.
    class_names : sequence of str, optional
        Names of the classes 0, 1, ...: targets may be such names, and `predict_classes` returns them. Without them,
        targets that are strings name the classes when `fit` first sees them: in sorted order, as in scikit-learn.

    Attributes
    ----------
    history : History
        All epochs so far.
    feature_names : tuple of str
        What the features are called: the columns of the data frame that was trained on. A data frame with others, or
        in another order, is refused then. Saved, as are the class names.
    class_names : tuple of str
        What the classes are called, in the order of their numbers; empty if they have no names. Yours to set.
    sample_scale : str
        What the first samples were that it was trained on: `bytes`, which are read as fractions of 255; `fractions`,
        other numbers from 0 to 1; or `numbers`, any others. Where one that was trained on bytes gets such numbers, or
        one that was trained on them gets bytes, there is a warning. Saved.
    stop_training : bool
        Callbacks set it to end the training after the epoch.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")
    >>> y = np.array([0, 1, 1, 0])
    >>> model = Sequential([Dense(16, "tanh"), Dense(2, "softmax")], optimizer=Adam(0.05))
    >>> history = model.fit(X, y, epochs=100, batch_size=4, verbose=0)
    >>> model.predict_classes(X).tolist()
    [0, 1, 1, 0]
    """

    def __init__(
        self,
        layers: Sequence[Layer] = (),
        *,
        loss: str | Loss = "auto",
        optimizer: str | Optimizer = "adam",
        seed: int = 0,
        dtype: str = "float32",
        class_names: Sequence[str] = (),
    ) -> None:
        self.layers: list[Layer] = []
        for layer in layers:
            self.add(layer)
        choose_loss(loss, "")
        look_up("dtype", dtype, DTYPES)
        if not is_count(seed):
            raise ValueError(f"seed: expected a whole number from 0 and below 2**63, got {seed!r}")
        self._loss, self.seed, self.dtype = loss, int(seed), dtype
        self.optimizer = optimizer
        self.class_names = check_class_names(class_names)
        self.history = History()
        self.stop_training = False
        self.feature_names: tuple[str, ...] = ()
        self.sample_scale = ""
        self._network: Network | None = None

    # Structure

    def add(self, layer: Layer) -> Sequential:
        """Append a layer and return the model.

        Raises
        ------
        TypeError
            If it is not a layer.
        ValueError
            If it cannot stand behind the layers before it.
        RuntimeError
            If the model is built already.
        """
        if not isinstance(layer, Layer):
            raise TypeError(f"expected a layer such as Dense(10), got {layer!r}")
        if getattr(self, "_network", None) is not None:
            raise RuntimeError(
                f"cannot add {layer!r}: the model is built; add all layers before fit or build"
            )
        layer.check_place(self.layers)
        self.layers.append(layer)
        return self

    def build(self, input_shape: int | Shape) -> Sequential:
        """Give the model its parameters; `fit` does this by itself.

        Parameters
        ----------
        input_shape : int or tuple of int
            Number of features, or shape of one sample.
        """
        shape = sample_shape(input_shape)
        if self._network is not None and self._network.input_shape != shape:
            raise ValueError(
                f"the model is built for samples of shape {self._network.input_shape}, got {shape}"
            )
        if self._network is None:
            self._count_outputs(self.class_names, shape)
            self._network = Network(self.layers, shape, self.dtype, self.seed)
        return self

    def _build_for(self, samples: Samples, rows: np.ndarray) -> None:
        """Build the model, with scalers that have seen these rows of the samples, or others before."""
        new = [layer for layer in self.layers if isinstance(layer, Scaler) and not layer.adapted]
        scalings = [layer.measure(samples, np.dtype(self.dtype), rows) for layer in new]
        self.build(samples.shape)
        for layer, scaling in zip(new, scalings, strict=True):
            layer.set(scaling)
        self.feature_names = self.feature_names or samples.names
        self.sample_scale = self.sample_scale or samples.scale

    @property
    def network(self) -> Network:
        """What runs the model; an error before it is built."""
        if self._network is None:
            raise RuntimeError(
                "the model has no parameters yet: call fit or build(input_shape), or load a saved one"
            )
        return self._network

    @property
    def optimizer(self) -> Optimizer:
        """What trains the model; yours to set, also by name."""
        return self._optimizer

    @optimizer.setter
    def optimizer(self, given: str | Optimizer) -> None:
        chosen = get_optimizer(given)
        chosen.check_dtype(DTYPES[self.dtype])
        self._optimizer = chosen

    @property
    def epochs(self) -> int:
        """Whole epochs so far, those before a saved model was loaded included."""
        return 0 if self._network is None else self._network.epochs

    @property
    def span(self) -> slice:
        """The layers of the network that this model stands for: all."""
        return slice(0, len(self.layers))

    @property
    def loss(self) -> Loss:
        """What training makes small."""
        return choose_loss(self._loss, self._last_activation)

    @property
    def _last_activation(self) -> str:
        shaping = [layer for layer in self.layers if layer.kind in {"dense", "activation"}]
        return shaping[-1].activation if shaping else "identity"

    @property
    def parameters(self) -> int:
        """Number of trained numbers."""
        return sum(array.size for layer in self.layers for array in layer.parameters.values())

    @property
    def plan(self) -> Plan:
        """The network as the kernels see it; `print(model.plan)` shows a table."""
        return self.network.inference

    def summary(self) -> str:
        """The layers with their output shapes and numbers of parameters, as a table.

        Examples
        --------
        >>> print(Sequential([Dense(3, "relu"), Dense(2)]).build(4).summary())
        layer                                 output  parameters
        Dense(units=3, activation='relu')       (3,)          15
        Dense(units=2, activation='identity')   (2,)           8
        total                                                 23
        """
        shape, lines = self.network.input_shape, [("layer", "output", "parameters")]
        for layer in self.layers:
            shape = layer.output_shape(shape)
            lines.append((repr(layer), str(shape), f"{sum(a.size for a in layer.parameters.values()):,}"))
        lines.append(("total", "", f"{self.parameters:,}"))
        name, output, count = (max(len(line[i]) for line in lines) for i in range(3))
        return "\n".join(f"{a:<{name}} {b:>{output}} {c:>{count + 1}}" for a, b, c in lines)

    # Training and use

    def fit(
        self,
        X: Inputs,
        y: ArrayLike,
        *,
        epochs: int = 10,
        batch_size: int | None = 32,
        validation_split: float = 0.0,
        validation_data: tuple[Any, ...] | None = None,
        class_weight: ClassWeight = None,
        sample_weight: ArrayLike | None = None,
        metrics: Given | None = None,
        shuffle: bool = True,
        callbacks: Iterable[Callback | Callable[[int, Logs], object]] = (),
        initial_epoch: int | None = None,
        threads: int | None = None,
        engine: str = "kernels",
        keep_gradients: bool = False,
        verbose: int = 1,
    ) -> History:
        """Train; called again, it goes on where it stopped.

        Parameters
        ----------
        X : array_like, shape (samples, ...), or sparse matrix or data frame, shape (samples, features)
            Samples. Bytes (uint8) are read as fractions of 255 and are never expanded in memory, nor are sparse
            matrices of scipy: in any format, the same bits as if their zeros were given too.
        y : array_like
            For `cross_entropy` classes, whole numbers from 0, or one-hot rows or probabilities, shape (samples,
            outputs): which, is found out from the shape. Else values, shape (samples, outputs).
            Strings are names of classes, see `class_names`.
        epochs : int
            Passes over the data; with `initial_epoch`, the number of the last one.
        batch_size : int or None
            Samples of a step; None is all, 1 is one after the other. A last batch that is smaller is trained too.
        validation_split : float
            Share of the samples, from 0 and below 1, to evaluate after each epoch and not to train on. Unlike Keras,
            which takes the last ones, they are drawn by the seed, and of each class its share: those that
            `train_test_split` takes for testing with this seed. They are not copied.
        validation_data : tuple (X, y) or (X, y, sample_weight), optional
            Evaluated after each epoch.
        class_weight : dict of int to float, or "balanced", optional
            Weight of the samples of each class; 1 of classes that are not in the dict. `balanced`: samples / (classes
            * samples of this class), as in scikit-learn. Not for validation data.
        sample_weight : array_like, shape (samples,), optional
            Weight of each sample, from 0 on; times that of its class. The loss of a batch, and of an epoch, is the sum
            of weight times loss divided by the number of samples, as in Keras; scores are not weighted.
        metrics : sequence of str or callable, optional
            Measured after each epoch on these data and on the validation data (`val_` in front), each time by a
            prediction of all of them: names of `fastmlp.metrics.METRICS`, such as `f1` or `r2`, or functions of what is
            true (classes, or values as the outputs) and of the outputs. Not weighted.
        shuffle : bool
            Whether each epoch has an order of its own.
        callbacks : iterable of Callback or callable
            What happens after each epoch, e.g. `EarlyStopping()`, or any function of (epoch, logs): the number of the
            epoch and its quantities by name, as in the history.
        initial_epoch : int, optional
            The epochs that count as done, as in Keras: `fit(epochs=5, initial_epoch=3)` trains the 4th and the 5th.
            The history of epochs that are trained again is replaced. Without it, `epochs` more are trained from where
            the last call, or the loaded model, stopped.
        threads : int or None
            Number of threads; None: as many as help. The result does not depend on it.
        engine : str
            `kernels`, or `reference`: the same training in plain NumPy.
        keep_gradients : bool
            Whether the gradients of the last step are to be seen afterwards as `d_weight`, `d_bias`; a little slower.
        verbose : int
            0: silent; 1: a line an epoch, and a progress bar on a terminal; 2: a line an epoch.

        Returns
        -------
        History
            Of all epochs so far; also `model.history`.

        Raises
        ------
        ValueError
            If an argument is not acceptable; nothing has changed then.
        TrainingDiverged
            If the loss becomes NaN or infinite.
        KeyboardInterrupt
            After Ctrl-C; the weights and the history so far are usable.

        Examples
        --------
        >>> import numpy as np
        >>> X = np.linspace(-1, 1, 40)[:, None]
        >>> y = np.where(X[:, 0] < 0, "low", "high")
        >>> model = Sequential([Dense(8, "tanh"), Dense(2, "softmax")], optimizer=Adam(0.05))
        >>> stopping = EarlyStopping(patience=5, restore_best_weights=True)
        >>> history = model.fit(X, y, epochs=200, validation_split=0.2, callbacks=[stopping], verbose=0)
        >>> model.class_names, model.predict_classes([[-0.9], [0.9]]).tolist()
        (('high', 'low'), ['low', 'high'])
        """
        span = self._epochs_to_train(epochs, initial_epoch)
        if not is_count(verbose) or not SILENT <= verbose <= LINES:
            raise ValueError(f"verbose: expected 0, 1 or 2, got {verbose!r}")
        samples = self._fitting(as_samples(X, np.dtype(self.dtype)))
        look_up("engine", engine, ENGINES)
        choose_threads(threads, 0)
        names = self._names_of_classes(y, samples)
        targets = self._targets(samples, y, names, class_weight, sample_weight)
        measures = self._measures(samples, metrics, numbers=True)
        rows, validation = np.arange(samples.count), None
        if validation_split != 0:
            if validation_data is not None:
                raise ValueError(
                    "validation_split: expected 0 where there is validation_data; give one of the two"
                )
            rows, kept = self._split(validation_split, samples, targets)
            validation = samples, self._targets(samples, y, names, None, sample_weight), kept
        elif validation_data is not None:
            validation = self._validation(validation_data, samples, names)
        batch = rows.size if batch_size is None else min(positive("batch_size", batch_size), rows.size)
        task = Task(
            samples, targets, rows, validation, measures, self.optimizer, batch, bool(shuffle), threads, engine,
            int(verbose),
        )  # fmt: skip
        hooks = CallbackList(callbacks, self, task.metrics)
        self.class_names = names
        self._build_for(samples, rows)
        if keep_gradients:
            self.network.keep_gradients()
        with self.network.lock:
            train(self.network, task, span, self.history, hooks)
        return self.history

    def _epochs_to_train(self, epochs: int, initial: int | None) -> range:
        """The epochs that `fit` is asked for, counted from 0."""
        epochs = positive("epochs", epochs)
        if initial is None:
            return range(self.epochs, self.epochs + epochs)
        if not is_count(initial) or initial >= epochs:
            raise ValueError(
                f"initial_epoch: expected a whole number from 0 and below epochs={epochs}, the number of the last one, "
                f"got {initial!r}"
            )
        return range(int(initial), epochs)

    def evaluate(
        self,
        X: Inputs,
        y: ArrayLike,
        *,
        class_weight: ClassWeight = None,
        sample_weight: ArrayLike | None = None,
        metrics: Given | None = None,
        threads: int | None = None,
        engine: str = "kernels",
    ) -> dict[str, Any]:
        """Mean loss and score on a data set.

        Parameters
        ----------
        X, y, class_weight, sample_weight, metrics, threads, engine
            As `fit` takes them: weights count for the loss, not for the others. Metrics may be arrays here, such as
            `confusion_matrix` or `recall_per_class`.

        Returns
        -------
        dict
            `loss`; `accuracy` or `mean_absolute_error`; the metrics.

        Examples
        --------
        >>> model = Sequential([Dense(2, "softmax")]).build(1)
        >>> model.layers[0].weight = [[-1.0, 1.0]]
        >>> scores = model.evaluate([[-2.0], [1.0], [3.0]], [0, 0, 1], metrics=["confusion_matrix"])
        >>> scores["confusion_matrix"].tolist()
        [[1, 1], [0, 1]]
        """
        samples = self._fitting(as_samples(X, np.dtype(self.dtype)))
        targets = self._targets(samples, y, self.class_names, class_weight, sample_weight)
        measures = self._measures(samples, metrics, numbers=False)
        loss, score = self.network.evaluate(samples, targets, threads=threads, engine=engine)
        scores = {"loss": loss, targets.formula.score: score}
        if measures.metrics:
            outputs = self.network.predict(samples, threads=threads, engine=engine)
            scores |= measures.of(targets, outputs)
        return scores

    def predict(self, X: Inputs, *, threads: int | None = None, engine: str = "kernels") -> np.ndarray:
        """The network's outputs: probabilities after softmax or sigmoid, else values.

        Parameters
        ----------
        X : array_like, shape (samples, ...) or that of one sample, or sparse matrix
            Samples.

        Returns
        -------
        ndarray, shape (samples, outputs), or (outputs,) for one sample
        """
        samples, one = self._batch(X)
        outputs = self.network.predict(samples, threads=threads, engine=engine)
        return outputs[0] if one else outputs

    def predictor(self) -> Predictor:
        """A prepared `predict` for one sample at a time, some microseconds a call.

        Examples
        --------
        >>> model = Sequential([Dense(2, "softmax")]).build(3)
        >>> predict = model.predictor()
        >>> predict([0.0, 0.0, 0.0])
        array([0.5, 0.5], dtype=float32)
        """
        return Predictor(self.network)

    def predict_classes(self, X: Inputs, *, threads: int | None = None) -> np.ndarray:
        """The most likely class of each sample; of one output, whether it is on the upper side.

        Returns
        -------
        ndarray of int, or of str where the classes have names, shape (samples,), or () for one sample
        """
        classes = predicted_classes(self.predict(X, threads=threads), self._last_activation)
        return np.asarray(np.array(self.class_names)[classes]) if self.class_names else classes

    # By hand

    def train_on_batch(
        self, X: Inputs, y: ArrayLike, *, threads: int | None = None, engine: str = "kernels"
    ) -> float:
        """One step of training on these samples, in their order; it is no epoch of the history.

        Parameters
        ----------
        X, y : array_like
            The batch, as for `fit`.
        threads, engine
            As for `fit`.

        Returns
        -------
        float
            Mean loss over the batch, from before the step.

        Raises
        ------
        TrainingDiverged
            If the loss is NaN or infinite; nothing has changed then.

        Examples
        --------
        >>> model = Sequential([Dense(1)], optimizer=SGD(0.1))
        >>> losses = [model.train_on_batch([[1.0], [2.0]], [2.0, 4.0]) for _ in range(50)]
        >>> losses[-1] < losses[0] / 100
        True
        """
        samples = self._fitting(as_samples(X, np.dtype(self.dtype)))
        look_up("engine", engine, ENGINES)
        choose_threads(threads, 0)
        names = self._names_of_classes(y, samples)
        targets, rows = self._targets(samples, y, names), np.arange(samples.count)
        task = Task(
            samples, targets, rows, None, self._measures(samples, None, numbers=True), self.optimizer, rows.size,
            False, threads, engine, SILENT,
        )  # fmt: skip
        self.class_names = names
        self._build_for(samples, rows)
        return train_step(self.network, task)

    def forward(self, X: Inputs) -> np.ndarray:
        """One forward pass, as in training; the values stay for `backward`.

        Parameters
        ----------
        X : array_like, shape (samples, ...) or that of one sample, or sparse matrix
            Samples.

        Returns
        -------
        ndarray, shape (samples, outputs), or (outputs,) for one sample
        """
        samples, one = self._batch(X)
        outputs = self.network.forward(self.span, samples)
        return outputs[0] if one else outputs

    def backward(self, d_y: ArrayLike) -> np.ndarray:
        """One backward pass after `forward`; fills `d_weight` and `d_bias` of the layers.

        Parameters
        ----------
        d_y : array_like, of the shape of the output
            Gradient of the loss with respect to the output.

        Returns
        -------
        ndarray, shape (samples, features), or (features,) for one sample
            Gradient with respect to the input.
        """
        return self.network.backward(self.span, d_y)

    def averaged(self) -> AbstractContextManager[None]:
        """A block in which the parameters are the moving averages that `ema_momentum` of an optimizer keeps.

        Within it `evaluate`, `predict` and `save` use them; training is refused. After it the parameters are back.

        Raises
        ------
        RuntimeError
            If there are no averages.

        Examples
        --------
        >>> import numpy as np
        >>> X, y = np.eye(4, dtype="float32"), np.arange(4)
        >>> model = Sequential([Dense(4, "softmax")], optimizer=Adam(0.01, ema_momentum=0.5))
        >>> history = model.fit(X, y, epochs=3, verbose=0)
        >>> with model.averaged():
        ...     averaged = model.evaluate(X, y)["loss"]
        >>> averaged > model.evaluate(X, y)["loss"]
        True
        """
        return self.network.averaged()

    # Files

    def save(self, path: str | PathLike[str]) -> None:
        """Write the model to one file (safetensors): network, parameters, state of the optimizer, epochs so far.

        The file is written beside and then put in place: after a crash there is the old one or the new one.
        """
        save_model(self, path)

    # Data

    def _batch(self, X: Inputs) -> tuple[Samples, bool]:
        """Samples that fit the network, and whether X was one alone."""
        samples, one = as_batch(X, self.network.input_shape, self.network.dtype)
        return self._fitting(samples), one

    def _fitting(self, samples: Samples) -> Samples:
        """The samples, if they fit the network."""
        self._check_names(samples, "X")
        self._check_scale(samples)
        if self._network is None:
            self._output_shape(samples.shape)
        elif samples.shape != self._network.input_shape:
            wanted = self._network.input_shape
            raise ValueError(
                f"X: expected samples of shape {wanted} ({math.prod(wanted)} features), as the model was built for, "
                f"got {samples.shape} ({math.prod(samples.shape)} features)"
            )
        return samples

    def _targets(
        self,
        samples: Samples,
        y: ArrayLike,
        names: tuple[str, ...],
        class_weight: ClassWeight = None,
        sample_weight: ArrayLike | None = None,
    ) -> Targets:
        outputs = self._count_outputs(names, samples.shape)
        return as_targets(
            number_classes(y, names), self.loss, samples.count, outputs, np.dtype(self.dtype),
            class_weight=class_weight, sample_weight=sample_weight,
        )  # fmt: skip

    def _names_of_classes(self, y: ArrayLike, samples: Samples) -> tuple[str, ...]:
        """Those given, or those found among the targets if they are classes."""
        outputs = math.prod(self._output_shape(samples.shape))
        return self.class_names or (find_class_names(y) if has_classes(self.loss, outputs) else ())

    def _count_outputs(self, names: tuple[str, ...], shape: Shape) -> int:
        """The number of outputs for samples of this shape; a ValueError if there are not as many names of classes."""
        outputs = math.prod(self._output_shape(shape))
        classes = outputs if outputs > 1 or isinstance(self.loss, CrossEntropy) else 2
        if names and len(names) != classes:
            raise ValueError(
                f"expected names of {classes} classes, as the network has {outputs} outputs, got {len(names)}: "
                f"{', '.join(names)}; give all as class_names, or the last layer as many units"
            )
        return outputs

    def _check_names(self, samples: Samples, name: str) -> None:
        """Raise if the samples say that they have other features than those that the model was trained on."""
        pairs = zip_longest(self.feature_names, samples.names)
        other = next((pair for pair in pairs if pair[0] != pair[1]), None)
        if self.feature_names and samples.names and other is not None:
            raise ValueError(
                f"{name}: expected the columns that the model was trained on, in their order: {other[0]!r} where "
                f"{other[1]!r} is; use {name.split()[-1]}[list(model.feature_names)]"
            )

    def _check_scale(self, samples: Samples) -> None:
        """Warn of bytes for a model that knows larger numbers, to which they are all nearly 0, and the other way."""
        trained = self.sample_scale
        if trained == NUMBERS and samples.kind == schema.BYTES:
            told = "the model was trained on numbers beyond 0 to 1, and bytes (uint8) are read as fractions of 255"
            way_out = "if they mean the same as in training, give X.astype('float32')"
        elif trained == BYTES and samples.scale == NUMBERS:
            told = (
                "the model was trained on bytes (uint8), read as fractions of 255, and these go beyond 0 to 1"
            )
            way_out = "if they are bytes in another type, give X.astype('uint8'), or X / 255"
        else:
            return
        warnings.warn(f"X: {told}; {way_out}", stacklevel=2)

    def _measures(self, samples: Samples, given: Given | None, *, numbers: bool) -> Measures:
        outputs = math.prod(self._output_shape(samples.shape))
        return choose_metrics(given, self.loss, outputs, self._last_activation, numbers=numbers)

    def _output_shape(self, shape: Shape) -> Shape:
        """The shape of one sample after all layers; a ValueError where it does not fit."""
        for layer in self.layers:
            shape = layer.output_shape(shape)
        return shape

    def _split(self, share: float, samples: Samples, targets: Targets) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of the samples to train on, and of those to validate with, in ascending order."""
        if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 < share < 1:
            raise ValueError(f"validation_split: expected a share from 0 and below 1, got {share!r}")
        outputs = math.prod(self._output_shape(samples.shape))
        classes = true_classes(targets, self.loss, outputs) if has_classes(self.loss, outputs) else None
        parts = split_rows(samples.count, share, classes, self.seed, "validation_split")
        return np.sort(parts[0]), np.sort(parts[1])

    def _validation(
        self, given: Any, like: Samples, names: tuple[str, ...]
    ) -> tuple[Samples, Targets, np.ndarray]:
        if not isinstance(given, (tuple, list)) or len(given) not in (2, 3):
            raise ValueError(
                f"validation_data: expected (X, y) or (X, y, sample_weight), got {type(given).__name__}"
            )
        samples = as_samples(given[0], np.dtype(self.dtype), "validation X")
        if like.names and samples.names and samples.names != like.names:
            raise ValueError("validation X: expected the columns of X in their order; use X_val[X.columns]")
        if samples.shape != like.shape:
            raise ValueError(
                f"validation X: expected samples of shape {like.shape} as in training, got {samples.shape}"
            )
        targets = self._targets(samples, given[1], names, None, *given[2:])
        return samples, targets, np.arange(samples.count)


def load(path: str | PathLike[str]) -> Sequential:
    """Read a model that `Sequential.save` wrote.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    Sequential
        Ready to predict, and to go on training with the same bits as without the break.

    Raises
    ------
    FileFormatError
        If the file is damaged, or is no model of fastmlp.
    """
    return load_model(Sequential, path)
