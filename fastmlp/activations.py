"""Activations by name, the option that some of them have, and the initial weights that go with them.

The formulas are in `kernels/loops/activations.py` and `kernels/loops/softmax.py`.
"""

from .checks import POSITIVE, checked, look_up
from .kernels import tables

ALONG_ROWS = ("softmax", "log_softmax")
ACTIVATIONS = (*tables.ACTIVATION_CODES, *ALONG_ROWS)
_KNOWN = {name: name for name in ACTIVATIONS}

# The argument that some activations take.
_OPTION_OF = {row.name: row.option for row in tables.ACTIVATIONS if row.option}

# What `initializer="auto"` means for these activations; for others it is glorot_uniform.
_INITIALIZER_OF = dict.fromkeys(
    ("relu", "leaky_relu", "elu", "gelu", "gelu_tanh", "silu", "mish", "softplus", "hard_swish"), "he_uniform"
) | {"selu": "lecun_uniform"}


def choose_activation(layer: str, name: str, options: dict[str, float]) -> tuple[str, dict[str, float]]:
    """Check an activation and its option.

    Parameters
    ----------
    layer : str
        Name of the layer's class, for messages.
    name : str
        One of `ACTIVATIONS`.
    options : dict of str to float
        All options of all activations.

    Returns
    -------
    name : str
    options : dict of str to float
        The option of this activation, if it has one.

    Raises
    ------
    ValueError
        If the name is not known, or an option is no number above 0.

    Examples
    --------
    >>> choose_activation("Dense", "elu", {"slope": 0.01, "alpha": 0.5})
    ('elu', {'alpha': 0.5})
    """
    look_up(f"{layer}: activation", name, _KNOWN)
    plain = {key: checked(layer, key, value, POSITIVE) for key, value in options.items()}
    return name, {key: value for key, value in plain.items() if key == _OPTION_OF.get(name)}


def initializer_of(activation: str) -> str:
    """Name of the initial weights that keep the size of the values through layers with this activation.

    Examples
    --------
    >>> initializer_of("relu"), initializer_of("tanh")
    ('he_uniform', 'glorot_uniform')
    """
    return _INITIALIZER_OF.get(activation, "glorot_uniform")
