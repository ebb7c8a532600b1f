"""Executes: the kernels and the program that walks the plan."""

if __name__ != "fastmlp.kernels":
    raise ImportError(
        "the folder 'kernels' is the package fastmlp.kernels: run 'pip install -e .' in the root of the "
        "repository and import fastmlp.kernels (a module called 'kernels' may also be another package)"
    )
