"""Every case that fastmlp has to survive has a test: `python -m tests.reliability` lists them."""

import pytest

from tests import reliability


@pytest.mark.parametrize("case", reliability.CASES)
def test_each_case_has_a_test(case):
    assert reliability.holders()[case]


def test_names_and_marks_are_read():
    assert reliability._named("test_r7_to_r12_lies") == ["R7", "R8", "R9", "R10", "R11", "R12"]
    assert reliability._named("test_r1_no_source") == ["R1"]
    assert reliability._named("test_regular") == []
