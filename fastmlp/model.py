"""The model: layers one after another, trained, evaluated, saved and loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from copy import deepcopy
from os import PathLike
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from .callbacks import Callback, CallbackList, Logs, Memories
from .checks import is_count, sample_shape
from .engine import execution
from .engine.building import Handle, build_network
from .engine.kept_predictor import KeptPredictor
from .engine.layer_lowering import check_kinds
from .engine.locks import NetworkLock
from .engine.network import Network, number_type
from .engine.plan import Plan
from .engine.predictor import Predictor
from .files.checkpoint import copied_state, load_model, restore_copy, save_model
from .inputs.class_names import check_class_names
from .inputs.precision import warn_of_merged_numbers
from .inputs.samples import Inputs, as_batch
from .inputs.spec import DataSpec
from .inputs.subsets import read_subset
from .inputs.targets import ClassWeight
from .layers.layer import Layer, Shape
from .layers.scalers import MinMaxScaler, Scaler, StandardScaler
from .losses import Loss, choose_loss
from .optimizers import Optimizer, get_optimizer
from .training.fit_arguments import SILENT, FitArguments, check_fit_arguments, epochs_to_train
from .training.history import History
from .training.loop import train, train_step
from .training.scoring import Given, choose_metrics, predicted_classes


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
        `float32`; `mixed_bfloat16`, whose dense layers multiply numbers of bfloat16, while everything that the model
        keeps is float32; or `float64`, for checks.
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
        How large the samples are that it was first trained on: `bytes`, images in uint8, read as fractions of 255;
        `fractions`, other numbers from 0 to 1; or `numbers`, any others. A warning says so where later samples are read
        on another scale. Saved.
    stop_training : bool
        Callbacks set it to end the training after the epoch.

    Notes
    -----
    `copy.copy`, `copy.deepcopy` and pickles give a model of its own, with all that `save` keeps, the history, and
    attributes that you gave it: trained further, both get the same bits. A copy waits for a running `fit` of another
    thread to end. It has neither the callbacks of a fit, nor gradients or values of passes by hand, nor the weights
    that were there before `averaged`.

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
        self._lock = NetworkLock()
        self._network: Network | None = None
        self._data_spec: tuple[Any, DataSpec] | None = None  # the last one, and what it was made from
        self.layers: list[Layer] = []
        for layer in layers:
            self.add(layer)
        choose_loss(loss, "")
        number_type(dtype)
        if not is_count(seed):
            raise ValueError(f"seed: expected a whole number from 0 and below 2**63, got {seed!r}")
        self._loss = loss
        self.seed = int(seed)
        self.dtype = dtype
        self.class_names = class_names
        self.feature_names: tuple[str, ...] = ()
        self.sample_scale = ""
        self.optimizer = optimizer
        self.history = History()
        self.memories: Memories = {}  # what callbacks remember of the run
        self.stop_training = False

    def __repr__(self) -> str:
        return f"Sequential({self.layers}, loss={self.loss.name!r}, optimizer={self.optimizer}, seed={self.seed})"

    def __getstate__(self) -> dict[str, Any]:
        with self._lock:
            own = {"_lock": None, "_data_spec": None}
            return {name: value for name, value in copied_state(Sequential, self).items() if name not in own}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._lock = NetworkLock()  # a built model gets that of its network
        restore_copy(self, state, Sequential)
        self._data_spec = None

    def __copy__(self) -> Self:
        """No different from a deep copy, as a layer belongs to one model."""
        return deepcopy(self)

    @property
    def class_names(self) -> tuple[str, ...]:
        """What the classes are called, in the order of their numbers; yours to set."""
        return self._class_names

    @class_names.setter
    def class_names(self, given: Sequence[str]) -> None:
        self._class_names = check_class_names(given)

    @property
    def optimizer(self) -> Optimizer:
        """What trains the model; yours to set, also by name."""
        return self._optimizer

    @optimizer.setter
    def optimizer(self, given: str | Optimizer) -> None:
        chosen = get_optimizer(given)
        chosen.check_dtype(number_type(self.dtype))
        self._optimizer = chosen

    # From layers to a network

    def add(self, layer: Layer) -> Self:
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
        check_kinds([layer])
        if self._network is not None:
            raise RuntimeError(
                f"cannot add {layer!r}: the model is built; add all layers before fit or build"
            )
        layer.check_place(self.layers)
        self.layers.append(layer)
        return self

    def build(self, input_shape: int | Shape) -> Self:
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
            spec = self.data_spec
            spec.check_class_names(self.class_names, spec.count_outputs(shape))
            self._network = build_network(self.layers, shape, self.dtype, self.seed, self._lock)
        return self

    def prepare_for(self, arguments: FitArguments) -> None:
        """Take over the names of classes and features, and build the model; new scalers measure the samples first."""
        samples, rows = arguments.training.samples, arguments.training.rows
        new = [layer for layer in self.layers if isinstance(layer, Scaler) and not layer.adapted]
        scalings = [layer.measure(samples, number_type(self.dtype), rows) for layer in new]
        centered = any(isinstance(layer, (StandardScaler, MinMaxScaler)) for layer in self.layers)
        if not self.sample_scale and not centered:  # once, at the first training
            warn_of_merged_numbers(samples, number_type(self.dtype))
        self.class_names = arguments.class_names
        self.build(samples.shape)
        for layer, scaling in zip(new, scalings, strict=True):
            layer.set(scaling)
        self.feature_names = self.feature_names or samples.names
        self.sample_scale = self.sample_scale or samples.scale

    @property
    def network(self) -> Network:
        """What runs the model; an error before it is built, and in the child of a fork that interrupted it."""
        if self._network is None:
            raise RuntimeError(
                "the model has no parameters yet: call fit or build(input_shape), or load a saved one"
            )
        self._network.lock.require_whole_network()
        return self._network

    @property
    def epochs(self) -> int:
        """Whole epochs so far, those before a saved model was loaded included."""
        return 0 if self._network is None else self._network.epochs

    @property
    def handle(self) -> Handle:
        """What the engine does for all layers together, by hand."""
        return Handle(self.network, 0, len(self.layers))

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

    @property
    def loss(self) -> Loss:
        """What training makes small."""
        return self.data_spec.loss

    @property
    def last_activation(self) -> str:
        """Where the outputs come from."""
        for layer in reversed(self.layers):
            if layer.kind in {"dense", "activation"}:
                return layer.activation
        return "identity"

    def output_shape(self, shape: Shape) -> Shape:
        """The shape of one sample after all layers; a ValueError where it does not fit."""
        if not self.layers:
            raise ValueError("the model has no layers: add some first, e.g. add(Dense(10, 'softmax'))")
        for layer in self.layers:
            shape = layer.output_shape(shape)
        return shape

    @property
    def data_spec(self) -> DataSpec:
        """What the model expects of its data."""
        described = (
            self._network, self._loss, self.dtype, self.feature_names, self.sample_scale, self._class_names,
            *self.layers,
        )  # fmt: skip
        if self._data_spec is None or self._data_spec[0] != described:
            last = self.last_activation
            spec = DataSpec(
                dtype=number_type(self.dtype),
                input_shape=None if self._network is None else self._network.input_shape,
                output_shape=self.output_shape,
                feature_names=self.feature_names,
                sample_scale=self.sample_scale,
                class_names=self.class_names,
                loss=choose_loss(self._loss, last),
                last_activation=last,
            )
            self._data_spec = described, spec
        return self._data_spec[1]

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
            Samples. Images in uint8, samples of two or more dimensions, are read as fractions of 255; a row of uint8
            numbers is read as it is. Neither is expanded in memory, nor are sparse matrices of scipy: in any format,
            the same bits as if their zeros were given too.
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
        with self._lock:
            span = epochs_to_train(self.epochs, epochs, initial_epoch)
            arguments = check_fit_arguments(
                self.data_spec, X, y, optimizer=self.optimizer, batch_size=batch_size, shuffle=shuffle,
                threads=threads, engine=engine, verbose=verbose, seed=self.seed, validation_split=validation_split,
                validation_data=validation_data, class_weight=class_weight, sample_weight=sample_weight,
                metrics=metrics, keep_gradients=keep_gradients,
            )  # fmt: skip
            resumes = initial_epoch is not None and span.start == self.epochs
            hooks = CallbackList(callbacks, self, arguments.metrics, resumes=resumes)
            self.fit_checked(arguments, span, hooks)
        return self.history

    def fit_checked(
        self,
        arguments: FitArguments,
        epochs: range,
        callbacks: CallbackList,
        control: np.ndarray | None = None,
    ) -> None:
        """What `fit` does once its arguments are checked; `control` is that of `training.loop.train`."""
        with self._lock:
            self.prepare_for(arguments)
            train(self.network, arguments, epochs, self.history, callbacks, control)

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
        spec = self.data_spec
        subset = read_subset(spec, X, y, class_weight=class_weight, sample_weight=sample_weight)
        measures = choose_metrics(metrics, spec.loss, subset.outputs, spec.last_activation, numbers=False)
        network = self.network
        loss, score = execution.evaluate(network, subset, threads=threads, engine=engine)
        scores = {"loss": loss, subset.targets.formula.score: score}
        if measures.metrics:
            outputs = execution.predict(network, subset.samples, threads=threads, engine=engine)
            scores |= measures.of(subset.targets, outputs)
        return scores

    def predict(self, X: Inputs, *, threads: int | None = None, engine: str = "kernels") -> np.ndarray:
        """The network's outputs: probabilities after softmax or sigmoid, else values.

        What it prepares is kept for later calls: one sample or a few of float32 or float64 then take microseconds.

        Parameters
        ----------
        X : array_like, shape (samples, ...) or that of one sample, or sparse matrix
            Samples.

        Returns
        -------
        ndarray, shape (samples, outputs), or (outputs,) for one sample
        """
        if type(X) is np.ndarray and threads is None and engine == "kernels":
            outputs = self._predict_few(X)
            if outputs is not None:
                return outputs
        network = self.network
        samples, one = as_batch(X, network.input_shape, network.dtype)
        self.data_spec.check(samples)
        outputs = execution.predict(network, samples, threads=threads, engine=engine)
        kept = network.kept_predictor
        if kept is None or not kept.is_for(self._class_names, self.sample_scale):
            network.kept_predictor = KeptPredictor(network, self._class_names, self.sample_scale)
        return outputs[0] if one else outputs

    def _predict_few(self, X: np.ndarray) -> np.ndarray | None:
        """`predict` of a few samples by what the calls before have prepared; None of others, which need all checks."""
        kept = None if self._network is None else self._network.kept_predictor
        if kept is None or not kept.is_for(self._class_names, self.sample_scale):
            return None
        outputs: np.ndarray | None = kept(X)
        return outputs

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
        classes = predicted_classes(self.predict(X, threads=threads), self.last_activation)
        return np.asarray(np.array(self.class_names)[classes]) if self.class_names else classes

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
        with self._lock:
            arguments = check_fit_arguments(
                self.data_spec, X, y, optimizer=self.optimizer, batch_size=None, shuffle=False, threads=threads,
                engine=engine, verbose=SILENT,
            )  # fmt: skip
            self.prepare_for(arguments)
            return train_step(self.network, arguments)

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

    # One pass at a time, by hand

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
        network = self.network
        samples, one = as_batch(X, network.input_shape, network.dtype)
        self.data_spec.check(samples)
        outputs = self.handle.forward_samples(samples)
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
        return self.handle.backward(d_y)

    # Files

    def save(self, path: str | PathLike[str]) -> None:
        """Write the model to one file (safetensors): network, parameters, state of the optimizer, epochs so far.

        The file is written beside and then put in place: after a crash there is the old one or the new one.
        """
        save_model(Sequential, self, path)


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
        If the file is damaged, or is no model of fastmlp; an ensemble is read by `Ensemble.load`.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> model = Sequential([Dense(2, "softmax")]).build(3)
    >>> with TemporaryDirectory() as folder:
    ...     model.save(f"{folder}/model.safetensors")
    ...     loaded = load(f"{folder}/model.safetensors")
    >>> bool((loaded.predict([1.0, 2.0, 3.0]) == model.predict([1.0, 2.0, 3.0])).all())
    True
    """
    return load_model(Sequential, path)
