"""The contract of both sides: the fields of the plan, the arenas, the kinds of operation.

A plan is a structured array, one row an operation, in the order of the forward pass. Offsets and strides count
numbers, not bytes. `fastmlp/lowering.py` builds and verifies it; after that the kernels trust it.

Layout, in one place:

- A value (what a layer puts out) is a matrix in `workspace`: row r at `y + r * ldy`. Its column `fan_out` holds 1, so
  that the bias is one more row of the weights, forward and in the gradient.
- The weights of a dense layer are a matrix in `params`: row k at `weights + k * ldw`, the bias row `fan_in`.
- What scales samples or stands for the moments of a batch is not trained but lies in `params` too, so that it goes
  wherever they go.
- A stride (ld) is an odd number of cache lines, so that the rows of a matrix spread over all sets of a cache, and
  leaves room for the column of ones. Padding of weights, deltas, state and gradients is zero and stays zero.
"""

from typing import NamedTuple

import numpy as np

LINE = 64  # bytes of a cache line, and of the alignment of every arena
# A mask holds the zeros of this many numbers. The last one of a row reads as many, whatever is behind the row.
MASK_BITS = 64
ROOM = MASK_BITS * 8  # bytes behind each arena that belong to it, as kernels may read them: a mask of float64

# Constants of kernels are np.int64: a plain integer is a type of its own to Numba, which compiles a kernel once for
# each such argument.
ZERO = np.int64(0)
ONE = np.int64(1)

# How work is divided. The numbers are measured: see docs/decisions.
SMALL_BATCH = 4  # most rows for which transposed weights and blocks of gradients do not pay
ROW_GRAIN = np.int64(8)  # rows are divided between ranks in multiples of this: whole tiles
ROW_GROUP = np.int64(8)  # rows whose sums BATCH_NORM computes by themselves; a divisor of ROW_GRAIN
CHUNK = np.int64(256)  # most rows that a thread takes through all layers before it takes the next
UPDATE_ROWS = np.int64(48)  # rows of weights whose gradient and update are done together: a block
ONE_SUM = 128  # most inputs whose products a layer adds in one sum, not in two halves: see input_sharing.py
# Most operations of a plan and most parts of a half, so that one word counts the parts that are taken: see
# input_sharing.py.
MOST_OPERATIONS = np.int64(2**12)
MOST_PARTS = np.int64(2**20)
MOMENT_ROWS = 5  # rows that BATCH_NORM keeps before those of its row groups: see batch_norm.py
SUMS = 3  # sums of squares of one row of a gradient: of the numbers as they are, scaled down and scaled up

# How samples are read.
BYTE_SCALE = 1.0 / 255.0  # bytes are fractions of 255
SPARSE_BELOW = 0.5  # share of non-zero inputs below which the first layer skips the zeros

# Purposes of random numbers, so that the same counters never serve two of them: see rng.py.
SHUFFLE_PURPOSE = 1
WEIGHTS_PURPOSE = 2
DIGITS_PURPOSE = 3
SPLIT_PURPOSE = 4
BIASES_PURPOSE = 5
LAYER_PURPOSE = 1000  # of layer 0; layer i has LAYER_PURPOSE + i

# Kinds of operation. SPARSE is a dense layer whose input has many zeros: the same sums without the terms of zero.
# ROW_NORM and BATCH_NORM normalise, AFFINE gives what comes out a gain and an offset; what is not trained needs SCALE.
INPUT, DENSE, SPARSE, ACTIVATION, DROPOUT, SOFTMAX, LOSS, SCALE, LOG_SOFTMAX = range(9)
NOISE, ROW_NORM, BATCH_NORM, AFFINE = range(9, 13)
KINDS = (
    "input", "dense", "sparse", "activation", "dropout", "softmax", "loss", "scale", "log_softmax", "noise", "row_norm",
    "batch_norm", "affine",
)  # fmt: skip

OPERATION = np.dtype(
    [
        ("kind", "i8"),  # INPUT ... LOSS
        ("code", "i8"),  # activation or loss: its row in the table
        ("layer", "i8"),  # the layer it came from; keys the random numbers of dropout
        ("fan_in", "i8"),  # columns of x
        ("fan_out", "i8"),  # columns of y
        ("x", "i8"),  # where the input stands in `workspace`
        ("ldx", "i8"),
        ("y", "i8"),  # the output; for LOSS the target values
        ("ldy", "i8"),
        ("dx", "i8"),  # delta of x, stride ldx; -1: nobody needs it
        ("dy", "i8"),  # delta of y, stride ldy
        ("weights", "i8"),  # where they stand in `params`; -1: none
        ("ldw", "i8"),
        ("depth", "i8"),  # their rows, that of the bias included
        # blocks of weights (UPDATE_ROWS rows) of all operations that are updated before this one: those after it
        ("blocks_before", "i8"),
        # the transposed weights in `workspace`, whole lines of rows, for dx; -1: none
        ("transposed", "i8"),
        ("ldt", "i8"),
        # rows of `params` that no optimizer updates, stride ldx: center, factor; -1: none
        ("constants", "i8"),
        # what normalising keeps in `workspace`: a number a row, or `MOMENT_ROWS` and two for each row group; -1: none
        ("kept", "i8"),
        ("half", "i8"),  # the first input of the second half of the sums; 0: one sum
        ("second", "i8"),  # where the second halves of the sums stand, as y; -1: one sum
        ("by_inputs", "i8"),  # 1: a team shares the inputs of this operation, not the rows of the batch
        # option of an activation or loss, rate of dropout, scale of bytes, size of noise, epsilon
        ("number", "f8"),
        ("momentum", "f8"),  # how much of the running moments of BATCH_NORM a step leaves as it is
        # the first row of its weights that is a bias, which no penalty and no decay touches
        ("biases", "i8"),
        ("sums", "i8"),  # where the sums of squares of its gradient's rows stand in `sums`, one for each row
        ("l1", "f8"),  # penalty on the weights: l1 |w| + l2 w^2 / 2
        ("l2", "f8"),
        ("max_norm", "f8"),  # largest norm of the weights of a unit, without its bias; 0: any
    ]
)


class Matrix(NamedTuple):
    """A matrix in an arena: the number at row r and column c is `arena[start + r * stride + c]`.

    How many rows and columns it has is an argument of each kernel. `start` and `stride` are int64 in compiled code.
    """

    arena: np.ndarray
    start: int
    stride: int


class Strided(NamedTuple):
    """A matrix that may be a transpose: row r and column c are at `arena[start + r * row_step + c * column_step]`."""

    arena: np.ndarray
    start: int
    row_step: int
    column_step: int


class State(NamedTuple):
    """The arenas: flat, 64-byte aligned, allocated once."""

    params: np.ndarray  # weights and biases, and the constants of scalers and of batch normalisation
    gradients: np.ndarray  # as params; empty: a tile of the gradient goes straight into the update
    slots: np.ndarray  # optimizer state: as params, one after the other
    workspace: np.ndarray  # values, deltas, transposed weights
    scratch: np.ndarray  # gradient tiles, `scratch.size // team size` numbers a thread
    losses: np.ndarray  # loss of each row of the batch
    scores: np.ndarray  # score of each row of the batch
    labels: np.ndarray  # class of each row of the batch, int64


class Values(NamedTuple):
    """What of a State the way through the operations and back needs: a call passes each field of each array."""

    params: np.ndarray
    workspace: np.ndarray


class Update(NamedTuple):
    """How gradients become steps: the optimizer, and what is done before and after its formula."""

    optimizer: np.ndarray  # words, see below, int64
    hyper: np.ndarray  # the optimizer's numbers, a row a step
    rules: np.ndarray  # the same in all steps, see below, float64
    sums: np.ndarray  # `SUMS` sums of squares for each row of all gradients
    averages: np.ndarray  # as params: their moving average; empty: not kept


# Words of `Update.optimizer`.
CODE = 0  # its row in the table
WIDTH = 1  # numbers of a row of `hyper`
SKIPS_ZERO_GRADIENTS = 2  # whether a gradient of 0 never changes a parameter, to the bit
CLIPS = 3  # whether gradients are changed before the formula sees them: any rule but AVERAGE
NORMS = 4  # whether a norm of the gradients is needed, which takes all of them
STEP_CODE = 5  # address of the machine code of a step
OUTER_CODE = 6  # the same for a small batch
UPDATE_WORDS = 7

# Numbers of `Update.rules`.
WEIGHT_DECAY = 0  # times the weight, added to its gradient after clipping
CLIP_VALUE = 1  # largest number of a gradient; infinity: any
CLIP_NORM = 2  # largest norm of the gradient of a layer's weights, and of its biases; infinity: any
GLOBAL_CLIP_NORM = 3  # largest norm of all gradients together; infinity: any
AVERAGE = 4  # what is kept of the moving average of the parameters
UPDATE_RULES = 5


class Data(NamedTuple):
    """A data set as the program reads it.

    Samples are dense, or in CSR form: then only their non-zero numbers are in `inputs`, those of sample i from
    `starts[i]` to before `starts[i + 1]`, with their columns in ascending order in `columns`.
    """

    inputs: np.ndarray  # the bytes of the samples' numbers, row after row
    kind: int  # what the bytes are: BYTES, SINGLE or DOUBLE
    starts: np.ndarray  # CSR: where each sample starts, and the end of the last one, int64; dense: empty
    columns: np.ndarray  # CSR: the column of each number, int32; dense: empty
    labels: np.ndarray  # class of each sample, int64; may be empty
    targets: np.ndarray  # target values, row after row; may be empty
    weights: np.ndarray  # weight of each sample in the loss; empty: 1
    order: np.ndarray  # the samples in the order of this epoch, int64


BYTES, SINGLE, DOUBLE = range(3)
ITEM_TYPES = (np.dtype(np.uint8), np.dtype(np.float32), np.dtype(np.float64))

# Words of `control`, which the threads of a team share.
ARRIVED = 0  # arrivals at the barrier, ever
STOP = 8  # the caller asks the team to stop
HALT = 16  # rank 0 has decided: this step is not finished
BROKEN = 24  # a row of this step has a loss that is not finite
STEP = 32  # steps done
DEALT = 40  # next ticket of each half of the inputs: see `input_sharing.next_part`
CONTROL_WORDS = 56


def whole_lines(columns: int, dtype: np.dtype) -> int:
    """Columns rounded up to whole cache lines, which are whole vectors on every machine."""
    line = LINE // np.dtype(dtype).itemsize
    return -(-columns // line) * line


def stride(columns: int, dtype: np.dtype) -> int:
    """Distance between rows of a matrix: an odd number of cache lines with room for `columns` and a one."""
    line = LINE // np.dtype(dtype).itemsize
    lines = columns // line + 1
    return (lines | 1) * line


def second_half(inputs: int) -> int:
    """The first input of the second half of a layer's sums; 0 if they are not divided.

    Halves of whole pairs of cache lines, which processors fetch together, so that two threads do not meet in one.
    """
    pair = 2 * LINE // 4
    return -(-inputs // (2 * pair)) * pair if inputs > ONE_SUM else 0
