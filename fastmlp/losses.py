"""Losses by name. The formulas are in `kernels/losses.py`.

Each loss is the mean over the rows of a batch of the loss of a row:

- `cross_entropy`: -log softmax(z)[label], of integer labels; the score is the accuracy.
- `binary_cross_entropy`: mean over the outputs of -t log s - (1 - t) log(1 - s) for s = sigmoid(z), of targets in
  [0, 1]; the score is the share of outputs on the right side of 1/2.
- `mean_squared_error`: mean over the outputs of (y - t)^2; the score is the mean of |y - t|.

The first two take logits. A network that ends in `softmax` or `sigmoid` is trained from what goes into it.
"""

from .kernels import losses as kernels
from .names import look_up

LOSSES = {loss.name: loss for loss in kernels.LOSSES}

_BY_LAST_ACTIVATION = {"softmax": "cross_entropy", "sigmoid": "binary_cross_entropy"}


def choose_loss(given: str, last_activation: str) -> str:
    """The name of a loss; `auto` is the one that goes with the network's last activation.

    Parameters
    ----------
    given : str
        A name, or `auto`: `cross_entropy` after softmax, `binary_cross_entropy` after sigmoid, else
        `mean_squared_error`.
    last_activation : str
        Name of the last layer's activation.

    Raises
    ------
    ValueError
        If the name is not known; the message lists the known ones.

    Examples
    --------
    >>> choose_loss("auto", "softmax")
    'cross_entropy'
    """
    if given == "auto":
        return _BY_LAST_ACTIVATION.get(last_activation, "mean_squared_error")
    return look_up("loss", given, LOSSES).name
