"""Who may import and call what, read from the source."""

import ast
import importlib
from pathlib import Path

import pytest

import fastmlp.kernels

FOLDER = Path(fastmlp.kernels.__file__).parent
TREES = {
    ".".join(path.relative_to(FOLDER).with_suffix("").parts): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted(FOLDER.rglob("*.py"))
}
ALLOCATIONS = {
    "arange", "array", "asarray", "ascontiguousarray", "concatenate", "copy", "empty", "empty_like", "eye",
    "full", "full_like", "linspace", "ones", "ones_like", "outer", "repeat", "stack", "tile", "zeros",
    "zeros_like",
}  # fmt: skip


def relative_imports(name):
    """The files of the package that this one imports."""
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.ImportFrom) and node.level > 0:
            folder = name.split(".")[: -node.level]
            for module in [node.module] if node.module else [alias.name for alias in node.names]:
                found = ".".join([*folder, module])
                yield found if found in TREES else f"{found}.__init__"


def absolute_imports(name):
    """The other packages that this file imports."""
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module


def kernels(name):
    """The functions of a file that are compiled."""
    decorators = {"kernel", "inlined", "entry"}
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.FunctionDef):
            names = {ast.unparse(decorator).split("(")[0] for decorator in node.decorator_list}
            if names & decorators:
                yield node


def test_there_are_kernels_to_look_at():
    assert {"gemm", "shuffle", "train"} <= {node.name for name in TREES for node in kernels(name)}


def test_only_jit_compiles():
    compilers = {"njit", "jit", "vectorize", "guvectorize", "cfunc", "generated_jit", "stencil"}
    for name, tree in TREES.items():
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        used |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        assert bool(used & compilers) == (name == "compiler.jit"), name


def test_only_simd_and_the_inside_of_numba_import_llvmlite():
    users = {name for name in TREES if any(m.split(".")[0] == "llvmlite" for m in absolute_imports(name))}
    assert {name.split(".")[0] for name in users - {"compiler.numba_internals"}} == {"simd"}


@pytest.mark.parametrize("name", TREES)
def test_nothing_comes_from_fastmlp(name):
    assert not [module for module in absolute_imports(name) if module.split(".")[0] in ("fastmlp", "kernels")]
    depth = name.count(".") + 1
    assert all(node.level <= depth for node in ast.walk(TREES[name]) if isinstance(node, ast.ImportFrom))
    assert set(relative_imports(name)) <= set(TREES)


def test_the_reference_imports_numpy_and_the_contract_only():
    standard = {"collections", "collections.abc", "functools", "math", "typing"}
    twins = {name for name in TREES if name.startswith("reference.")}
    assert {"reference.entries", "reference.layers"} <= twins
    for name in twins:
        assert set(absolute_imports(name)) - standard <= {"numpy"}
        assert set(relative_imports(name)) <= {"schema", "tables"} | twins
    assert set(absolute_imports("schema")) - standard == {"numpy"}
    assert not set(relative_imports("schema"))
    assert set(absolute_imports("tables")) - standard <= {"numpy"}
    assert set(relative_imports("tables")) <= {"schema"}


def test_imports_go_downwards_only():
    """Files can be put in an order in which each imports earlier ones only."""
    waiting, placed = {name: set(relative_imports(name)) for name in TREES}, set()
    while waiting:
        ready = {name for name, needs in waiting.items() if needs <= placed}
        assert ready, f"import each other: {sorted(waiting)}"
        placed |= ready
        waiting = {name: needs for name, needs in waiting.items() if name not in ready}


KERNELS = {
    node.name
    for tree in TREES.values()
    for node in ast.walk(tree)
    if isinstance(node, ast.FunctionDef) and "kernel" in map(ast.unparse, node.decorator_list)
}
TUPLES = {"Matrix", "Strided", "Member", "Chunk", "Selection"}


@pytest.mark.parametrize("name", [name for name in TREES if not name.startswith("extras.")])
def test_kernels_get_no_literal_integers(name):
    """A literal is a type of its own to Numba, which would compile the kernel once more; so is a tuple with one."""
    assert {"gemm", "dense_sums", "next_part"} <= KERNELS
    module = importlib.import_module(f"fastmlp.kernels.{name}".removesuffix(".__init__"))
    for kernel in kernels(name):
        for node in ast.walk(kernel):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in KERNELS | TUPLES:
                for argument in node.args:
                    value = argument.value if isinstance(argument, ast.Constant) else None
                    if isinstance(argument, ast.Name):
                        value = getattr(module, argument.id, None)
                    assert type(value) is not int, ast.unparse(node)


def positional(node):
    """The number of parameters of a function."""
    return len(node.args.posonlyargs + node.args.args + node.args.kwonlyargs)


@pytest.mark.parametrize("name", TREES)
def test_kernels_take_at_most_ten_arguments(name):
    """Entries excepted: Python calls them, with all that a run needs."""
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.FunctionDef) and node.decorator_list:
            decorators = {ast.unparse(decorator) for decorator in node.decorator_list}
            if decorators & {"kernel", "inlined", "primitive"}:
                assert positional(node) <= 10, f"{name}.{node.name}"


@pytest.mark.parametrize("name", TREES)
def test_kernels_neither_allocate_nor_raise(name):
    for kernel in kernels(name):
        for node in ast.walk(kernel):
            place = f"{name}.{kernel.name}, line {getattr(node, 'lineno', '?')}"
            assert not isinstance(node, (ast.Raise, ast.Assert, ast.ListComp, ast.List, ast.Dict, ast.Set)), (
                place
            )
            if isinstance(node, ast.Call):
                function = node.func
                assert not (isinstance(function, ast.Attribute) and function.attr in ALLOCATIONS), place


@pytest.mark.parametrize("name", TREES)
def test_kernels_read_neither_clock_nor_environment(name):
    words = {"os", "environ", "getenv", "time", "perf_counter", "random", "open", "print"}
    for kernel in kernels(name):
        used = {node.id for node in ast.walk(kernel) if isinstance(node, ast.Name)}
        used |= {node.attr for node in ast.walk(kernel) if isinstance(node, ast.Attribute)}
        assert not used & words, f"{name}.{kernel.name}"
