"""The structure of the source: imports go one way, X is checked once, functions are short.

`python -m tests.house` prints the figures.
"""

from statistics import median

import pytest

from tests import house

# From the ground up; a room imports rooms of lower floors only.
ORDER = (
    ("fastmlp/errors", "fastmlp/checks", "fastmlp/portable_math", "kernels/schema"),
    ("kernels/tables", "fastmlp/json_numbers"),
    ("kernels/simd", "kernels/reference"),
    ("kernels/compiler",),
    ("kernels/loops",),
    ("kernels/program", "kernels/extras"),
    ("fastmlp/metrics", "fastmlp/regularizers"),
    ("fastmlp/activations", "fastmlp/losses", "fastmlp/schedules"),
    ("fastmlp/optimizers", "fastmlp/initializers", "fastmlp/callbacks"),
    ("fastmlp/inputs",),
    ("fastmlp/layers",),
    ("fastmlp/engine",),
    ("fastmlp/files",),
    ("fastmlp/training", "fastmlp/data"),
    ("fastmlp/model",),
    ("fastmlp/many",),
    ("fastmlp/ensemble",),
    ("fastmlp/rate_finder", "fastmlp/sklearn"),
    ("fastmlp/plot",),
    ("fastmlp/cli",),
    ("fastmlp/__main__",),
)
FLOOR = {room: number for number, rooms in enumerate(ORDER) for room in rooms}


def test_every_room_has_its_floor():
    assert {room for pair in house.arrows() for room in pair} == set(FLOOR)


def test_imports_go_down():
    wrong = [
        f"{one.importer} imports {one.imported}"
        for one in house.imports()
        if (rooms := (house.room_of(one.importer), house.room_of(one.imported)))[0] != rooms[1]
        and not any(room.endswith("__init__") for room in rooms)
        and FLOOR[rooms[0]] <= FLOOR[rooms[1]]
    ]
    assert wrong == []
    assert house.upward(house.arrows()) == []


def test_no_files_import_each_other():
    assert house.knots({(one.importer, one.imported) for one in house.imports()}) == []


def test_a_knot_is_found():
    pairs = {("a", "b"), ("b", "c"), ("c", "a"), ("c", "d")}
    assert house.knots(pairs) == [["a", "b", "c"]]
    assert house.upward(pairs) == [("a", "b"), ("b", "c"), ("c", "a")]
    assert house.floors({("a", "b"), ("b", "c"), ("a", "c")}) == {"c": 1, "b": 2, "a": 3}


def test_imports_by_name_are_known():
    assert house.late_imports() == house.LATE


def test_x_goes_through_the_door_once():
    stays, climbs = house.way_of_samples()
    assert stays[0] == "fastmlp.model"
    assert "fastmlp.inputs.samples" in stays
    assert len(stays) <= 10
    assert climbs <= 2


def test_functions_are_short():
    functions = house.functions()
    assert [one for one in functions if one.lines > 60] == []
    assert median(one.lines for one in functions) <= 8


def test_kernels_take_few_parameters():
    kernels = [one for one in house.functions() if house.is_kernel(one)]
    assert len(kernels) > 100
    assert [one for one in kernels if one.parameters > 10] == []


def test_files_are_short():
    assert {name: size for name, size in house.file_sizes().items() if size > 300} == {}


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("def f():\n    return 1\n", 1),
        ('def f():\n    """Doc."""\n    # why\n\n    x = 1\n    return x\n', 2),
    ],
)
def test_lines_of_code(tmp_path, source, lines):
    path = tmp_path / "file.py"
    path.write_text(source)
    assert house._lines(path, house.tree_of(path).body[0]) == lines
