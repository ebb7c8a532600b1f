"""The compiled part of fastmlp: kernels, and the program that executes a plan.

Imports go from the bottom of this list to the top:

    program/    entries.py      what Python calls: train, evaluate, predict, forward, backward, step
                epochs.py       the start and the end of an epoch: order, validation, record; stop_rule.py
                passes.py       forward, loss and backward of all operations, for one thread or a team
                layers.py       forward and backward of an operation; gather.py, dense.py, batch_norm.py
                mixed.py        dense layers in mixed precision; mixed_code.py, product_code.py: called by address
                operation_code.py   activations, losses and other operations, compiled when a plan first uses them
                update_all.py   the update of all weights; weight_update.py: of one operation, block by block
                input_sharing.py    layers whose inputs a team shares
                optimizer_code.py   a step of an optimizer, compiled for each one when it is first used
                views.py, threads.py    the matrices of an operation; barrier and shared words of a team
    loops/      one file for each kind of kernel: gemm.py, sparse.py, transpose.py, activations.py, losses.py,
                softmax.py, norms.py, scaling.py, updates.py, optimizers.py, rng.py, read_samples.py; and what they
                share: elementwise.py (map and fold rows), elementary.py (exp, log, tanh), matrices.py
    compiler/   decorators, compiler flags, the cache of machine code
    simd/       emits vector code: numbers, addresses, loops
    tables.py   the activations, losses, optimizers and kinds of operation
    schema.py   the plan, the arenas and the constants: the contract with fastmlp/engine/

Beside them: `reference/`, the same functions in NumPy, and `extras/`, compiled code that has nothing to do with plans.

Promises: kernels never allocate, never raise, never read a clock or the environment, and write only to their first
arguments. Every sum has one order, whatever the tile, the vector width and the number of threads. Nothing here imports
from `fastmlp`.
"""

if __name__ != "fastmlp.kernels":
    raise ImportError(
        "the folder 'kernels' is the package fastmlp.kernels: run 'pip install -e .' in the root of the "
        "repository and import fastmlp.kernels (a module called 'kernels' may also be another package)"
    )
