"""What all tests share."""

import os

# Before NumPy is imported: BLAS threads would take cores from the threads under test.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
