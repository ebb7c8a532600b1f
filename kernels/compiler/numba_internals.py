"""Functions that only run inside of entries: typed and optimised, but no machine code of their own.

Numba generates machine code for each function that it compiles, with all that this one calls, although nobody runs
it but through an entry: the tile of a matrix product was optimised and generated at each of its levels of calls. A part
is optimised by itself once, and linked into those that call it. What this takes of Numba's insides is all in this file;
see docs/decisions.
"""

from typing import Any, NoReturn

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder


class _Library(JITCodeLibrary):
    """Optimised code to be linked into other libraries, in the place of code that can be run."""

    def __init__(self, codegen: Any, name: str) -> None:
        super().__init__(codegen, name)
        self._called: dict[JITCodeLibrary, None] = {}

    def add_linking_library(self, library: JITCodeLibrary) -> None:
        """Note what is called from here: it joins when this code has been optimised, as it has been already."""
        library._ensure_finalized()
        self._called[library] = None

    def _finalize_final_module(self) -> None:
        """Link in what is called; leave out the engine, which would generate machine code."""
        for library in self._called:
            self._final_module.link_in(library._get_module_for_linking(), preserve=True)
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        """The address of a function: there is none."""
        return 0

    @property
    def codegen(self) -> "_Library":
        """Who is told about constants that stand in machine code: nobody."""
        return self

    def set_env(self, name: str, env: Any) -> None:
        """Keep a constant for machine code: there is none."""


class Compiler(CompilerBase):
    """Numba's own passes, into a library of parts."""

    def define_pipelines(self) -> list:
        """The passes of `njit`."""
        codegen, name = self.state.targetctx.codegen(), self.state.func_id.func_qualname
        self.state.library = _Library(codegen, name)
        return [DefaultPassBuilder.define_nopython_pipeline(self.state)]


def only_inside(dispatcher: Any) -> Any:
    """Close a compiled function's way in from Python: no address stands behind it."""
    name = dispatcher.py_func.__qualname__

    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise TypeError(f"{name} runs inside of entries only: call it from a function that is compiled")

    def add_overload(result: Any) -> None:
        dispatcher.overloads[tuple(result.signature.args)] = result

    dispatcher.add_overload, dispatcher._compile_for_args = add_overload, refuse
    return dispatcher
