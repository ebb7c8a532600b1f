"""What depends on the processor: its caches, and what products ask for ahead, which changes no bit."""

import numpy as np
import pytest

from fastmlp import Dense, Sequential
from fastmlp.engine import layer_lowering, lowering, processor
from fastmlp.kernels import schema

CACHES = {"L1": 32 << 10, "L2": 1 << 20, "L3": 32 << 20}
RULES = {
    "nothing": (schema.NO_PREFETCH, schema.NO_PREFETCH),
    "panels": (schema.NEXT_PANEL, schema.ROWS_AHEAD),
    "rows": (schema.ROWS_AHEAD, schema.ROWS_AHEAD),
    "panels of deltas": (schema.ROWS_AHEAD, schema.NEXT_PANEL),
}


def test_caches_grow_with_their_level():
    sizes = processor.caches()
    assert 0 < sizes["L1"] < sizes["L2"] < sizes["L3"]


@pytest.mark.parametrize(
    ("maker", "lanes", "expected"),
    [
        ("GenuineIntel", 16, (schema.NO_PREFETCH, schema.ROWS_AHEAD, schema.NO_PREFETCH, schema.ROWS_AHEAD)),
        ("GenuineIntel", 8, (schema.NO_PREFETCH, schema.ROWS_AHEAD, schema.NO_PREFETCH, schema.ROWS_AHEAD)),
        ("AuthenticAMD", 8, (schema.NO_PREFETCH, schema.NO_PREFETCH, schema.NO_PREFETCH, schema.NO_PREFETCH)),
        ("AuthenticAMD", 16, (schema.NO_PREFETCH,) * 4),
        ("", 4, (schema.NO_PREFETCH,) * 4),
    ],
)
def test_rules(monkeypatch, maker, lanes, expected):
    """Half a second-level cache of weights, and more; a sixteenth of deltas, and half of one."""
    monkeypatch.setattr(processor, "maker", lambda: maker)
    monkeypatch.setattr(processor, "caches", lambda: CACHES)
    monkeypatch.setattr(processor.simd, "HOST_LANES", lanes)
    monkeypatch.setattr(processor, "prefetch_rule", processor.prefetch_rule.__wrapped__)
    weights = [processor.weights_prefetch(size) for size in (1 << 19, 1 << 20)]
    deltas = [processor.gradient_prefetch(size) for size in (1 << 16, 1 << 19)]
    assert (*weights, *deltas) == expected


def test_large_matrices_on_amd(monkeypatch):
    monkeypatch.setattr(processor, "caches", lambda: CACHES)
    monkeypatch.setattr(processor, "prefetch_rule", lambda: processor._AMD)
    assert processor.weights_prefetch(4 << 20) == schema.NO_PREFETCH
    assert processor.weights_prefetch((4 << 20) + 1) == schema.NEXT_PANEL
    assert processor.gradient_prefetch(1 << 20) == schema.NO_PREFETCH
    assert processor.gradient_prefetch((1 << 20) + 1) == schema.ROWS_AHEAD


def trained(threads: int) -> bytes:
    """The parameters after two epochs of a network with wide, odd layers."""
    random = np.random.default_rng(0)
    X, y = random.standard_normal((600, 301), np.float32), random.integers(0, 7, 600)
    model = Sequential([Dense(433, "relu"), Dense(257, "tanh"), Dense(7, "softmax")], seed=3)
    model.fit(X, y, epochs=2, batch_size=300, threads=threads, verbose=0)
    return b"".join(np.ascontiguousarray(layer.weight).tobytes() for layer in model.layers)


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_what_products_ask_for_changes_no_bit(monkeypatch, threads):
    found = set()
    for weights, gradient in RULES.values():
        monkeypatch.setattr(lowering, "weights_prefetch", lambda size, kind=weights: int(kind))
        monkeypatch.setattr(lowering, "gradient_prefetch", lambda size, kind=gradient: int(kind))
        layer_lowering._lowered.cache_clear()
        found.add(trained(threads))
    layer_lowering._lowered.cache_clear()
    assert len(found) == 1
