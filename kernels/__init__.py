"""Executes: the kernels and the program that walks the plan.

    program.py      the entries that Python calls: train_epoch, evaluate, predict, forward, backward, step
    layers.py       forward and backward of each kind of operation
    gather.py       samples and targets, brought into the workspace
    dense.py        dense layers; halves.py: their inputs, shared by a team
    weight_blocks.py    who updates which rows of the weights, and how
    gemm.py         matrix products
    sparse.py       the same with a matrix that is mostly zero
    transpose.py    the transpose of a matrix
    inputs.py       samples, converted on the way in
    updates.py      before and after an optimizer's formula: penalties, clipping, largest norms, averages
    steps.py        a step of an optimizer on a block of parameters, compiled for each when it is first used
    scaling.py      samples, scaled feature by feature
    activations.py  losses.py  optimizers.py    a table each: add a row, and its twin in reference/
    rng.py          random numbers from a counter; the shuffle; dropout
    orthonormal.py  orthonormal columns, for initial weights
    digits.py       draws the synthetic digits
    numerals.py     reads lines of numbers from text
    elementary.py   exp, log, tanh of our own
    blocks.py       loops over rows: map a formula, fold a formula
    simd/           emits vector IR: numbers, addresses, loops
    threads.py      atomics, the barrier, who takes which rows
    schema.py       the plan and the arenas: the contract with fastmlp/lowering.py
    reference/      the pure NumPy twin, in files of the same names
    jit.py cache.py compiler flags; where machine code is kept

Promises: kernels never allocate, never raise, never read a clock or the environment, and write only to the arguments
that they name first. Every sum runs in one order, whatever the tile, the vector width or the number of threads.
Imports go downwards only; nothing here imports from `fastmlp`.
"""

if __name__ != "fastmlp.kernels":
    raise ImportError(
        "the folder 'kernels' is the package fastmlp.kernels: run 'pip install -e .' in the root of the "
        "repository and import fastmlp.kernels (a module called 'kernels' may also be another package)"
    )
