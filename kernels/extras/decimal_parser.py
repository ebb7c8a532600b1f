"""Reads lines of numbers from text, such as those of a CSV file: every double is the one nearest to its decimals.

A decimal is m 10^e with a whole number m. If m and 10^|e| are both doubles, their product or quotient is rounded once,
so it is right (Clinger 1990). Else it is computed with about 100 bits, and it is right unless it is closer than their
error to the middle between two doubles. Fields for which that cannot be decided, and fields that are not plain
decimals, are left to the caller.
"""

import numpy as np

from ..compiler.jit import entry, kernel

# Words of `state`: the position to continue at with its row, column and line; and the last field, from START to END.
POSITION, ROW, COLUMN, LINE, FIELD_ROW, FIELD_COLUMN, START, END = range(8)
STATE_WORDS = 8

# How a call ends: DONE at the end of the text, OPEN at a field that is left to the caller, and the others at a line
# that has too few or too many columns or whose quotes do not close.
DONE, OPEN, FEW, MANY, QUOTES = range(5)

# An element of `slots` is the place of a column in the table, or one of these.
SKIPPED, TEXT = -1, -2

_NEWLINE, _SPACE, _QUOTE = 10, 32, 34
_PLUS, _MINUS, _POINT, _ZERO, _NINE, _LOWER_E, _UPPER_E = 43, 45, 46, 48, 57, 101, 69
_MOST_POWER = 22  # 10^22 is the largest power of ten that is a double
_POWERS = np.array([float(10**k) for k in range(_MOST_POWER + 1)])
_FULL = (2**63 - 10) // 10  # the largest int64 to which one more digit can be appended
_EXACT = 2**53
_SHORT = 15  # a whole number of this many digits is always a double
_HUGE = 10_000  # all exponents from here on give infinity or zero
_DOUBT = 2.0**-98  # a bound of the relative error of the sums and products below
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
    """mantissa 10^exponent rounded to the nearest double, and whether that is certain; the mantissa is positive."""
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
def _mantissa(text, start):
    """The digits that start here as a whole number m and an exponent e, where they end, and whether m is exact.

    Zeros are counted but appended only when another digit follows: at the end of the digits they just raise the
    exponent, so that m holds as few digits as possible.
    """
    p = start
    mantissa = np.int64(0)
    zeros = np.int64(0)
    fits = True
    point = np.int64(-1)
    while True:
        digit = np.int64(text[p]) - _ZERO
        if digit < 0 or digit > 9:
            if text[p] != _POINT or point >= 0:
                break
            point = p
        elif digit == 0:
            zeros += 1
        else:
            for _ in range(zeros + 1):
                fits = fits and mantissa <= _FULL
                mantissa *= 10
            mantissa += digit
            zeros = 0
        p += 1
    decimals = p - point - 1 if point >= 0 else 0
    digits = p - start - (1 if point >= 0 else 0)
    return mantissa, zeros - decimals, p, fits and digits > 0


@kernel
def _exponent(text, start):
    """The exponent after e or E, where it ends, and whether it has digits."""
    p = start
    negative = text[p] == _MINUS
    if negative or text[p] == _PLUS:
        p += 1
    valid = _ZERO <= text[p] <= _NINE
    exponent = np.int64(0)
    while _ZERO <= text[p] <= _NINE:
        exponent = min(exponent * 10 + (np.int64(text[p]) - _ZERO), _HUGE)
        p += 1
    return -exponent if negative else exponent, p, valid


@kernel
def _decimal(text, start):
    """The number that starts here, where it ends, and whether it is certain; it may not be a number at all."""
    p = start
    negative = text[p] == _MINUS
    if negative or text[p] == _PLUS:
        p += 1
    mantissa, exponent, p, certain = _mantissa(text, p)
    if certain and (text[p] == _LOWER_E or text[p] == _UPPER_E):
        shift, p, certain = _exponent(text, p + 1)
        exponent += shift
    value = 0.0
    if certain and mantissa > 0:
        value, certain = _scaled(mantissa, exponent)
    return -value if negative else value, p, certain


@kernel
def _is_end(text, p, delimiter):
    """Whether a field ends before this position."""
    return text[p] in (delimiter, _NEWLINE)


@kernel
def _field_end(text, start, delimiter):
    """Where the field that starts here ends; -1 if its quotes do not close or are followed by text."""
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
        if text[p] != _QUOTE:  # two quotes mean one
            return p if _is_end(text, p, delimiter) else -1


@kernel
def _number(text, start, delimiter):
    """The number of the field that starts here, where the field ends, and whether that is certain.

    Pixels and other short whole numbers are read without `_decimal`.
    """
    p = start
    whole = np.int64(0)
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
    """Read whole lines into the rows of a table, starting at the position in `state`.

    table (out): (rows, numbers) float64
    texts (out): (rows, 2) int64, where the field of the column that is TEXT starts and ends
    lines (out): (rows,) int64, the number of the line of each row
    state (in, out): (STATE_WORDS,) int64
    text: bytes, with a line feed at the end of each line and of the text; it has at most as many lines as `table` rows
    slots: (columns,) int64: the place of the column in the table, SKIPPED or TEXT

    Returns how it ended: DONE, or what is wrong with the field that `state` describes. After OPEN the caller writes the
    number of that field into the table and calls again; reading continues with the next field.

    For each field: a number is read, and if it is not certain, or the column is not one of numbers, the field is
    skipped to its end. At the end is a delimiter, after which another column must follow, or a line feed, which must
    end the last column.
    """
    position, row, column, line = state[POSITION], state[ROW], state[COLUMN], state[LINE]
    outcome = DONE
    while outcome == DONE and position < text.size:
        if column == 0:
            if text[position] == _NEWLINE:  # an empty line
                position += 1
                line += 1
                continue
            lines[row] = line
        slot = slots[column]
        end = position
        certain = slot < 0
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
            position = end + 1
            column += 1
            if not more:
                row += 1
                column = 0
                line += 1
    state[POSITION], state[ROW], state[COLUMN], state[LINE] = position, row, column, line
    return outcome
