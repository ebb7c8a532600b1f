"""Where machine code is kept between processes, and when it may be trusted.

Numba's own `cache=True` looks only at the file of the decorated function: edit a kernel that it calls, and the old
machine code still runs. Here one stamp, a hash over every compiled file of this package, guards every entry.

The cache is pickled machine code: whoever can write it can run code as this user. So the folder must be a real folder
of this user that nobody else can write to or exchange, and so must be each file in it. Otherwise there is no cache, and
one warning. (On systems without user ids, such as Windows, there is no check.)
"""

import hashlib
import os
import stat
import sys
import warnings
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
_WRITE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_ENTER_BY_OTHERS = stat.S_IXGRP | stat.S_IXOTH


def compiled_files() -> list[Path]:
    """All files of this package but those of the reference, which is never compiled."""
    return sorted(
        path for path in PACKAGE.rglob("*.py") if "reference" not in path.relative_to(PACKAGE).parts
    )


@cache
def stamp() -> str:
    """SHA-256 over the names and contents of all files that may be compiled."""
    digest = hashlib.sha256()
    for path in compiled_files():
        digest.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


@cache
def folder() -> Path | None:
    """The folder of the machine code, created if it is missing; None if there is none to trust."""
    # One folder for each place where the package is installed, as two versions may be installed side by side.
    name = f"kernels_{hashlib.sha256(str(PACKAGE).encode()).hexdigest()[:16]}"
    path = _root().absolute() / name
    try:
        path = path.parent.resolve() / name  # links above it are followed once, here
        _create(path)
        reason = _reason_to_refuse(path)
    except OSError as error:
        reason = error.strerror or str(error)
    if reason is None:
        return path
    warnings.warn(
        f"fastmlp: compiled kernels are not cached in {path}: {reason}. Every new process compiles them again (about "
        "half a minute); set NUMBA_CACHE_DIR to a folder of your own to avoid that.",
        RuntimeWarning,
        stacklevel=2,
    )
    return None


@cache
def warn_not_kept(why: str) -> None:
    """Warn once, not for each entry, that machine code could not be written."""
    warnings.warn(
        f"fastmlp: compiled kernels are not kept in {why}. The next process compiles them again (about half a minute); "
        "make room, or set NUMBA_CACHE_DIR to another folder.",
        RuntimeWarning,
        stacklevel=3,
    )


def _root() -> Path:
    """The folder of this user for files that can be made again."""
    if given := os.environ.get("NUMBA_CACHE_DIR"):
        return Path(given)
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "fastmlp" / "Cache"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "fastmlp"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "fastmlp"


def _create(path: Path) -> None:
    """Create a folder and those above it that are missing, for this user only."""
    for part in [*reversed(path.parents), path]:
        if not part.exists():
            part.mkdir(mode=0o700, exist_ok=True)


def _reason_to_refuse(path: Path) -> str | None:
    """Why machine code in this folder must not be trusted, or None."""
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode):
        return "it is a link or not a folder"
    if not os.access(path, os.W_OK | os.X_OK):
        return "it is not writable"
    if not hasattr(os, "getuid"):
        return None
    if status.st_uid != os.getuid():
        return "it belongs to another user"
    if status.st_mode & _WRITE_BY_OTHERS:
        return "other users can write to it"
    return _reason_above(path) or _reason_inside(path, status.st_mode)


def _reason_above(path: Path) -> str | None:
    """Why a folder above could be used to exchange this one, or None."""
    for parent in path.parents:
        status = parent.stat()
        if status.st_uid not in {0, os.getuid()}:
            return f"{parent} above it belongs to another user"
        if status.st_mode & stat.S_ISVTX:
            continue  # as in /tmp: others can add files, but not move or remove those of this user
        by_group = status.st_mode & stat.S_IWGRP and not _is_private(status.st_gid)
        if by_group or status.st_mode & stat.S_IWOTH:
            return f"other users can write to {parent} above it"
    return None


def _is_private(group: int) -> bool:
    """Whether a group is that of this user alone, as many systems give one to each user."""
    import grp
    import pwd

    try:
        members, user = grp.getgrgid(group), pwd.getpwuid(os.getuid())
    except KeyError:
        return False
    return members.gr_name == user.pw_name and set(members.gr_mem) <= {user.pw_name}


def _reason_inside(path: Path, mode: int) -> str | None:
    """Why a file in the folder must not be trusted, or None."""
    for file in os.scandir(path):
        status = file.stat(follow_symlinks=False)
        if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
            return f"{file.name} in it is a link or no file"
        if status.st_uid != os.getuid():
            return f"{file.name} in it belongs to another user"
        if status.st_mode & _WRITE_BY_OTHERS and mode & _ENTER_BY_OTHERS:
            return f"other users can write to {file.name} in it"
    return None
