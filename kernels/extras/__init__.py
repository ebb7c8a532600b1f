"""Kernels that have nothing to do with a network: digits, numbers in text, orthonormal columns."""
