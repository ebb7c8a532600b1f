"""fastmlp: train and run multilayer perceptrons on a CPU, fast, with the same bits on any number of threads."""

__version__ = "0.1.0"
