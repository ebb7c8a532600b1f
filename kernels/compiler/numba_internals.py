"""All that this package uses of the inside of Numba, in one file: it may change with any new version of Numba.

- `KernelCompiler` and `inside_only`. Numba generates machine code for each function that it compiles, with all
  functions that it calls, although nobody runs it but through an entry. A kernel is optimised once and linked into
  those that call it; see docs/decisions.
- `EntryCompiler`: an entry is optimised once, together with all kernels below it.
- `PackageCache`: Numba's function cache under the stamp of the whole package; `PrebuiltCache`: what comes with it.
- `address` and `entry_point`: where the machine code of an entry is. Code that calls an address follows Numba's
  convention for calls: `simd.Pointer.call`.
- `compilation_listener`: Numba's event when it starts to compile.

If anything that is used here is missing, importing this file raises an ImportError, and `jit.py` does without it.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

from llvmlite import binding as llvm
from numba.core import event
from numba.core.caching import CompileResultCacheImpl, FunctionCache, NullCache, _CacheLocator
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, CompileResult, DefaultPassBuilder
from numba.core.compiler_machinery import PassManager
from numba.core.dispatcher import Dispatcher
from numba.core.funcdesc import FunctionDescriptor

from . import cache, prebuilt
from .collector import collector_paused

_USED = {
    JITCodeLibrary: (
        "_ensure_finalized", "_get_module_for_linking", "_optimize_functions", "_optimize_final_module",
        "_finalize_final_module", "add_linking_library", "get_pointer_to_function", "enable_object_caching",
    ),
    llvm: ("create_pipeline_tuning_options", "create_pass_builder", "create_new_function_pass_manager"),
    PassManager: ("finalize",),
    CompilerBase: ("define_pipelines", "compile_extra"),
    DefaultPassBuilder: ("define_nopython_pipeline",),
    CompileResult: ("library", "fndesc", "entry_point", "signature"),
    FunctionDescriptor: ("llvm_func_name",),
    Dispatcher: ("add_overload", "_compile_for_args"),
    FunctionCache: (
        "_load_overload", "_index_key", "_guard_against_spurious_io_errors", "save_overload", "cache_path", "disable",
        "_impl_class",
    ),
    CompileResultCacheImpl: ("_locator_classes", "filename_base"),
    event: ("install_listener", "Listener"),
}  # fmt: skip
_MISSING = [
    f"{owner.__name__}.{name}" for owner, names in _USED.items() for name in names if not hasattr(owner, name)
]
if _MISSING:
    raise ImportError(f"Numba has no {', '.join(_MISSING)}")


def _pass_builder(codegen: Any) -> Any:
    """LLVM's passes, without those that our loops do not need: they are written with vectors and tiles.

    Unrolling would double the machine code where LLVM takes the processor to have a large buffer of operations (Zen 3).
    """
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization = options.slp_vectorization = options.loop_unrolling = False
    return llvm.create_pass_builder(codegen._tm, options)


class _KernelLibrary(JITCodeLibrary):
    """Optimised code to be linked into other libraries, not run by itself."""

    def __init__(self, codegen: Any, name: str) -> None:
        super().__init__(codegen, name)
        self._called: dict[JITCodeLibrary, None] = {}

    def add_linking_library(self, library: JITCodeLibrary) -> None:
        """Note a library that is called from here. It is linked in after this code is optimised, as it is already."""
        library._ensure_finalized()
        self._called[library] = None

    def _optimize_functions(self, module: Any) -> None:
        """Move the variables of each function to registers, which makes it shorter; entries do the rest."""
        module.data_layout = self._codegen._data_layout
        passes, builder = llvm.create_new_function_pass_manager(), _pass_builder(self._codegen)
        passes.add_sroa_pass()
        passes.add_instruction_combine_pass()
        passes.add_simplify_cfg_pass()
        for function in module.functions:
            passes.run(function, builder)

    def _optimize_final_module(self) -> None:
        """Do nothing: the function is optimised, and what it calls is inlined as a part of an entry."""

    def _finalize_final_module(self) -> None:
        """Link the called libraries in; leave out the engine, which would generate machine code."""
        for library in self._called:
            self._final_module.link_in(library._get_module_for_linking(), preserve=True)
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        """The address of a function: there is none."""
        return 0

    @property
    def codegen(self) -> "_NoEnvironments":
        """Numba registers the environment of each function by `library.codegen.set_env`."""
        return _NoEnvironments()


class _NoEnvironments:
    """Ignores environments: kernels have no machine code that would use one."""

    def set_env(self, name: str, env: Any) -> None:
        """Do nothing."""


class _EntryLibrary(JITCodeLibrary):
    """Machine code of an entry and of all kernels below it, which are optimised together once.

    Numba would optimise each function by itself first, and then all twice, to remove the counting of references, which
    our code does not have.
    """

    def _optimize_functions(self, module: Any) -> None:
        """Only say for which machine the module is."""
        module.data_layout = self._codegen._data_layout

    def _optimize_final_module(self) -> None:
        """Run LLVM's passes over the whole module once."""
        builder = _pass_builder(self._codegen)
        builder.getModulePassManager().run(self._final_module, builder)


# Passes for what our functions do not contain: closures, `with`, raised errors, loops over literals, expressions of
# whole arrays, functions that Numba inlines. Each pass goes over all functions, and their flow is analysed after many.
_UNNEEDED = {
    "with_lifting", "inline_closure_likes", "rewrite_semantic_constants", "dead_branch_prune", "generic_rewrites",
    "Rewrite dynamic raises", "make_function_op_code_to_jit_function", "inline_inlinables", "find_literally",
    "literal_unroll", "LiteralPropagation", "inline_overloads", "nopython_rewrites", "dump_parfor_diagnostics",
}  # fmt: skip


class _Compiler(CompilerBase):
    """Numba's own passes, into a library of a kind of our own."""

    library: type[JITCodeLibrary]

    def define_pipelines(self) -> list:
        """The passes of `njit` that are needed, without a second entry point for C."""
        state = self.state
        state.library = self.library(state.targetctx.codegen(), state.func_id.func_qualname)
        state.flags.no_cfunc_wrapper = True
        passes = DefaultPassBuilder.define_nopython_pipeline(state)
        passes.passes = [each for each in passes.passes if each[0].name() not in _UNNEEDED]
        passes.finalize()
        return [passes]


class EntryCompiler(_Compiler):
    """Compiles an entry."""

    library = _EntryLibrary

    def compile_extra(self, func: Callable) -> CompileResult:
        """Compile a function."""
        with collector_paused():
            return super().compile_extra(func)

    def define_pipelines(self) -> list:
        """The passes of `njit`, and machine code that can be saved."""
        pipelines = super().define_pipelines()
        self.state.library.enable_object_caching()
        return pipelines


class KernelCompiler(_Compiler):
    """Compiles a kernel, which Python cannot call."""

    library = _KernelLibrary

    def define_pipelines(self) -> list:
        """The passes of `njit`, without entry points."""
        self.state.flags.no_cpython_wrapper = True
        return super().define_pipelines()


def inside_only(dispatcher: Any) -> Any:
    """Refuse calls from Python: an inner function has no machine code of its own."""
    name = dispatcher.py_func.__qualname__

    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise TypeError(f"{name} runs inside of entries only: call it from a function that is compiled")

    def add_overload(result: Any) -> None:
        dispatcher.overloads[tuple(result.signature.args)] = result

    dispatcher.add_overload, dispatcher._compile_for_args = add_overload, refuse
    return dispatcher


class _Locator(_CacheLocator):
    """Answers Numba's questions where files are and whether they are fresh: one folder and stamp for all entries."""

    variant = ""  # what changes the machine code besides the source

    def get_cache_path(self) -> str:
        """The folder of the files."""
        return str(cache.folder())

    def get_source_stamp(self) -> str:
        """The stamp that a file must carry to be used."""
        return cache.stamp()

    def get_disambiguator(self) -> str:
        """The part of a file's name that keeps variants apart."""
        return self.variant

    @classmethod
    def from_function(cls, py_func, py_file):
        """The locator of a function: the same for all."""
        locator = cls()
        locator._py_file = py_file  # Numba names it in a warning
        return locator


class _Impl(CompileResultCacheImpl):
    _locator_classes = (_Locator,)


class PackageCache(FunctionCache):
    """Numba's function cache under the stamp of the whole package; what cannot be read is a miss."""

    _impl_class = _Impl

    def load_overload(self, sig, target_context):
        """The machine code of a signature; None if there is none that can be read.

        Numba's own method first imports all that a compilation may need, SciPy too if it is installed: 0.7 seconds.
        Machine code needs none of it; a compilation that comes later imports it then.
        """
        try:
            with self._guard_against_spurious_io_errors():
                return self._load_overload(sig, target_context)
        except Exception:
            self._forget()
        return None

    def save_overload(self, sig, data):
        """Keep the machine code of a signature; a warning if that fails."""
        try:
            super().save_overload(sig, data)
        except OSError as error:
            cache.warn_not_kept(f"{self.cache_path}: {error.strerror or error}")

    def _forget(self):
        """Drop a damaged index, so that the recompiled entry can be saved over it."""
        try:
            Path(self._cache_file._index_path).unlink()
        except OSError:
            self.disable()


class _InPackage(_Locator):
    folder = ""

    def get_cache_path(self) -> str:
        """The folder of the files."""
        return self.folder


class _ImplInPackage(CompileResultCacheImpl):
    _locator_classes = (_InPackage,)


class PrebuiltCache(FunctionCache):
    """Machine code that comes with the package: see prebuilt.py."""

    _impl_class = _ImplInPackage

    def __init__(self, function: Callable, folder: Path) -> None:
        _InPackage.folder = str(folder)
        super().__init__(function)
        self.names = f"{self._impl.filename_base}."  # how the names of its files start

    def _index_key(self, sig, codegen):
        """What machine code is found by: not by the processor of the process, as the folder is of one target."""
        return sig

    def load_overload(self, sig, target_context):
        """The machine code of a signature; None if there is none."""
        try:
            return self._load_overload(sig, target_context)
        except Exception:
            return None


class _CacheAtFirstUse:
    """The package's caches for one entry; folders are looked for when machine code is needed, not at import."""

    def __init__(self, function: Callable) -> None:
        self._function = function

    @cached_property
    def _prebuilt(self) -> Any:
        if (code := prebuilt.found()) is None:
            return NullCache()
        found = PrebuiltCache(self._function, code.folder)
        return found if code.is_intact(found.names) else NullCache()

    @cached_property
    def _cache(self) -> Any:
        return NullCache() if cache.folder() is None else PackageCache(self._function)

    def load_overload(self, sig, target_context):
        """The machine code of a signature, that of the package first; None if there is none."""
        found = self._prebuilt.load_overload(sig, target_context)
        return self._cache.load_overload(sig, target_context) if found is None else found

    @property
    def cache_path(self) -> str | None:
        """Where machine code is looked for first. Numba tells it with its counts of loaded and compiled functions."""
        code = prebuilt.found()
        return self._cache.cache_path if code is None else str(code.folder)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cache, name)


def attach_cache(dispatcher: Any, variant: str) -> None:
    """Give an entry the package's cache."""
    _Locator.variant = variant
    dispatcher._cache = _CacheAtFirstUse(dispatcher.py_func)


def keep_in(folder: Path, dispatcher: Any) -> None:
    """Keep what an entry compiles in a folder of the package."""
    dispatcher._cache = PrebuiltCache(dispatcher.py_func, folder)


def address(dispatcher: Any, types: tuple) -> int:
    """The address of an entry's machine code for arguments of these types."""
    dispatcher.compile(types)
    result = dispatcher.overloads[types]
    return result.library.get_pointer_to_function(result.fndesc.llvm_func_name)


def entry_point(dispatcher: Any, types: tuple) -> Callable:
    """The machine code of an entry for arguments of these types, to be called without a look at their types."""
    return dispatcher.overloads[types].entry_point


class _FirstCompilation(event.Listener):
    """Calls a function when Numba starts to compile for the first time."""

    def __init__(self, call: Callable[[], None]) -> None:
        self._call: Callable[[], None] | None = call

    def on_start(self, event: event.Event) -> None:
        """Call it once."""
        call, self._call = self._call, None
        if call is not None:
            call()

    def on_end(self, event: event.Event) -> None:
        """Do nothing."""


def compilation_listener(call: Callable[[], None]) -> AbstractContextManager[Any]:
    """A block in which the first compilation calls a function before it starts."""
    return event.install_listener("numba:compile", _FirstCompilation(call))
