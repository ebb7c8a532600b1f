"""Kernels are parts of entries: no machine code of their own, and no way in from Python."""

import pytest
from llvmlite import binding

from fastmlp.kernels.compiler import jit, numba_internals
from fastmlp.kernels.loops import rng
from tests.kernels.calls import from_python


@jit.kernel
def one_more(number):
    return number + 1


def test_machine_code_is_generated_for_entries_alone():
    generated = []
    engine = rng.fill.targetctx.codegen()._engine
    add = engine.add_module
    try:
        engine.add_module = lambda module: generated.append(module.name) or add(module)
        assert from_python(one_more)(1) == 2
    finally:
        engine.add_module = add
    assert [name for name in generated if "call" in name]
    assert not [name for name in generated if "one_more" in name]


def test_parts_are_optimised_where_they_stand():
    from_python(one_more)(1)
    (result,) = one_more.overloads.values()
    assert isinstance(result.library, numba_internals._KernelLibrary)
    module = binding.parse_assembly(result.library.get_llvm_str())
    (function,) = [f for f in module.functions if f.name == result.fndesc.mangled_name]
    assert "alloca" not in str(function)  # variables in registers


def test_no_way_in_from_python():
    for _ in range(2):
        with pytest.raises(TypeError, match="one_more runs inside of entries only"):
            one_more(1)
        from_python(one_more)(1)
