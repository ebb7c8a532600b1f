"""Benchmarks: `python -m bench`. They report ratios of interleaved runs; docs/benchmarks.md describes the method."""
