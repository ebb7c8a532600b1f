"""Loops and choices of the emitted code."""

import os
from collections.abc import Callable, Sequence

from llvmlite import ir
from numba.core import cgutils

from .numbers import Int, Vec
from .width import INT

# A build that checks indices (see compiler/jit.py) also stops at a choice that has no case.
CHECKED = os.environ.get("FASTMLP_BOUNDSCHECK") == "1"

# A build that measures where the time of a step goes: see program/phases.py.
TIMED = os.environ.get("FASTMLP_TIMED") == "1"


def _loop(
    start: Int, carried: Sequence[Vec], goes_on: Callable, body: Callable, advance: Callable
) -> list[Vec]:
    """Emit `while goes_on(i): carried = body(i, carried); i = advance(i)`, with i from `start` on; return `carried`."""
    builder = start.builder
    before = builder.block
    head, inside, after = (builder.append_basic_block(name) for name in ("head", "inside", "after"))
    builder.branch(head)
    builder.position_at_end(head)
    index = builder.phi(INT)
    index.add_incoming(start.value, before)
    phis = [builder.phi(vec.value.type) for vec in carried]
    for phi, vec in zip(phis, carried, strict=True):
        phi.add_incoming(vec.value, before)
    builder.cbranch(goes_on(Int(builder, index)), inside, after)
    builder.position_at_end(inside)
    results = body(Int(builder, index), [Vec(builder, phi) for phi in phis]) or []
    following = advance(Int(builder, index)).value
    index.add_incoming(following, builder.block)
    for phi, vec in zip(phis, results, strict=True):
        phi.add_incoming(vec.value, builder.block)
    builder.branch(head)
    builder.position_at_end(after)
    return [Vec(builder, phi) for phi in phis]


def repeat(stop: Int, step, carried: Sequence[Vec], body: Callable) -> list[Vec]:
    """Emit `for i in range(0, stop, step): carried = body(i, carried)`; return `carried`."""
    zero = Int(stop.builder, ir.Constant(INT, 0))
    return _loop(zero, carried, lambda i: i < stop, body, lambda i: i + step)


def each_bit(bits: Int, carried: Sequence[Vec], body: Callable) -> list[Vec]:
    """Emit `for i in (positions of the set bits, lowest first): carried = body(i, carried)`; return `carried`."""
    builder = bits.builder
    zero = ir.Constant(INT, 0)

    def lowest_bit(rest: Int, carried: list[Vec]):
        return body(Int(builder, builder.cttz(rest.value, ir.Constant(ir.IntType(1), 1))), carried)

    def without_lowest_bit(rest: Int) -> Int:
        return rest & (rest - 1)

    return _loop(
        bits, carried, lambda rest: builder.icmp_unsigned("!=", rest.value, zero), lowest_bit, without_lowest_bit
    )  # fmt: skip


def when(number: Int, body: Callable[[], None]) -> None:
    """Emit: run the body if the number is not 0."""
    with number.builder.if_then(number.builder.icmp_signed("!=", number.value, ir.Constant(INT, 0))):
        body()


Case = Int | int  # which row of a table; a Python number if it is known when the code is emitted


def choose(key: Case, cases: dict[int, Callable[[], None]]) -> None:
    """Emit a switch that runs the case of this key, or only that case if the key is known now.

    A key without a case does nothing; in a build that checks indices it ends the process.
    """
    if isinstance(key, int):
        cases[key]()
        return
    builder = key.builder
    after = builder.append_basic_block("chosen")
    switch = builder.switch(key.value, _trap(builder) if CHECKED else after)
    for number, case in cases.items():
        block = builder.append_basic_block(f"case{number}")
        switch.add_case(ir.Constant(INT, number), block)
        builder.position_at_end(block)
        case()
        builder.branch(after)
    builder.position_at_end(after)


def _trap(builder) -> ir.Block:
    """A block that ends the process."""
    block = builder.append_basic_block("no_case")
    with builder.goto_block(block):
        trap = cgutils.get_or_insert_function(builder.module, ir.FunctionType(ir.VoidType(), []), "llvm.trap")
        builder.call(trap, [])
        builder.unreachable()
    return block
