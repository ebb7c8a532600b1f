"""What happens between the epochs of a training run: stop early, keep the best weights, save, or call a function.

The names are those of Keras. There are no hooks between the steps of an epoch, which is one run of compiled code.
"""

from .callback import Callback, Logs
from .callback_list import CallbackList
from .checkpoint import ModelCheckpoint
from .early_stopping import EarlyStopping
from .memory import Memories
from .monitor import Monitor

__all__ = ["Callback", "CallbackList", "EarlyStopping", "Logs", "Memories", "ModelCheckpoint", "Monitor"]
