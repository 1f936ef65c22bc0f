"""``tree``: a decision tree; uses one feature at a time."""

from sklearn.tree import DecisionTreeClassifier

LABEL = "Tree"
WORDS = "decision tree"
ORDER = 1
GRID = {"min_samples_leaf": [1, 5, 15]}


def make(min_samples_leaf: int) -> DecisionTreeClassifier:
    """The classifier."""
    return DecisionTreeClassifier(random_state=0, min_samples_leaf=min_samples_leaf)
