"""The contract between the engine and the kernels: the fields of a plan, the arenas, constants that both use.

A plan is a structured array with one row for each operation, in the order of the forward pass. Offsets and strides
count numbers, not bytes. `fastmlp/engine/lowering.py` builds a plan and `verification.py` checks it; the kernels check
nothing.

Layout:

- A value is a matrix in `workspace` with one row for each sample: row r starts at `y + r * ldy`. Its column `fan_out`
  holds 1, so that the biases are one more row of the weights, in the forward pass and in the gradient.
- The weights of a dense layer are a matrix in `params`: input k has the row at `weights + k * ldw`, the biases have the
  row of k = `fan_in`.
- The constants of scalers and the running statistics of batch normalisation are in `params` too, so that they are
  copied and saved with the weights; no optimizer changes them. The centers of scalers are float64 in every network, as
  float32 would merge numbers such as the dates 20180131 and 20180132 before they are subtracted.
- In mixed precision, products take their factors from matrices of pairs in `workspace`: a pair is two bfloat16 numbers
  in one 32-bit word, that of the even index in the low half. A left factor is a matrix of rows, a right factor is
  `Panels`.
- A stride (ld) is an odd number of cache lines, so that rows spread over all sets of a cache, and leaves room for the
  column of ones. Padding of weights, deltas, state and gradients is zero and stays zero.
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
NO_SEED = np.uint64(0)  # of passes that draw no random numbers
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

# What a product asks for before it reads it: see loops/gemm.py.
NO_PREFETCH = np.int64(0)  # all is in a near cache
NEXT_PANEL = np.int64(
    1
)  # tile by tile, the next panel of B into the second-level cache, and the next rows of C
ROWS_AHEAD = np.int64(2)  # term by term, the row of B some terms ahead into the first-level cache

# How samples are read.
SPARSE_BELOW = 0.5  # share of non-zero inputs below which the first layer skips the zeros

# Products of pairs of bfloat16 numbers: see loops/pairs.py. The sum is defined by the instruction TDPBF16PS.
GROUP = np.int64(32)  # terms of a product that are summed together, by two chains: 16 pairs
PANEL_COLUMNS = np.int64(32)  # columns of a panel of pairs: two tiles of the matrix unit

# Purposes of random numbers, so that the same counters never serve two of them: see rng.py.
SHUFFLE_PURPOSE = 1
WEIGHTS_PURPOSE = 2
DIGITS_PURPOSE = 3
SPLIT_PURPOSE = 4
BIASES_PURPOSE = 5
BOOTSTRAP_PURPOSE = 6
FOLDS_PURPOSE = 7
LAYER_PURPOSE = 1000  # of layer 0; layer i has LAYER_PURPOSE + i

# Kinds of operation: rows of `tables.KINDS`, which says what each uses and how. SPARSE is a dense layer that skips the
# zeros of its input. ROW_NORM and BATCH_NORM normalise; AFFINE has a trained gain and offset for each column, SCALE a
# constant center and factor. MIXED is a dense layer in mixed precision, between the two operations that round its input
# and the delta of its output to bfloat16.
INPUT, DENSE, SPARSE, ACTIVATION, DROPOUT, SOFTMAX, LOSS, SCALE, LOG_SOFTMAX = range(9)
NOISE, ROW_NORM, BATCH_NORM, AFFINE = range(9, 13)
ROUND_VALUES, MIXED, ROUND_DELTAS = range(13, 16)

# `tables.KINDS` says which fields each kind uses.
OPERATION = np.dtype(
    [
        ("kind", "i8"),  # INPUT ... ROUND_DELTAS
        ("code", "i8"),  # ACTIVATION, LOSS: the row in its table
        ("layer", "i8"),  # number of its layer, a key of its random numbers
        ("fan_in", "i8"),  # columns of x
        ("fan_out", "i8"),  # columns of y
        ("x", "i8"),  # start of the input in `workspace`
        ("ldx", "i8"),
        ("y", "i8"),  # start of the output; of LOSS, that of the target values
        ("ldy", "i8"),
        ("dx", "i8"),  # start of the delta of x, stride ldx; -1: nothing needs it
        ("dy", "i8"),  # start of the delta of y, stride ldy; -1: nothing needs it
        ("weights", "i8"),  # start of the weights in `params`
        ("ldw", "i8"),
        ("depth", "i8"),  # rows of the weights, those of biases included
        ("biases", "i8"),  # first row of the weights that holds biases, which no penalty and no decay changes
        ("sums", "i8"),  # first of its rows of `Update.sums`, one for each row of its weights
        # blocks of weights (UPDATE_ROWS rows) of all operations that are updated before this one: those after it
        ("blocks_before", "i8"),
        # 1: the gradient of the weights is x' dy, which a batch of few rows computes where it is used
        ("outer_gradient", "i8"),
        ("transposed", "i8"),  # start of the transposed weights in `workspace`, for dx; -1: not transposed
        ("ldt", "i8"),
        ("half", "i8"),  # first input of the second half; 0: there is one sum
        ("second", "i8"),  # start of the sums of the second half, a matrix as y
        ("by_inputs", "i8"),  # 1: input-shared, a team divides its inputs and not the rows of the batch
        ("prefetch", "i8"),  # what products with the weights ask for: NO_PREFETCH, NEXT_PANEL or ROWS_AHEAD
        ("gradient_prefetch", "i8"),  # the same for the gradient of the weights
        # Matrices of pairs of a layer in mixed precision, in `workspace`; -1: none. Left factors, with the distance
        # between their rows:
        ("xc", "i8"),  # x in pairs of columns (rows, fan_in / 2), for y
        ("ldxc", "i8"),
        ("xt", "i8"),  # x transposed, in pairs of rows (fan_in + 1, rows / 2), for the gradient
        ("ldxt", "i8"),
        ("dc", "i8"),  # dy in pairs of columns (rows, fan_out / 2), for dx
        ("lddc", "i8"),
        # right factors, with the distance between their panels:
        ("dr", "i8"),  # dy in pairs of rows (rows / 2, fan_out), for the gradient
        ("lddr", "i8"),
        ("wr", "i8"),  # the weights in pairs of rows (fan_in / 2, fan_out), for y
        ("ldwr", "i8"),
        ("wt", "i8"),  # the weights transposed, in pairs of columns (fan_out / 2, fan_in), for dx
        ("ldwt", "i8"),
        ("zeros", "i8"),  # a row of zeros as wide as y and dx, at which sums start
        ("l1", "f8"),  # penalty on the weights: l1 |w| + l2 w^2 / 2
        ("l2", "f8"),
        ("max_norm", "f8"),  # largest norm of the weights of a unit, without its bias; 0: any
        (
            "constants",
            "i8",
        ),  # start of the constant rows in `params`, stride ldx: center or mean, factor, variance
        # INPUT: start in `params` of the float64 numbers that are subtracted from the samples, `center_rows` rows of
        # stride ldy; -1: none
        ("centers", "i8"),
        (
            "kept",
            "i8",
        ),  # start of what normalisation keeps in `workspace`: a number for each row, or moment rows
        ("number", "f8"),  # its one option: see `Kind.number`
        ("momentum", "f8"),  # BATCH_NORM: share of the running statistics that a step keeps
        # addresses of its machine code in this process, written before a plan runs; 0: it is part of the program
        ("forward_code", "i8"),
        ("backward_code", "i8"),
        ("product_code", "i8"),
        ("copy_code", "i8"),
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


class Panels(NamedTuple):
    """The right-hand matrix of a product of pairs, in panels of `PANEL_COLUMNS` columns.

    The word of pair k and column n is at `arena[start + n // 32 * step + k * 32 + n % 32]`.
    """

    arena: np.ndarray
    start: int
    step: int  # from a panel to the next: 32 times the pairs of a column, or more


class State(NamedTuple):
    """The arenas: flat, 64-byte aligned, allocated once."""

    params: (
        np.ndarray
    )  # weights and biases, the constants of scalers, the running statistics of batch normalisation
    gradients: (
        np.ndarray
    )  # as params; empty: the gradient of a block of weights is used as soon as it is summed
    slots: np.ndarray  # optimizer state: arrays like params, one after the other
    workspace: np.ndarray  # values, deltas, transposed weights
    scratch: np.ndarray  # gradients of blocks, `scratch.size // team size` numbers for each rank
    losses: np.ndarray  # loss of each row of the batch
    scores: np.ndarray  # score of each row of the batch
    labels: np.ndarray  # class of each row of the batch, int64


class Values(NamedTuple):
    """The arenas that forward and backward need: every array that a kernel takes makes its calls slower."""

    params: np.ndarray
    workspace: np.ndarray


class Update(NamedTuple):
    """How gradients change the weights: the optimizer, and what is done before and after its formula."""

    optimizer: np.ndarray  # the words below, int64
    hyper: (
        np.ndarray
    )  # the numbers of the optimizer's formula, one row for each step: `tables.Optimizer.columns`
    rules: np.ndarray  # the numbers below, the same in all steps, float64
    sums: np.ndarray  # `SUMS` sums of squares for each row of all gradients
    averages: np.ndarray  # as params: the moving averages of the weights; empty: none


# Words of `Update.optimizer`.
CODE = 0  # its row in the table
WIDTH = 1  # numbers of a row of `hyper`
SKIPS_ZERO_GRADIENTS = 2  # whether a gradient of 0 never changes a parameter, to the bit
CLIPS = 3  # whether a rule other than AVERAGE changes the gradients before the formula
NORMS = 4  # whether a rule needs norms, so that all gradients are computed before the first step
STEP_CODE = 5  # address of the machine code of a step
OUTER_CODE = 6  # the same for a batch of at most SMALL_BATCH rows
UPDATE_WORDS = 7

# Numbers of `Update.rules`.
WEIGHT_DECAY = 0  # times the weight, added to its gradient after clipping
CLIP_VALUE = 1  # largest magnitude in a gradient; infinity: any
CLIP_NORM = 2  # largest norm of the gradient of a layer's weights, and of its biases; infinity: any
GLOBAL_CLIP_NORM = 3  # largest norm of all gradients together; infinity: any
AVERAGE = 4  # share of the moving averages that a step keeps
UPDATE_RULES = 5


class Data(NamedTuple):
    """A data set as the program reads it.

    Samples are dense or in CSR form. In CSR form `inputs` holds their non-zero numbers only: those of sample i are
    [starts[i], starts[i + 1]), and `columns` holds the column of each, ascending within a sample.
    """

    inputs: np.ndarray  # the samples' numbers as bytes, row after row
    kind: int  # type of the numbers: BYTES, SINGLE or DOUBLE
    starts: np.ndarray  # CSR: start of each sample and the end of the last one, int64; dense: empty
    columns: np.ndarray  # CSR: the column of each number, int32; dense: empty
    labels: np.ndarray  # class of each sample, int64; may be empty
    targets: np.ndarray  # target values, row after row; may be empty
    weights: np.ndarray  # weight of each sample in the loss; empty: 1
    order: np.ndarray  # the samples in the order of this epoch, int64


class Epochs(NamedTuple):
    """What `train` keeps from epoch to epoch."""

    rows: (
        np.ndarray
    )  # the samples before they are shuffled at the start of each epoch, int64; empty: no shuffling
    before: np.ndarray  # as params: the parameters from before the epoch; empty: not kept
    best: np.ndarray  # as params: the parameters of the best epoch; empty: not kept
    records: np.ndarray  # RECORD float64 numbers for each epoch of the run
    rule: np.ndarray  # when training stops early: the words RULE_..., float64
    progress: np.ndarray  # how far it is: the words below, float64


class Evaluation(NamedTuple):
    """A data set to evaluate, and room for the results."""

    losses: np.ndarray  # of each sample
    scores: np.ndarray
    plan: np.ndarray
    state: State
    data: Data
    chunk: int  # rows of the workspace for each rank


# Numbers of an epoch in `Epochs.records`. While the epoch runs, the first two are sums.
EPOCH_LOSS, EPOCH_SCORE, VAL_LOSS, VAL_SCORE = range(4)
PENALISED_LOSS = 4  # with the penalties of all layers, as they are after the epoch
RECORD = 5

# Words of `Epochs.rule`; see program/stop_rule.py.
RULE_QUANTITY = 0  # which number of the record it is about; -1: there is no rule
RULE_SIGN = 1  # 1: more is better, -1: less is
RULE_MIN_DELTA = 2  # by how much more than this an epoch has to be better to become the best one
RULE_TOLERANCE = 3  # by how much more than this it has to be better to count as progress
RULE_INCLUSIVE = 4  # 1: exactly as much is progress too
RULE_PATIENCE = 5  # training stops after more epochs in a row without progress
RULE_START = 6  # epochs of this run that are not considered
RULE_WORDS = 7

# Words of `Epochs.progress`.
BEGUN = 0  # epochs of this run that have begun
DONE = 1  # epochs of this run that are recorded
BEST = 2  # sign times the best value so far; -infinity: none
BEST_EPOCH = 3  # the epoch of this run that had it, from 1; 0: none of this run
WAITED = 4  # epochs in a row without progress
STOPPED = 5  # 1: the rule has ended the training
PROGRESS_WORDS = 6


BYTES, SINGLE, DOUBLE = range(3)
ITEM_TYPES = (np.dtype(np.uint8), np.dtype(np.float32), np.dtype(np.float64))

# Words of `control`, which the ranks of a team share, each in a cache line of its own.
ARRIVED = 0  # arrivals at barriers since the run began
STOP = 8  # the caller asks the team to stop
HALT = 16  # rank 0 has decided that this step is not finished
BROKEN = 24  # why training cannot go on: see below
STEP = 32  # steps done
DEALT = 40  # next ticket of each half of the inputs: see `input_sharing.next_part`
TIMES = 56  # address of the tables of a build that measures itself, 0: none; see program/phases.py
CONTROL_WORDS = 64

# Values of BROKEN.
LOSS_IS_NOT_FINITE = 1  # that of a row of this step
PARAMETERS_ARE_NOT_FINITE = 2  # a parameter or its state, after the epoch


def center_rows(dtype: np.dtype) -> int:
    """Rows of `params` that hold one float64 number for each column."""
    return 8 // np.dtype(dtype).itemsize


def byte_scale(sample_shape: tuple[int, ...]) -> float:
    """The factor of bytes as they are read, by the shape of one sample.

    Samples of two or more dimensions are images, whose bytes are fractions of 255. A row is a table: its bytes are the
    numbers that they are in any other type.
    """
    return 1.0 / 255.0 if len(sample_shape) > 1 else 1.0


def whole_lines(columns: int, dtype: np.dtype) -> int:
    """Columns rounded up to whole cache lines, which are whole vectors on every machine."""
    line = LINE // np.dtype(dtype).itemsize
    return -(-columns // line) * line


def stride(columns: int, dtype: np.dtype) -> int:
    """Distance between rows of a matrix: an odd number of cache lines with room for `columns` and a one."""
    line = LINE // np.dtype(dtype).itemsize
    lines = columns // line + 1
    return (lines | 1) * line


def moment_rows(rows: int) -> int:
    """Rows that BATCH_NORM keeps for a batch of these rows: see batch_norm.py."""
    return MOMENT_ROWS + 2 * -(-rows // int(ROW_GROUP))


def blocks_before(depths: np.ndarray) -> np.ndarray:
    """Blocks of weights that are updated before each operation, from the rows of the weights of all."""
    blocks = -(-depths // UPDATE_ROWS)
    return np.cumsum(blocks[::-1])[::-1] - blocks


def group_words(terms: int) -> int:
    """Words of the pairs of these terms, padded to whole groups."""
    return -(-terms // int(GROUP)) * int(GROUP) // 2


def pair_stride(terms: int) -> int:
    """Distance between the rows of a left factor of pairs: an odd number of cache lines."""
    return (group_words(terms) * 4 // LINE | 1) * LINE // 4


def panel_step(terms: int) -> int:
    """Distance between the panels of a right factor of pairs."""
    return group_words(terms) * int(PANEL_COLUMNS)


def panels(columns: int) -> int:
    """Panels of a right factor of this many columns."""
    return -(-columns // int(PANEL_COLUMNS))


def second_half(inputs: int) -> int:
    """The first input of the second half of a layer; 0 if it has one sum.

    Halves are multiples of two cache lines, which processors fetch together, so that two ranks never write to lines
    that are; and so of whole groups of terms.
    """
    lines = 2 * LINE // 4
    return -(-inputs // (2 * lines)) * lines if inputs > ONE_SUM else 0
