"""The engine: a description becomes a plan, and the kernels run it."""
