"""The product on the matrix unit: the bits of the emulated one, for every shape.

Where there is no matrix unit, the same code runs with tiles in memory, and is compiled for a processor that has one.
"""

import platform

import numpy as np
import pytest
from llvmlite import binding, ir
from numba import njit

from fastmlp.kernels import simd
from fastmlp.kernels.loops import tile_product as products
from fastmlp.kernels.loops.pair_product import pair_product as emulated
from fastmlp.kernels.schema import GROUP, Matrix, Panels
from fastmlp.kernels.simd import SINGLE, Int, Pointer, Rows, primitive
from tests.kernels.calls import from_python
from tests.kernels.software_tiles import SoftwareTiles
from tests.kernels.test_pair_product import SHAPES, VECTORS, left, random_halves, result, right

pair_product = from_python(emulated)


@primitive
def _in_memory(C: Rows, first: Rows, A: Rows, B: Panels, rows: Int, columns: Int, groups: Int) -> None:
    mode = simd.use_flushing_float_mode(C.start)
    products.emit_tile_product(SoftwareTiles(C.start), C, first, A, B, rows, columns, groups)
    simd.leave_flushing_float_mode(mode)


@njit
def software_product(C, first, A, B, rows, columns, groups):
    _in_memory(C, first, A, B, rows, columns, groups)


def _hardware_product():
    @njit
    def product(C, first, A, B, rows, columns, groups):
        products.tile_product(C, first, A, B, rows, columns, groups)

    return product


@pytest.fixture(scope="module", params=["tiles in memory", "matrix unit"])
def tile_product(request):
    if request.param == "tiles in memory":
        return software_product
    unit = simd.matrix_unit()
    if not unit.used:
        pytest.skip(unit.why)
    return _hardware_product()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("spread", [0, 70], ids=["normal", "wide"])
def test_product(tile_product, shape, spread):
    """Also: rows and cache lines behind the result stay as they are, and memory behind the operands is not touched."""
    rows, columns, groups = shape
    random = np.random.default_rng(sum(shape))
    A = left(random_halves(random, (rows, groups * int(GROUP)), spread))
    B = right(random_halves(random, (groups * int(GROUP), columns), spread))
    bias = Matrix(random.normal(size=-(-columns // 16) * 16).astype(np.float32), 0, 0)
    C, twin = result(rows, columns), result(rows, columns)
    for first in (bias, None):  # the second time it is added to what is there
        tile_product(C, C if first is None else first, A, B, rows, columns, groups)
        pair_product(twin, twin if first is None else first, A, B, rows, columns, groups)
        assert C.arena.tobytes() == twin.arena.tobytes()


@pytest.mark.parametrize("name", ["normal_0", "wide_0", "small_0", "denormal_0", "zeros_0"])
def test_the_bits_of_the_instruction(tile_product, name):
    A, B, before, after = (VECTORS[f"{name}_{part}"] for part in ("A", "B", "C_before", "C_after"))
    C = result(16, 16)
    tile_product(C, Matrix(before.view(np.float32).reshape(-1).copy(), 0, 16), left(A), right(B), 16, 16, 1)
    numbers = C.arena.view(np.uint32).reshape(16, -1)[:, :16]
    assert np.array_equal(numbers, after)


def _assembly(cpu):
    """The kernel as machine code for this processor, as text."""
    module = ir.Module("tiles")
    pointer, integer = ir.PointerType(), ir.IntType(64)
    kind = ir.FunctionType(ir.VoidType(), [*[pointer] * 4, *[integer] * 7])
    function = ir.Function(module, kind, "product")
    builder = ir.IRBuilder(function.append_basic_block("start"))
    places = [Pointer(builder, argument, SINGLE) for argument in function.args[:4]]
    c_step, first_step, a_step, b_step, rows, columns, groups = (
        Int(builder, argument) for argument in function.args[4:]
    )
    C, first, A = (Rows(*each) for each in zip(places[:3], (c_step, first_step, a_step), strict=True))
    B = Panels(places[3], simd.zero(rows), b_step)
    products.emit_tile_product(simd.HardwareTiles(C.start), C, first, A, B, rows, columns, groups)
    builder.ret_void()
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    parsed = binding.parse_assembly(str(module))
    parsed.verify()
    machine = binding.Target.from_default_triple().create_target_machine(cpu=cpu, opt=3)
    return machine.emit_assembly(parsed)


@pytest.mark.skipif(platform.machine().lower() not in {"x86_64", "amd64"}, reason="AMX is of x86-64")
def test_compiles_for_a_processor_with_a_matrix_unit():
    text = _assembly("sapphirerapids")
    # Two tiles one above the other, one that is left, and one with fewer rows; each one or two wide.
    shapes = [(m, n) for m in (2, 1, 1) for n in (1, 2)]
    assert text.count("tdpbf16ps") == sum(m * n for m, n in shapes)
    assert text.count("tileloadd") == sum(m * n + m + n for m, n in shapes)
    assert text.count("tilestored") == sum(m * n for m, n in shapes)
    assert text.count("ldtilecfg") == 2
    assert "tilerelease" in text
