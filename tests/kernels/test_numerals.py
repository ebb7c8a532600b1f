"""Reading numbers from text: the double that Python reads, or none; and how lines are divided."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.kernels.extras import decimal_parser
from fastmlp.kernels.extras.decimal_parser import DONE, FEW, MANY, OPEN, QUOTES, SKIPPED, TEXT


def read(text, slots=(0,), delimiter=","):
    """All lines; fields that are left open become NaN. The outcome, the table, labels, lines, fields left open."""
    data, rows = text.encode(), text.count("\n")
    table = np.full((rows, max(*slots, 0) + 1), np.inf)
    texts, lines = np.zeros((rows, 2), np.int64), np.zeros(rows, np.int64)
    state = np.zeros(decimal_parser.STATE_WORDS, np.int64)
    state[decimal_parser.LINE] = 1
    opened = []
    while True:
        arguments = (np.frombuffer(bytearray(data), np.uint8), np.array(slots, np.int64), ord(delimiter))
        outcome = decimal_parser.read_lines(table, texts, lines, state, *arguments)
        field = data[state[decimal_parser.START] : state[decimal_parser.END]].decode()
        if outcome != OPEN:
            rows = state[decimal_parser.ROW]
            labels = [data[start:end].decode() for start, end in texts[:rows]]
            return outcome, table[:rows], labels, lines[:rows].tolist(), opened
        opened.append(field)
        table[state[decimal_parser.FIELD_ROW], slots[state[decimal_parser.FIELD_COLUMN]]] = np.nan


read("1\n")  # compiles, which must not count as the time of a test


def read_one(text):
    """The number, or None if it is left open."""
    outcome, table, _, _, opened = read(f"{text}\n")
    assert outcome == DONE
    return None if opened else table[0, 0]


def assert_right(text):
    """It is to the bit what Python reads, or left open."""
    value = read_one(text)
    if value is not None:
        assert value == float(text), text
        assert np.signbit(value) == np.signbit(np.float64(text)), text
    return value is not None


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_double_as_python_writes_it(number):
    assert_right(repr(number))


@given(st.integers(0, 10**20), st.integers(-45, 45))
def test_any_decimal(mantissa, exponent):
    assert_right(f"{mantissa}e{exponent}")


@given(st.from_regex(r"[+-]?([0-9]{1,25}\.?[0-9]{0,25}|\.[0-9]{1,25})([eE][+-]?[0-9]{1,5})?", fullmatch=True))
def test_any_form(text):
    assert_right(text)


@given(st.integers(2**53, 2**62), st.integers(-22, -1))
def test_halfway_between_two_doubles(number, exponent):
    """Decimals as near to a middle as their digits allow."""
    power = 10**-exponent
    low = np.float64(number) / power
    middle = (int(low * 2**80) + int(np.nextafter(low, np.inf) * 2**80)) * power // 2**81
    for digits in (middle - 1, middle, middle + 1):
        assert_right(f"{digits}e{exponent}")


@pytest.mark.parametrize("form", ["{!r}", "{:.18e}", "{:.17g}", "{:.6f}", "{:.3f}", "{:g}"])
def test_what_programs_write_is_hardly_ever_left_open(form):
    numbers = np.random.default_rng(1).normal(size=3000)
    read_here = [assert_right(form.format(float(number))) for number in numbers]
    assert np.mean(read_here) > 0.9


EXACT = ["0", "-0", "+7", "007", "5.", ".5", "1e3", "1E+3", "1e-3", " 4 ", "255", "9007199254740993", "0e99999",
         "0.30000000000000004", "4611686018427387905", "1.000000000000000000000", "100000000000000000000"]  # fmt: skip


@pytest.mark.parametrize("text", EXACT)
def test_numbers_that_must_not_be_left_open(text):
    assert assert_right(text)


NO_NUMBERS = [
    " ", ".", "-", "+", "e5", "1e", "1e+", "1.2.3", "--1", "1 2", "0x10", "1_000", "nan", "inf", "a", "\uff11"
]  # fmt: skip


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_what_is_no_number_is_left_open(text):
    assert read_one(text) is None


def test_lines_and_columns():
    outcome, table, labels, lines, opened = read(
        '1,skip,red,2\n\n\n3,"a,b","dark ""blue""",x\n"4", ,,5\n', (0, SKIPPED, TEXT, 1)
    )
    assert (outcome, opened) == (DONE, ["x"])
    np.testing.assert_array_equal(table, [[1, 2], [3, np.nan], [4, 5]])
    assert labels == ["red", '"dark ""blue"""', ""]
    assert lines == [1, 4, 5]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", " "])
def test_delimiters(delimiter):
    outcome, table, *_ = read(f"1{delimiter}2\n3{delimiter}4\n", (0, 1), delimiter)
    assert outcome == DONE
    np.testing.assert_array_equal(table, [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        ("1", FEW),
        ("1,2,3", MANY),
        ("1,", OPEN),
        ('"1,2', QUOTES),
        ('"1"x,2', QUOTES),
        ('1,"2""', QUOTES),
        ("1,2", DONE),
    ],
)  # fmt: skip
def test_lines_that_are_not_well_formed(line, outcome):
    found, table, _, _, opened = read(f"7,8\n{line}\n9,9\n", (0, 1))
    assert (OPEN if opened else found) == outcome
    np.testing.assert_array_equal(table[0], [7, 8])


def test_a_field_that_is_left_open_at_the_end_of_a_line_does_not_stop_the_next():
    outcome, table, _, lines, opened = read("1,a\nb,2\n", (0, 1))
    assert (outcome, opened, lines) == (DONE, ["a", "b"], [1, 2])
    np.testing.assert_array_equal(table, [[1, np.nan], [np.nan, 2]])
