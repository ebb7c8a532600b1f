"""Loops and choices of the emitted code."""

from collections.abc import Callable, Sequence

from llvmlite import ir

from .numbers import Int, Vec
from .width import INT


def repeat(stop: Int, step, carried: Sequence[Vec], body: Callable) -> list[Vec]:
    """Emit `for i in range(0, stop, step): carried = body(i, carried)`; return what is carried out."""
    builder = stop.builder
    before = builder.block
    head, inside, after = (builder.append_basic_block(name) for name in ("head", "inside", "after"))
    builder.branch(head)
    builder.position_at_end(head)
    index = builder.phi(INT)
    index.add_incoming(ir.Constant(INT, 0), before)
    phis = [builder.phi(vec.value.type) for vec in carried]
    for phi, vec in zip(phis, carried, strict=True):
        phi.add_incoming(vec.value, before)
    builder.cbranch(Int(builder, index) < stop, inside, after)
    builder.position_at_end(inside)
    results = body(Int(builder, index), [Vec(builder, phi) for phi in phis]) or []
    index.add_incoming((Int(builder, index) + step).value, builder.block)
    for phi, vec in zip(phis, results, strict=True):
        phi.add_incoming(vec.value, builder.block)
    builder.branch(head)
    builder.position_at_end(after)
    return [Vec(builder, phi) for phi in phis]


def walk_bits(bits: Int, carried: Sequence[Vec], body: Callable) -> list[Vec]:
    """Emit `for i in (positions of the set bits, lowest first): carried = body(i, carried)`; return what is carried."""
    builder = bits.builder
    before = builder.block
    head, inside, after = (builder.append_basic_block(name) for name in ("bits", "bit", "no_bits"))
    builder.branch(head)
    builder.position_at_end(head)
    rest = builder.phi(INT)
    rest.add_incoming(bits.value, before)
    phis = [builder.phi(vec.value.type) for vec in carried]
    for phi, vec in zip(phis, carried, strict=True):
        phi.add_incoming(vec.value, before)
    zero, one_bit = ir.Constant(INT, 0), ir.Constant(INT, 1)
    builder.cbranch(builder.icmp_unsigned("!=", rest, zero), inside, after)
    builder.position_at_end(inside)
    position = builder.cttz(rest, ir.Constant(ir.IntType(1), 1))
    results = body(Int(builder, position), [Vec(builder, phi) for phi in phis])
    rest.add_incoming(builder.and_(rest, builder.sub(rest, one_bit)), builder.block)
    for phi, vec in zip(phis, results, strict=True):
        phi.add_incoming(vec.value, builder.block)
    builder.branch(head)
    builder.position_at_end(after)
    return [Vec(builder, phi) for phi in phis]


Case = Int | int  # which one of a table


def choose(key: Case, cases: dict[int, Callable[[], None]]) -> None:
    """Emit a switch: run the case of this key; an unknown key does nothing. A key that is known now needs no switch."""
    if isinstance(key, int):
        cases[key]()
        return
    builder = key.builder
    after = builder.append_basic_block("chosen")
    switch = builder.switch(key.value, after)
    for number, case in cases.items():
        block = builder.append_basic_block(f"case{number}")
        switch.add_case(ir.Constant(INT, number), block)
        builder.position_at_end(block)
        case()
        builder.branch(after)
    builder.position_at_end(after)
