"""The errors that are fastmlp's own; bad arguments raise the built-in ValueError and TypeError."""


class FileFormatError(ValueError):
    """A file is not what it claims to be: truncated, damaged, or not of the format."""


class TrainingDiverged(ArithmeticError):
    """The loss became NaN or infinite. The model has the weights from before that epoch."""
