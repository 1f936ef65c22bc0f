"""``logistic``: logistic regression; uses linear combinations of features."""

from sklearn.linear_model import LogisticRegression

LABEL = "Logistic"
WORDS = "logistic regression"
ORDER = 3
GRID = {"C": [0.01, 0.1, 1.0, 10.0]}


def make(C: float) -> LogisticRegression:
    """The classifier."""
    return LogisticRegression(max_iter=2000, C=C)
