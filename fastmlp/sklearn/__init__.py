"""Perceptrons as estimators of scikit-learn, for its pipelines, searches and cross-validation.

Only this package imports scikit-learn, which `pip install "fastmlp[sklearn]"` brings.
"""

try:
    import sklearn.utils.validation as validation
except ImportError as error:
    raise ImportError('fastmlp.sklearn needs scikit-learn: pip install "fastmlp[sklearn]"') from error
if not hasattr(validation, "validate_data"):
    raise ImportError('fastmlp.sklearn needs scikit-learn 1.6 or newer: pip install -U "fastmlp[sklearn]"')

from .classifier import MLPClassifier
from .regressor import MLPRegressor
from .search import grid_search

__all__ = ["MLPClassifier", "MLPRegressor", "grid_search"]
