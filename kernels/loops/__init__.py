"""The loops: one numeric kernel each, over rows of numbers."""
