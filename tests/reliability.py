"""What fastmlp has to survive, and the tests that hold each case.

    python -m tests.reliability

A test names its cases by the mark `survives("R22")`, or by its own name: `test_r13_...`, or `test_r7_to_r12_...` for
all from the first to the last. A mark in `pytestmark` is for the whole file.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parent

CASES = {
    "R1": "code in a model file, or any way of loading that can execute what it reads",
    "R2": "a failed check that falls back to a weaker way of loading",
    "R3": "names of classes or functions in a model's configuration",
    "R4": "names of tensors that are paths",
    "R5": "files or URLs that a model file refers to",
    "R7": "a small file that declares a huge array",
    "R8": "a shape whose number of bytes overflows",
    "R9": "a header that declares a huge length",
    "R10": "a key twice in a header",
    "R11": "tensors that overlap, leave gaps or lie outside the file",
    "R12": "weights of another type or byte order, or that are not finite",
    "R13": "a file cut anywhere, or with any bit flipped",
    "R14": "compressed data that expand without limit",
    "R15": "an IDX file that lies about its type, dimensions, counts or labels",
    "R16": "a data set that is swapped or cut on a mirror",
    "R17": "CSV: ragged rows, text, missing numbers, encodings, line ends, an empty file",
    "R18": "a process killed at any moment of a save",
    "R19": "a full disk, an input/output error, a read-only folder while saving",
    "R20": "a cache of machine code in a folder that others can write to",
    "R21": "damaged machine code in the cache",
    "R22": "another library that has set flush-to-zero",
    "R23": "several threads, forked processes and workers that use models at once",
    "R24": "many processes that start with an empty cache, and a cache that cannot be written",
    "R25": "samples and targets of wrong types, shapes and values; reads and writes stay inside their memory",
    "R26": "a loss that becomes NaN or infinite",
    "R27": "Ctrl-C, SIGTERM, the end of the terminal",
    "R28": "a run that is interrupted and resumed",
    "R29": "model files of older and newer versions",
    "R31": "one core, more threads than cores, limits of a container",
    "R32": "a symbolic link where a file is about to be written",
}


def holders() -> dict[str, list[str]]:
    """The tests of each case, as `file::test`."""
    found: dict[str, list[str]] = {case: [] for case in CASES}
    for path in sorted(FOLDER.rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        of_all = [case for node in tree.body if isinstance(node, ast.Assign) for case in _marked(node)]
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for case in {*of_all, *_named(node.name), *_marked(*node.decorator_list)}:
                    found[case].append(f"{path.relative_to(FOLDER)}::{node.name}")
    return found


def _marked(*nodes: ast.AST) -> Iterator[str]:
    """The cases in calls of `survives(...)`."""
    for node in nodes:
        for call in ast.walk(node):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.survives":
                yield from (ast.literal_eval(argument) for argument in call.args)


def _named(name: str) -> list[str]:
    """The cases in the name of a test."""
    match = re.match(r"test_r(\d+)_(?:to_r(\d+)_)?", name)
    if match is None:
        return []
    first, last = int(match[1]), int(match[2] or match[1])
    return [case for number in range(first, last + 1) if (case := f"R{number}") in CASES]


def report() -> None:
    """Print each case and its tests."""
    for case, tests in holders().items():
        print(f"{case:4} {CASES[case]}")
        print(*(f"       {test}" for test in tests or ["NONE"]), sep="\n")


if __name__ == "__main__":
    report()
