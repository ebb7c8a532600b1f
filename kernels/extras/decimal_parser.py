"""Reads lines of numbers from text, such as those of a CSV file: every double is the one nearest to its decimals.

A decimal is m 10^e with a whole number m. If m and 10^|e| are both doubles, one product or quotient of them rounds
once, so it is right (Clinger 1990). Else it is computed with about 100 bits, and is right unless it lies closer than
that to the middle between two doubles. What is still open, or is no plain decimal, is left to the caller.
"""

import numpy as np

from ..compiler.jit import entry, kernel

# Words of `state`: where to go on, and the last field that was looked at, from START to END.
POSITION, ROW, COLUMN, LINE, FIELD_ROW, FIELD_COLUMN, START, END = range(8)
STATE_WORDS = 8

# How reading ended: all is read, or at a field that is left to the caller, or at a line that is not well-formed.
DONE, OPEN, FEW, MANY, QUOTES = range(5)

# What becomes of a column, in `slots`: its column in the table, or one of these.
SKIPPED, TEXT = -1, -2

_NEWLINE, _RETURN, _SPACE, _QUOTE = 10, 13, 32, 34
_PLUS, _MINUS, _POINT, _ZERO, _NINE, _LOWER_E, _UPPER_E = 43, 45, 46, 48, 57, 101, 69
_MOST_POWER = 22  # 10^22 is the largest power of ten that is a double
_POWERS = np.array([float(10**k) for k in range(_MOST_POWER + 1)])
_FULL = (2**63 - 10) // 10  # whole numbers up to this take another digit
_EXACT = 2**53
_SHORT = 15  # digits of a whole number that is a double in any case
_HUGE = 10_000  # exponents beyond this differ in nothing
_DOUBT = 2.0**-98  # relative; more than the sums and products below lose
_SPLIT = 2.0**27 + 1.0


@kernel
def _product_error(a, b, product):
    """a b - product, exactly (Dekker 1971)."""
    high = a * _SPLIT
    a_high = high - (high - a)
    high = b * _SPLIT
    b_high = high - (high - b)
    a_low, b_low = a - a_high, b - b_high
    return a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)


@kernel
def _scaled(mantissa, exponent):
    """mantissa 10^exponent rounded once, and whether that is certain; the mantissa is positive."""
    if exponent > _MOST_POWER or exponent < -_MOST_POWER:
        return 0.0, False
    power, nearest = _POWERS[abs(exponent)], np.float64(mantissa)
    if mantissa <= _EXACT or exponent == 0:
        return nearest / power if exponent < 0 else nearest * power, True
    rest = np.float64(mantissa - np.int64(nearest))
    if exponent < 0:
        first = nearest / power
        product = first * power
        second = ((nearest - product) - _product_error(first, power, product) + rest) / power
    else:
        first = nearest * power
        second = _product_error(nearest, power, first) + rest * power
    doubt = first * _DOUBT
    below, above = first + (second - doubt), first + (second + doubt)
    return below, below == above


@kernel
def _decimal(text, start):
    """The number that starts here, where it ends, and whether it is certain; it may be no number at all."""
    p = start
    negative = text[p] == _MINUS
    if negative or text[p] == _PLUS:
        p += 1
    mantissa, exponent, zeros, digits = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    fits, point = True, np.int64(-1)
    first = p
    while True:
        digit = np.int64(text[p]) - _ZERO
        if digit < 0 or digit > 9:
            if text[p] != _POINT or point >= 0:
                break
            point = p
        elif digit == 0:
            zeros += 1  # they wait until another digit follows: at the end they only move the exponent
        else:
            for _ in range(zeros + 1):
                fits = fits and mantissa <= _FULL
                mantissa *= 10
            mantissa += digit
            zeros = 0
        p += 1
    if point >= 0:
        exponent = point + 1 - p
    digits = p - first - (1 if point >= 0 else 0)
    exponent += zeros
    certain = fits and digits > 0
    if certain and (text[p] == _LOWER_E or text[p] == _UPPER_E):
        p += 1
        down = text[p] == _MINUS
        if down or text[p] == _PLUS:
            p += 1
        certain, shift = _ZERO <= text[p] <= _NINE, np.int64(0)
        while _ZERO <= text[p] <= _NINE:
            shift = min(shift * 10 + (np.int64(text[p]) - _ZERO), _HUGE)
            p += 1
        exponent += -shift if down else shift
    value = 0.0
    if certain and mantissa > 0:
        value, certain = _scaled(mantissa, exponent)
    return -value if negative else value, p, certain


@kernel
def _is_end(text, p, delimiter):
    """Whether a field ends before this place."""
    c = text[p]
    return c in (delimiter, _NEWLINE) or (c == _RETURN and text[p + 1] == _NEWLINE)


@kernel
def _field_end(text, start, delimiter):
    """Where the field that starts here ends; -1 if its quotes do not close, or something follows them."""
    p = start
    if text[p] != _QUOTE:
        while not _is_end(text, p, delimiter):
            p += 1
        return p
    while True:
        p += 1
        while text[p] != _QUOTE:
            if text[p] == _NEWLINE:
                return -1
            p += 1
        p += 1
        if text[p] != _QUOTE:  # two of them stand for one
            return p if _is_end(text, p, delimiter) else -1


@kernel
def _number(text, start, delimiter):
    """The number of the field that starts here, where the field ends, and whether that is certain.

    Pixels and other short whole numbers take the short way.
    """
    p, whole = start, np.int64(0)
    while _ZERO <= text[p] <= _NINE and p < start + _SHORT:
        whole = whole * 10 + (np.int64(text[p]) - _ZERO)
        p += 1
    if p > start and _is_end(text, p, delimiter):
        return np.float64(whole), p, True
    p = start
    while text[p] == _SPACE and delimiter != _SPACE:
        p += 1
    quoted = text[p] == _QUOTE
    value, p, certain = _decimal(text, p + quoted)
    if quoted:
        certain = certain and text[p] == _QUOTE
        p += 1
    while certain and text[p] == _SPACE and delimiter != _SPACE:
        p += 1
    return value, p, certain and _is_end(text, p, delimiter)


@entry
def read_lines(table, texts, lines, state, text, slots, delimiter):
    """Read whole lines into the rows of a table, and go on where `state` says.

    table (out): (rows, numbers) float64
    texts (out): (rows, 2) int64, where the field of the column that is TEXT starts and ends
    lines (out): (rows,) int64, the number of the line of each row
    state (in, out): (STATE_WORDS,) int64
    text: bytes; the last one is the end of a line. Rows are as many as there are lines at most.
    slots: (columns,) int64: the column of the table, SKIPPED or TEXT

    Returns how it ended; if not with DONE, at the field of which `state` tells. After OPEN the caller writes its
    number into the table and calls again.
    """
    position, row, column, line = state[POSITION], state[ROW], state[COLUMN], state[LINE]
    outcome = DONE
    while outcome == DONE and position < text.size:
        if column == 0:
            if _is_end(text, position, _NEWLINE):  # an empty line
                position += 1 if text[position] == _NEWLINE else 2
                line += 1
                continue
            lines[row] = line
        slot, end, certain = slots[column], position, slots[column] < 0
        if slot >= 0:
            table[row, slot], end, certain = _number(text, position, delimiter)
        if slot < 0 or not certain:
            end = _field_end(text, position, delimiter)
        if slot == TEXT:
            texts[row, 0], texts[row, 1] = position, end
        state[FIELD_ROW], state[FIELD_COLUMN], state[START], state[END] = row, column, position, end
        more = end >= 0 and text[end] == delimiter
        if end < 0:
            outcome = QUOTES
        elif more != (column + 1 < slots.size):
            outcome = MANY if more else FEW
        else:
            if not certain:
                outcome = OPEN
            position, column = end + 1, column + 1
            if not more:
                position += 0 if text[end] == _NEWLINE else 1
                row, column, line = row + 1, 0, line + 1
    state[POSITION], state[ROW], state[COLUMN], state[LINE] = position, row, column, line
    return outcome
