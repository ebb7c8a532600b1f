"""The processor of this process, and what generates code for it."""

import platform

import llvmlite
import llvmlite.binding
import numba

# What the processor has and the system lets programs use, in LLVM's words.
FEATURES = frozenset(name for name, has in llvmlite.binding.get_host_cpu_features().items() if has)
TRIPLE = llvmlite.binding.get_process_triple()
LLVMLITE_VERSION = llvmlite.__version__

_X86_NEEDS = ("avx2", "fma")


def missing_instructions() -> tuple[str, ...]:
    """What the kernels need, in LLVM's words, and machine code for this process must not use.

    Without the instruction for a fused multiply-add, which x86-64 processors got with AVX2, a function of the C library
    computes each one: the bits are the same, but nobody wants to wait for them.
    """
    if platform.machine().lower() not in {"x86_64", "amd64"}:
        return ()
    usable = FEATURES
    if (
        str(numba.config.CPU_NAME).lower() == "generic"
    ):  # Numba then uses what all processors have, and what it is told
        usable = frozenset(name.removeprefix("+") for name in str(numba.config.CPU_FEATURES).split(","))
    return tuple(name for name in _X86_NEEDS if name not in usable)


def require_instructions() -> None:
    """Refuse to compile kernels that would be slower than NumPy.

    Raises
    ------
    ImportError
        If instructions are missing.
    """
    if missing := missing_instructions():
        raise ImportError(
            "fastmlp: kernels: expected a processor with AVX2 and FMA (x86-64-v3), got one without "
            f'{" and ".join(name.upper() for name in missing)}; fit, evaluate and predict take engine="reference", '
            "which computes in NumPy. If NUMBA_CPU_NAME is set, unset it"
        )
