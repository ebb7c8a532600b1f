"""Examples in docstrings and on pages run, commands parse, files and names exist, every public name is documented."""

import ast
import doctest
import inspect
import pkgutil
import re
from importlib import import_module

import pytest

import fastmlp
from fastmlp import initializers, losses, metrics, schedules
from fastmlp.cli import parser
from tests.pages import LANGUAGES, PAGES, ROOT, blocks, commands, run

MODULES = [
    module.name
    for module in pkgutil.walk_packages(fastmlp.__path__, "fastmlp.")
    if not module.name.endswith("__main__") and not module.name.startswith("fastmlp.kernels")
]


# Names are imported on first use, so use all.
PUBLIC = {name: getattr(fastmlp, name) for name in fastmlp.__all__}


def skip_without_scikit_learn(text):
    if "sklearn" in text:
        pytest.importorskip("sklearn", reason="scikit-learn is not installed")


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    skip_without_scikit_learn(name)
    failed, _ = doctest.testmod(import_module(name), extraglobs=PUBLIC)
    assert failed == 0


WITH_PYTHON = [page for page in PAGES if any(block.language == "python" for block in blocks(page))]


# test_readme.py runs that page.
@pytest.mark.parametrize("page", [page for page in WITH_PYTHON if page != "README.md"])
def test_pages_run(page, tmp_path, monkeypatch):
    skip_without_scikit_learn(PAGES[page])
    monkeypatch.chdir(tmp_path)
    run(page)


@pytest.mark.parametrize("page", PAGES)
def test_blocks_are_of_a_kind_that_is_checked(page):
    assert {block.language for block in blocks(page)} <= LANGUAGES
    assert PAGES[page].count("```") == 2 * len(blocks(page))


COMMANDS = [(page, command) for page in PAGES for command in commands(page)]


@pytest.mark.parametrize(
    "command", [command for _, command in COMMANDS if command[0] == "fastmlp"], ids=" ".join
)
def test_commands_are_understood(command):
    assert parser.parser().parse_args(command[1:]).command == command[1]


def test_scripts_that_pages_tell_to_run_are_there():
    for page, command in COMMANDS:
        if command[0] == "python" and command[1] != "-m":
            assert (ROOT / command[1]).is_file(), (page, command)


def test_every_command_is_shown():
    shown = {command[1] for _, command in COMMANDS if command[0] == "fastmlp"}
    assert shown == {"train", "evaluate", "predict", "info", "warm"}


def test_links_lead_somewhere():
    documents = PAGES | {
        name: (ROOT / name).read_text("utf-8") for name in ("CONTRIBUTING.md", "CHANGELOG.md")
    }
    for page, text in documents.items():
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
            drawn = f'savefig("{target}")' in text  # by docs/draw_pictures.py, when the site is built
            there = ((ROOT / page).parent / target).exists()
            assert target.startswith("https://") or drawn or there, (page, target)


# The site: pages of docs/ and the reference, which mkdocs makes from the docstrings.

REFERENCE = {
    name for page in PAGES if page.startswith("docs/reference/")
    for name in re.findall(r"^::: fastmlp\.(\S+)$", PAGES[page], re.MULTILINE)
}  # fmt: skip


@pytest.mark.parametrize("name", fastmlp.__all__)
def test_every_public_name_is_in_the_reference(name):
    assert name in REFERENCE


# Modules whose names are not those of the package: what is in their tables has to be in the reference.
SHELVES = {
    "losses": [kind.__name__ for kind in losses.LOSSES.values()],
    "metrics": [name for name in metrics.METRICS if not name.endswith("_per_class")],
    "schedules": [
        kind.__name__ for kind in schedules.Schedule.__subclasses__() if kind is not schedules.Function
    ],
    "initializers": [kind.__name__ for kind in initializers.Initializer.__subclasses__()],
}


@pytest.mark.parametrize("name", [f"{module}.{name}" for module, names in SHELVES.items() for name in names])
def test_all_of_a_module_is_in_the_reference(name):
    assert name in REFERENCE


@pytest.mark.parametrize("name", sorted(REFERENCE - set(fastmlp.__all__)))
def test_the_reference_names_what_is_there(name):
    skip_without_scikit_learn(name)
    module, _, thing = name.rpartition(".")
    assert getattr(import_module(f"fastmlp.{module}"), thing).__doc__


# Nothing to call, or needs the network.
WITHOUT_EXAMPLE = {"initializers.Initializer", "schedules.Schedule", "load_mnist"}


@pytest.mark.parametrize("name", sorted(REFERENCE - WITHOUT_EXAMPLE))
def test_everything_in_the_reference_has_an_example(name):
    skip_without_scikit_learn(name)
    module, _, thing = f"fastmlp.{name}".rpartition(".")
    tests = doctest.DocTestFinder().find(getattr(import_module(module), thing), module=False)
    assert any(test.examples for test in tests)


@pytest.mark.parametrize("name", sorted(REFERENCE))
def test_parameters_of_the_reference_are_those_of_the_signature(name):
    """The strict build of the site refuses a documented parameter that the signature does not have."""
    skip_without_scikit_learn(name)
    module, _, thing = f"fastmlp.{name}".rpartition(".")
    described = getattr(import_module(module), thing)
    text = inspect.getdoc(described) or ""
    section = re.search(r"^Parameters\n-+\n(.*?)(?=\n\n\S[^\n]*\n--|\Z)", text, re.DOTALL | re.MULTILINE)
    if section:
        headings = re.findall(r"^(\S[^:\n]*)", section[1], re.MULTILINE)
        names = {part.strip() for heading in headings for part in heading.split(",")}
        assert names - {"..."} <= set(inspect.signature(described).parameters)


# These show the insides.
FOR_CONTRIBUTORS = ("docs/contributing/", "docs/engine.md")


def test_pages_for_users_show_only_what_is_exported():
    """A user copies imports from here: from the package itself, or from a module that the reference names."""
    modules = {f"fastmlp.{name}".rpartition(".")[0] for name in REFERENCE}
    for page in PAGES:
        for block in blocks(page):
            if block.language == "python" and not page.startswith(FOR_CONTRIBUTORS):
                for node in ast.walk(ast.parse(block.code)):
                    if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("fastmlp"):
                        assert node.module in modules, (page, node.module)


# Files and names in the code that pages mention: they may not be left behind when code moves.

SOURCES = {
    path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
    for folder in ("fastmlp", "kernels", "bench", "tests", "examples")
    for path in (ROOT / folder).rglob("*.py")
}
DOCUMENTS = PAGES | {"CONTRIBUTING.md": (ROOT / "CONTRIBUTING.md").read_text("utf-8")}


def source_of(path):
    """The text of a file that a page names, maybe from `fastmlp/` on."""
    return SOURCES.get(path) or SOURCES.get(f"fastmlp/{path}")


@pytest.mark.parametrize("page", DOCUMENTS)
def test_files_that_a_page_names_exist(page):
    for path in re.findall(r"`([a-z_]+/[\w/]*(?:\.py|/))`", DOCUMENTS[page]):
        found = source_of(path) if path.endswith(".py") else [*ROOT.glob(path), *ROOT.glob(f"fastmlp/{path}")]
        assert found or "NAME" in path or "xyz" in path, path


@pytest.mark.parametrize("page", DOCUMENTS)
def test_names_that_a_page_says_are_in_a_file_are_there(page):
    for name, path in re.findall(r"`(\w[\w.]*)` (?:in|of) `(\w[\w/]*\.py)`", DOCUMENTS[page]):
        text = source_of(path)
        assert text is None or re.search(rf"\b{name.rpartition('.')[2]}\b", text), (name, path)


def test_names_of_the_glossary_are_in_the_code():
    rows = [line.split("|") for line in PAGES["docs/glossary.md"].splitlines() if line.startswith("| ")]
    code = "\n".join(text for path, text in SOURCES.items() if path.startswith(("fastmlp/", "kernels/")))
    missing = [
        name for row in rows for name in re.findall(r"[A-Za-z_]\w+", " ".join(re.findall(r"`([^`]+)`", row[3])))
        if not re.search(rf"\b{name}\b", code) and not (ROOT / "kernels" / name).exists()
    ]  # fmt: skip
    assert missing == []
