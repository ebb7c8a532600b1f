"""Benchmarks: `python -m bench`. Ratios of interleaved runs, never absolute times alone; tests/ checks correctness."""
