"""Benchmarks: `python -m bench`. Ratios of interleaved runs, never absolute times alone; correctness lives in tests/."""
