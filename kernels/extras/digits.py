"""Handwritten-looking digits, drawn from (seed, index): a data set that needs no file.

A digit is a skeleton (`fastmlp/data/digit_glyphs.py`): points, and spans of a smooth curve through them.
An image is drawn in four steps: choose a skeleton, place its points (jitter, then the slant, size,
rotation and position of this hand), measure the distance of the pixels near each piece of the stroke,
turn distance into ink.

Image `index` depends on (seed, index) only, whatever was drawn before it, and its bits are the same on
every machine: random numbers come from a hash of (seed, index, number of the draw), and the arithmetic
is float32 + - * / sqrt, one rounding each, with no function of a mathematical library.
"""

import numpy as np

from ..compiler.jit import entry, kernel
from ..loops import rng
from ..schema import DIGITS_PURPOSE

SIDE = 28
CLASSES = 10
MOST_POINTS = 24
ROW = 32  # a row of the distance buffer: SIDE, padded to whole vectors

# What each draw of an image is for. Every point takes one draw, and so does every pixel.
DRAW_SKELETON, DRAW_SLANT, DRAW_BOW, DRAW_ROTATION, DRAW_WIDTH, DRAW_HEIGHT = range(6)
DRAW_SHIFT_X, DRAW_SHIFT_Y, DRAW_RADIUS, DRAW_PRESSURE, DRAW_SOFTNESS, DRAW_INK = range(6, 12)
DRAW_TAPER, DRAW_WAIST, DRAW_CARE = range(12, 15)
DRAW_POINT = 16
DRAW_PIXEL = DRAW_POINT + MOST_POINTS

# The hand; lengths in pixels. A spread is the largest deviation from the middle, small ones are likelier.
JITTER, JITTER_CARELESS = np.float32(0.8), np.float32(2.4)  # of a point: at least, and what can be added
WIDTH, WIDTH_SPREAD = np.float32(0.92), np.float32(0.36)
HEIGHT, HEIGHT_SPREAD = np.float32(0.97), np.float32(0.16)
TAPER_SPREAD = np.float32(0.03)  # relative change of the width per pixel of height
WAIST_SPREAD = np.float32(2.5)  # how far the middle moves up or down while top and foot stay
SLANT, SLANT_SPREAD = np.float32(0.16), np.float32(0.5)  # tangent of the angle from the vertical
BOW_SPREAD = np.float32(0.015)  # curvature of a vertical line, per pixel
ROTATION_SPREAD = np.float32(0.17)  # tangent of half the angle: up to 19 degrees
SHIFT_SPREAD = np.float32(2.5)
RADIUS, RADIUS_SPREAD = np.float32(1.15), np.float32(0.75)
PRESSURE_SPREAD = np.float32(0.025)  # relative change of the radius per pixel of height
SOFTNESS, SOFTNESS_SPREAD = np.float32(0.7), np.float32(0.25)
INK, INK_SPREAD = np.float32(270.0), np.float32(60.0)
GRAIN = np.float32(0.15)

ZERO, HALF, ONE = np.float32(0.0), np.float32(0.5), np.float32(1.0)
TWO, THREE, FOUR, FIVE = np.float32(2.0), np.float32(3.0), np.float32(4.0), np.float32(5.0)
WHITE = np.float32(255.0)
PER_SQUARE = np.float32(1.0 / 81.0)  # of half the height of a digit
CENTRE = np.float32(13.5)
FAR = np.float32(1e6)
TINY = np.float32(1e-6)
UNIT = np.float32(2.0**-24)

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
SHIFT_40, SHIFT_16, LOW_24 = np.uint64(40), np.uint64(16), np.uint64(0xFFFFFF)
SKELETON_BITS = np.uint64(7)


@kernel
def draw(key, number):
    """64 random bits of the image `key`: element `number` of its SplitMix64 stream."""
    return rng.mix(key + np.uint64(number) * GOLDEN)


@kernel
def high_unit(bits):
    """Map the upper 24 bits to [0, 1)."""
    return np.float32(bits >> SHIFT_40) * UNIT


@kernel
def low_unit(bits):
    """Map 24 lower bits, which `high_unit` does not use, to [0, 1)."""
    return np.float32((bits >> SHIFT_16) & LOW_24) * UNIT


@kernel
def deviation(key, number):
    """Return a triangular deviate in (-1, 1): a sum of two uniform ones."""
    bits = draw(key, number)
    return high_unit(bits) + low_unit(bits) - ONE


@kernel
def place_points(placed, key, skeleton):
    """placed = rotate(slant(taper(scale(skeleton + jitter)))) + shift, by the hand of this image.

    placed (out): (MOST_POINTS, 2), x and y in pixels, y downwards
    key: of the image
    skeleton: (n, 2), x and y from the centre of the digit
    """
    careless = high_unit(draw(key, DRAW_CARE))
    jitter = JITTER + JITTER_CARELESS * careless * careless * careless
    taper = TAPER_SPREAD * deviation(key, DRAW_TAPER)
    waist = WAIST_SPREAD * deviation(key, DRAW_WAIST)
    slant = SLANT + SLANT_SPREAD * deviation(key, DRAW_SLANT)
    bow = BOW_SPREAD * deviation(key, DRAW_BOW)
    width = WIDTH + WIDTH_SPREAD * deviation(key, DRAW_WIDTH)
    height = HEIGHT + HEIGHT_SPREAD * deviation(key, DRAW_HEIGHT)
    shift_x = CENTRE + SHIFT_SPREAD * deviation(key, DRAW_SHIFT_X)
    shift_y = CENTRE + SHIFT_SPREAD * deviation(key, DRAW_SHIFT_Y)
    # Cosine and sine from the tangent of half the angle, without a mathematical library.
    tangent = ROTATION_SPREAD * deviation(key, DRAW_ROTATION)
    scale = ONE / (ONE + tangent * tangent)
    cosine = (ONE - tangent * tangent) * scale
    sine = TWO * tangent * scale
    for i in range(len(skeleton)):
        bits = draw(key, DRAW_POINT + i)
        x = width * (skeleton[i, 0] + jitter * (TWO * high_unit(bits) - ONE))
        y = height * (skeleton[i, 1] + jitter * (TWO * low_unit(bits) - ONE))
        x = x * (ONE + taper * y)
        y = y + waist * (ONE - y * y * PER_SQUARE)
        x = x - slant * y + bow * y * y
        placed[i, 0] = cosine * x - sine * y + shift_x
        placed[i, 1] = sine * x + cosine * y + shift_y


@kernel
def catmull_rom(p0, p1, p2, p3, t):
    """Return the curve through p1 (t = 0) and p2 (t = 1) with slopes (p2 - p0) / 2 and (p3 - p1) / 2."""
    linear = p2 - p0
    square = TWO * p0 - FIVE * p1 + FOUR * p2 - p3
    cube = THREE * (p1 - p2) + p3 - p0
    return p1 + HALF * t * (linear + t * (square + t * cube))


@kernel
def draw_segment(distances, ax, ay, bx, by, reach, weight):
    """distances = min(distances, weight * squared distance from the segment a-b), where within reach.

    distances (in, out): (SIDE, ROW)
    """
    dx, dy = bx - ax, by - ay
    inverse = ONE / (dx * dx + dy * dy + TINY)
    left = max(int(min(ax, bx) - reach), 0)
    right = min(int(max(ax, bx) + reach) + 1, SIDE)
    top = max(int(min(ay, by) - reach), 0)
    bottom = min(int(max(ay, by) + reach) + 1, SIDE)
    for row in range(top, bottom):
        y = np.float32(row) - ay
        for column in range(left, right):
            x = np.float32(column) - ax
            along = min(max((x * dx + y * dy) * inverse, ZERO), ONE)
            off_x = x - along * dx
            off_y = y - along * dy
            distance = weight * (off_x * off_x + off_y * off_y)
            distances[row, column] = min(distances[row, column], distance)


@kernel
def draw_strokes(distances, key, placed, spans, radius, softness):
    """Measure, for each pixel, the squared distance from the strokes in units of their radius there.

    distances (out): (SIDE, ROW), FAR where no stroke is near
    placed: (MOST_POINTS, 2) in pixels
    spans: (n, 5): the four points of each span of the curve, and the pieces to draw it in
    """
    pressure = PRESSURE_SPREAD * deviation(key, DRAW_PRESSURE)
    distances[:] = FAR
    for span in range(len(spans)):
        p0, p1, p2, p3 = spans[span, 0], spans[span, 1], spans[span, 2], spans[span, 3]
        step = ONE / np.float32(spans[span, 4])
        ax, ay = placed[p1, 0], placed[p1, 1]
        for piece in range(1, spans[span, 4] + 1):
            t = np.float32(piece) * step
            bx = catmull_rom(placed[p0, 0], placed[p1, 0], placed[p2, 0], placed[p3, 0], t)
            by = catmull_rom(placed[p0, 1], placed[p1, 1], placed[p2, 1], placed[p3, 1], t)
            relative = ONE + pressure * (by - CENTRE)
            reach = (radius + softness) * relative
            draw_segment(distances, ax, ay, bx, by, reach, ONE / (relative * relative))
            ax, ay = bx, by


@kernel
def shade(image, key, distances, radius, softness):
    """Turn distance from the stroke into ink: full inside, none outside, smooth and grainy between.

    image (out): (SIDE, SIDE) uint8
    distances: (SIDE, ROW), squared
    """
    ink = INK + INK_SPREAD * deviation(key, DRAW_INK)
    outer = radius + softness
    limit = outer * outer
    slope = HALF / softness
    for row in range(SIDE):
        for column in range(SIDE):
            value = ZERO
            if distances[row, column] < limit:
                edge = min((outer - np.sqrt(distances[row, column])) * slope, ONE)
                grain = GRAIN * high_unit(draw(key, DRAW_PIXEL + row * SIDE + column))
                value = min(ink * edge * (ONE - grain * edge) + ONE, WHITE)
            image[row, column] = np.uint8(value)


@entry
def draw_digits(images, labels, distances, placed, variant_of, variants, points, spans, seed, start):
    """Draw the images start, start + 1, ... of the data set `seed`.

    images (out): (n, SIDE, SIDE) uint8, 0 background, up to 255 ink
    labels (out): (n,) uint8, the index modulo ten
    distances, placed (workspace): (SIDE, ROW) and (MOST_POINTS, 2), float32
    variant_of: (CLASSES, 8), the variants of each digit, the more frequent ones more often
    variants: (v, 4): first point, end of the points, first span, end of the spans
    points, spans: of all variants, as `place_points` and `draw_strokes` take them
    seed, start: uint64
    """
    for i in range(len(images)):
        index = start + np.uint64(i)
        key = rng.key(seed, DIGITS_PURPOSE, 0, index)
        digit = np.int64(index % np.uint64(CLASSES))
        variant = variants[variant_of[digit, np.int64(draw(key, DRAW_SKELETON) & SKELETON_BITS)]]
        radius = RADIUS + RADIUS_SPREAD * deviation(key, DRAW_RADIUS)
        softness = SOFTNESS + SOFTNESS_SPREAD * deviation(key, DRAW_SOFTNESS)
        place_points(placed, key, points[variant[0] : variant[1]])
        draw_strokes(distances, key, placed, spans[variant[2] : variant[3]], radius, softness)
        shade(images[i], key, distances, radius, softness)
        labels[i] = digit
