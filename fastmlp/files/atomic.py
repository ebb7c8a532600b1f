"""Files that are replaced as a whole: after a crash there is the old file or the new one, complete."""

import errno
import os
import re
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

STALE_SECONDS = 3600  # an older temporary file belongs to a save that was killed


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a temporary file beside `path` that takes its place once the block ends without an error.

    The content is on the disk before the name changes, and the folder is synced after it. The mode of a file
    that is replaced is kept; its owner, and hard links to it, are not. A symbolic link at `path` is itself
    replaced, never followed. What earlier, killed saves of the same file left behind is removed.

    Parameters
    ----------
    path
        The file to write; its folder must exist.

    Yields
    ------
    BinaryIO
        The temporary file, open for writing and able to seek. The block must not close it.

    Raises
    ------
    OSError
        The file cannot be written: no such folder, no space left, not permitted, a folder or a device in its
        place (the subclass tells which). The message names `path`; the old file is as it was, unless the
        message says that the new one is in place.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_write(Path(folder, "history.json")) as file:
    ...         _ = file.write(b"[]")
    ...     print([entry.name for entry in Path(folder).iterdir()])
    ['history.json']
    """
    target = Path(path).absolute()
    mode = _mode_to_keep(target)
    _remove_stale(target)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")
    try:
        with _create(temporary, 0o666 if mode is None else mode) as file:
            if mode is not None and hasattr(os, "fchmod"):  # Windows has it from Python 3.13 on
                os.fchmod(file.fileno(), mode)  # the umask may have taken bits away
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError as error:
        raise _named(error, "cannot write the file", target) from error
    finally:
        with suppress(OSError):  # after the replacement there is nothing left to remove
            temporary.unlink()
    _sync_folder(target)


def _mode_to_keep(target: Path) -> int | None:
    """Return the permissions of the file to replace, None without one; refuse what must not be replaced."""
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "no such folder, create it first", str(target.parent))
    try:
        mode = target.lstat().st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(mode):
        return None
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "this is a folder, give the name of a file", str(target))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "this is a device or a pipe, give the name of a file", str(target))
    if not os.access(target, os.W_OK):
        # Renaming over it would succeed, but whoever made it read-only wants to keep it.
        raise PermissionError(errno.EACCES, "the file is read-only", str(target))
    return stat.S_IMODE(mode) & 0o777


def _create(temporary: Path, mode: int) -> BinaryIO:
    """Create a file that was not there (O_EXCL follows no link), never more readable than `mode` says."""
    return open(temporary, "xb", opener=lambda name, flags: os.open(name, flags, mode))


def _remove_stale(target: Path) -> None:
    """Remove what killed saves of `target` left; not being able to must not stop this save."""
    left_by_save = re.compile(rf"\.{re.escape(target.name)}\.[0-9a-f]{{16}}\.tmp")
    limit = time.time() - STALE_SECONDS
    with suppress(OSError):
        for entry in target.parent.iterdir():
            if left_by_save.fullmatch(entry.name) and entry.lstat().st_mtime < limit:
                entry.unlink()


def _sync_folder(target: Path) -> None:
    """Make the new name survive a power cut, where the platform can sync a folder and we may read it."""
    try:
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EINVAL, errno.ENOTSUP):
            raise _named(error, "the new file is in place, but a power cut may undo it", target) from error


def _named(error: OSError, consequence: str, target: Path) -> OSError:
    """Return the same error (its subclass follows from errno) with the consequence and the file as text."""
    return OSError(error.errno or errno.EIO, f"{consequence}: {error.strerror or error}", str(target))
