"""The program: entries that execute a plan for whole epochs, on a team of threads."""
