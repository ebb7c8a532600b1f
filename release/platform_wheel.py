"""Makes a platform wheel from the pure wheel: `python -m release.platform_wheel dist/fastmlp-*-py3-none-any.whl`.

It has the files of the pure wheel and the machine code of all kernels, which is compiled from these very files by this
Python and the Numba that is installed; it serves only the same versions of both. The wheel is written beside the
pure one. Needs Linux on x86-64 and about a minute and a half on two cores.

The tag is manylinux_2_17: the machine code is no shared library and loads none. It calls functions of the C library
that are as old as x86-64 (`nm` lists them), so every tag would be true; this is the oldest that indexes still take, and
Numba's own wheels decide how old a system may be.
"""

import base64
import hashlib
import os
import platform
import subprocess
import sys
import tempfile
import zipfile
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

_DATE = (
    1980,
    1,
    1,
    0,
    0,
    0,
)  # of every file, the first that a zip archive can hold: the same bytes at any time


def tag() -> str:
    """Who can install the wheel: this version of CPython on 64-bit Linux."""
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    return f"{python}-{python}-manylinux_2_17_x86_64"


def make(pure: Path, dtypes: Sequence[str]) -> Path:
    """Write the platform wheel beside the pure one, and return where."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        with zipfile.ZipFile(pure) as archive:
            archive.extractall(tree)
        # Python looks in the folder in which it is started first, so this is the fastmlp of the wheel.
        subprocess.run(
            [sys.executable, "-m", "fastmlp.cli.prebuild", *dtypes], cwd=tree, env=_environment(), check=True
        )
        (information,) = tree.glob("*.dist-info")
        _write_tag(information / "WHEEL")
        _write_record(tree, information / "RECORD")
        wheel = pure.with_name(pure.name.replace("py3-none-any", tag()))
        _pack(tree, wheel)
    return wheel


def _environment() -> dict[str, str]:
    """That of this process, without what would import another fastmlp or write files that are not of the wheel."""
    kept = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONSAFEPATH"}}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1"}


def _write_tag(path: Path) -> None:
    lines = [line for line in path.read_text("utf-8").splitlines() if line.strip()]
    kept = [line for line in lines if not line.startswith(("Root-Is-Purelib:", "Tag:"))]
    path.write_text("\n".join([*kept, "Root-Is-Purelib: false", f"Tag: {tag()}", ""]), "utf-8")


def _files(tree: Path) -> list[Path]:
    return sorted(path for path in tree.rglob("*") if path.is_file())


def _write_record(tree: Path, record: Path) -> None:
    """List all files with their hashes and sizes, as installers check them."""
    lines = []
    for path in _files(tree):
        name = path.relative_to(tree).as_posix()
        content = path.read_bytes()
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        lines.append(f"{name},," if path == record else f"{name},sha256={digest},{len(content)}")
    record.write_text("\n".join([*lines, ""]), "utf-8")


def _pack(tree: Path, wheel: Path) -> None:
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in _files(tree):
            entry = zipfile.ZipInfo(path.relative_to(tree).as_posix(), _DATE)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)


def main() -> None:
    """Make the wheel that the command line asks for."""
    parser = ArgumentParser(prog="python -m release.platform_wheel", description=__doc__)
    parser.add_argument("wheel", type=Path, help="the pure wheel, from `python -m build`")
    parser.add_argument("--float64", action="store_true", help="also for float64: twice the size and time")
    options = parser.parse_args()
    if not options.wheel.name.endswith("-py3-none-any.whl"):
        parser.error(f"wheel: expected a pure wheel, ...-py3-none-any.whl, got {options.wheel.name}")
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        parser.error(f"expected Linux on x86_64, got {platform.system()} on {platform.machine()}")
    wheel = make(options.wheel, ["float32", "float64"] if options.float64 else ["float32"])
    print(f"{wheel} ({wheel.stat().st_size / 1e6:.1f} MB)")


if __name__ == "__main__":
    main()
