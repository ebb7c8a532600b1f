"""The largest difference of everything from its peer, as one table: `python -m tests.peers`.

Each row is a test as well, which fails where the difference is larger than roundings can make it.
"""

import sys
from importlib.util import find_spec

PEERS = ("torch", "optax", "jax")
LINE = "{:<36}{:<10}{:>10}{:>10}"


def sections():
    """The rows of the tests, by what is compared."""
    from tests.peers import test_activations, test_losses, test_optimizers, test_schedules

    return {
        "parameters after 20 steps, by loss": test_losses.ROWS,
        "parameters after 20 steps, by activation of the hidden layer": test_activations.ROWS,
        "parameters after 20 steps, by optimizer": test_optimizers.ROWS,
        "activations from -12 to 12": test_activations.VALUE_ROWS,
        "learning rate of each step, as a share of the first, by schedule": test_schedules.ROWS,
    }


def print_table(sections):
    print(LINE.format("largest difference", "peer", "float32", "float64"))
    for title, rows in sections.items():
        print(f"\n{title}")
        for what, row in rows.items():
            differences = [f"{row.largest_difference(dtype):.2g}" for dtype in ("float32", "float64")]
            print(LINE.format(f"  {what}", row.peer, *differences), flush=True)


def main():
    missing = [name for name in PEERS if find_spec(name) is None]
    if missing:
        sys.exit(f"tests.peers: expected {', '.join(PEERS)}; missing: pip install {' '.join(missing)}")
    print_table(sections())


if __name__ == "__main__":
    main()
