"""The errors that are fastmlp's own; bad arguments raise the built-in ValueError and TypeError."""


class FileFormatError(ValueError):
    """A file is not what it claims to be: truncated, damaged, or not of the format.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "model.safetensors")
    ...     _ = path.write_bytes(b"short")
    ...     try:
    ...         load(path)
    ...     except FileFormatError as error:
    ...         print(str(error).removeprefix(f"{path}: "))
    not a model file: 5 bytes are too few; it is empty or truncated
    """


class TrainingDiverged(ArithmeticError, ValueError):  # noqa: N818
    """The loss became NaN or infinite. The model has the weights from before that epoch, the optimizer no state.

    With `EarlyStopping(restore_best_weights=True)` it has those of the best epoch. It is a ValueError too, as that is
    what scikit-learn raises.

    Examples
    --------
    >>> model = Sequential([Dense(1)], optimizer=SGD(1e6))
    >>> try:
    ...     model.fit([[1.0], [2.0]], [1.0, 2.0], epochs=50, verbose=0)
    ... except TrainingDiverged:
    ...     print("a smaller learning rate, perhaps")
    a smaller learning rate, perhaps
    """


class UsageError(ValueError):
    """A command was called with something it does not accept."""


SIGNALLED = 128  # a command that signal n ended has the exit code 128 + n, as everywhere


class Interrupted(KeyboardInterrupt):
    """A command was asked to end by a signal: Ctrl-C, SIGTERM, or the end of its terminal."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = SIGNALLED + number
