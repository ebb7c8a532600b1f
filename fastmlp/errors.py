"""The errors that are fastmlp's own; bad arguments raise the built-in ValueError and TypeError."""


class FileFormatError(ValueError):
    """A file is not what it claims to be: truncated, damaged, or not of the format."""
