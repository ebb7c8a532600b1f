"""The errors that are fastmlp's own; bad arguments raise the built-in ValueError and TypeError."""


class FileFormatError(ValueError):
    """A file is not what it claims to be: truncated, damaged, or not of the format."""


class TrainingDiverged(ArithmeticError):  # noqa: N818
    """The loss became NaN or infinite. The model has the weights from before that epoch, the optimizer no state."""


class UsageError(ValueError):
    """A command was called with something it does not accept."""


SIGNALLED = 128  # a command that signal n ended has the exit code 128 + n, as everywhere


class Interrupted(KeyboardInterrupt):
    """A command was asked to end by a signal: Ctrl-C, SIGTERM, or the end of its terminal."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = SIGNALLED + number
