"""The processor of this process, and what generates code for it."""

import llvmlite
import llvmlite.binding

# What the processor has and the system lets programs use, in LLVM's words.
FEATURES = frozenset(name for name, has in llvmlite.binding.get_host_cpu_features().items() if has)
TRIPLE = llvmlite.binding.get_process_triple()
LLVMLITE_VERSION = llvmlite.__version__
