"""The structure of the source in figures: rooms and their imports, the way of X through fit, sizes of functions.

    python -m tests.house

A room is a file or a folder directly in `fastmlp/` or in `kernels/`. Imports count wherever they are written: at the
top of a file, in a function, or for types only. A room is on the floor above the highest room that it imports. An
import that does not go down is an upward one; rooms or files that import each other are a knot.
"""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from statistics import median
from types import FrameType
from typing import NamedTuple

import numpy as np

ROOT = Path(__file__).parents[1]
FOLDERS = {"fastmlp": ROOT / "fastmlp", "fastmlp.kernels": ROOT / "kernels"}
# Files that import a module by its name when it is first used: the public names, the engines, a layer built alone.
LATE = {"fastmlp/__init__.py", "fastmlp/engine/run_arguments.py", "fastmlp/layers/layer.py"}
COMPILED = {"kernel", "inlined", "primitive"}


class Import(NamedTuple):
    """One file of the package imports another."""

    importer: str
    imported: str


@cache
def modules() -> dict[str, Path]:
    """All files of the package by the name of their module."""
    found = {}
    for package, folder in FOLDERS.items():
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            found[".".join([package, *(part for part in parts if part != "__init__")])] = path
    return found


@cache
def tree_of(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def imports() -> list[Import]:
    """Every import of one file of the package by another, each once."""
    found = set()
    for name, path in modules().items():
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ImportFrom):
                found |= {Import(name, imported) for imported in _imported(name, path, node)}
    return sorted(one for one in found if one.importer != one.imported)


def _imported(name: str, path: Path, node: ast.ImportFrom) -> Iterator[str]:
    """The modules that an import statement reads: those that it names, or else the one that has the names."""
    base = node.module or ""
    if node.level:
        package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
        base = ".".join([*package[: len(package) - node.level + 1], *filter(None, [node.module])])
    for alias in node.names:
        for module in (f"{base}.{alias.name}", base):
            if module in modules():
                yield module
                break


def late_imports() -> set[str]:
    """The files that import a module by its name."""
    return {
        str(path.relative_to(ROOT))
        for path in modules().values()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"import_module", "importlib.import_module", "__import__"}
    }


def room_of(module: str) -> str:
    """The room of a file: the part of its name behind the package."""
    package = "fastmlp.kernels" if module.startswith("fastmlp.kernels") else "fastmlp"
    rest = module.removeprefix(package).lstrip(".")
    return f"{'kernels' if package != 'fastmlp' else 'fastmlp'}/{rest.split('.')[0] or '__init__'}"


def arrows() -> set[tuple[str, str]]:
    """Which room imports which. The faces of the packages, which only list names, are no rooms."""
    pairs = {(room_of(one.importer), room_of(one.imported)) for one in imports()}
    return {(a, b) for a, b in pairs if a != b and not a.endswith("__init__") and not b.endswith("__init__")}


def reached(pairs: set[tuple[str, str]]) -> dict[str, set[str]]:
    """What each one imports, directly or through others; itself only where it is in a knot."""
    direct: dict[str, set[str]] = {name: set() for pair in pairs for name in pair}
    for importer, imported in pairs:
        direct[importer].add(imported)
    found = {}
    for name in direct:
        seen: set[str] = set()
        waiting = [name]
        while waiting:
            new = direct[waiting.pop()] - seen
            seen |= new
            waiting += new
        found[name] = seen
    return found


def floors(pairs: set[tuple[str, str]]) -> dict[str, int]:
    """The floor of each room, from 1; rooms of one knot share theirs."""
    down = reached(pairs)
    level: dict[str, int] = {}
    # Whoever imports more comes later; members of a knot import themselves too, so they come before their importers.
    for name in sorted(down, key=lambda one: (len(down[one]), one not in down[one])):
        below = [level[one] for one in down[name] if name not in down[one]]
        level[name] = 1 + max(below, default=0)
    return level


def knots(pairs: set[tuple[str, str]]) -> list[list[str]]:
    """Groups whose members import each other, directly or through others."""
    down = reached(pairs)
    groups = {tuple(sorted(b for b in down[a] if a in down[b])) for a in down}
    return [list(group) for group in sorted(groups) if group]


def upward(pairs: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """Imports between rooms that do not go down."""
    level = floors(pairs)
    return sorted((a, b) for a, b in pairs if level[a] <= level[b])


# The way of X


def way_of_samples() -> tuple[list[str], int]:
    """The files that X enters in `fit` until it is checked, and how often it climbs to a room on a higher floor.

    X enters a file when a function in it is called with X, with an array that shares its memory, or with the samples
    that were made of it.
    """
    from fastmlp import Dense, Sequential

    X, y = np.random.default_rng(0).normal(size=(40, 5)).astype(np.float32), np.arange(40) % 3
    options = {"epochs": 1, "validation_split": 0.25, "verbose": 0}
    Sequential([Dense(3, "softmax")]).fit(
        X, y, **options
    )  # compiles, which would take minutes while it is watched
    model = Sequential([Dense(3, "softmax")])
    paths = {str(path): name for name, path in modules().items()}
    stays: list[str] = []
    checked = False

    def look(frame: FrameType, event: str, _: object) -> None:
        nonlocal checked
        name = paths.get(frame.f_code.co_filename)
        if name is None or checked:
            return
        checked = event == "return" and frame.f_code.co_name == "check_fit_arguments"
        if event == "call" and _is_given(frame, X) and stays[-1:] != [name]:
            stays.append(name)

    sys.setprofile(look)
    try:
        model.fit(X, y, **options)
    finally:
        sys.setprofile(None)
    level = floors(arrows())
    rooms = [level[room_of(name)] for name in stays]
    return stays, sum(after > before for before, after in pairwise(rooms))


def _is_given(frame: FrameType, X: np.ndarray) -> bool:
    """Whether an argument of a call is X, shares its memory, or holds an array that does."""
    code = frame.f_code
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    for value in (frame.f_locals.get(name) for name in names if name != "self"):
        held = [value, *(value if isinstance(value, tuple) else getattr(value, "__dict__", {}).values())]
        if any(isinstance(one, np.ndarray) and np.shares_memory(one, X) for one in held):
            return True
    return False


# Sizes


class Function(NamedTuple):
    """A function: where it is, its lines of code, its parameters, and how it is compiled."""

    place: str
    lines: int
    parameters: int
    decorators: frozenset[str]


def functions() -> list[Function]:
    """All functions and methods of the package. Comments, blank lines and docstrings are no lines of code."""
    return [
        Function(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", _lines(path, node), *_signature(node))
        for path in modules().values()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef)
    ]


def _signature(node: ast.FunctionDef) -> tuple[int, frozenset[str]]:
    taken = node.args
    count = len(taken.posonlyargs) + len(taken.args) + len(taken.kwonlyargs)
    names = {ast.unparse(one).split("(")[0].rpartition(".")[2] for one in node.decorator_list}
    return count, frozenset(names)


def _lines(path: Path, node: ast.FunctionDef) -> int:
    """Lines of the body that hold code."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return len(_code_lines(path) & set(range(body[0].lineno, node.end_lineno + 1))) if body else 0


@cache
def _code_lines(path: Path) -> frozenset[int]:
    """Numbers of the lines of a file that hold code: neither blank, nor comment, nor docstring."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docstrings: set[int] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, documented) and ast.get_docstring(node) is not None:
            docstrings |= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    lines = path.read_text(encoding="utf-8").splitlines()
    return frozenset(
        number
        for number, line in enumerate(lines, 1)
        if number not in docstrings and line.strip() and not line.lstrip().startswith("#")
    )


def file_sizes() -> dict[str, int]:
    """Lines of code of each file."""
    return {str(path.relative_to(ROOT)): len(_code_lines(path)) for path in modules().values()}


def is_kernel(function: Function) -> bool:
    """Whether kernels call it: entries, which Python calls, are not among them."""
    return function.place.startswith("kernels/") and bool(function.decorators & COMPILED)


def report() -> None:
    """Print all figures."""
    pairs, level = arrows(), floors(arrows())
    print(f"rooms {len(level)}, floors {max(level.values())}, imports between rooms {len(pairs)}")
    print(f"upward imports {len(upward(pairs))}, knots of rooms {len(knots(pairs))}")
    print(f"knots of files {len(knots({(one.importer, one.imported) for one in imports()}))}")
    for number in sorted(set(level.values()), reverse=True):
        print(f"  floor {number:2}: {', '.join(sorted(room for room in level if level[room] == number))}")
    stays, climbs = way_of_samples()
    print(f"X in fit: {len(stays)} stays, {climbs} climbs: {' -> '.join(stays)}")
    sizes = [function.lines for function in functions()]
    print(f"functions {len(sizes)}: median {median(sizes):g} lines of code, longest {max(sizes)}")
    for title, of, value in (
        ("longest functions", functions(), lambda f: f.lines),
        ("kernels with most parameters", [f for f in functions() if is_kernel(f)], lambda f: f.parameters),
    ):
        print(f"{title}:")
        for function in sorted(of, key=value, reverse=True)[:5]:
            print(f"  {value(function):3}  {function.place}")
    print("longest files:")
    for name, count in sorted(file_sizes().items(), key=lambda item: item[1], reverse=True)[:5]:
        print(f"  {count:3}  {name}")


if __name__ == "__main__":
    report()
