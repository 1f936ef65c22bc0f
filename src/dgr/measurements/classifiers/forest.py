"""``forest``: a random forest; uses one feature at a time, many times over."""

from sklearn.ensemble import RandomForestClassifier

LABEL = "Forest"
WORDS = "random forest"
ORDER = 4
# It hardly depends on its settings beyond the number of trees, which is never too large.
GRID = {"n_estimators": [30]}


def make(n_estimators: int) -> RandomForestClassifier:
    """The classifier."""
    return RandomForestClassifier(n_jobs=1, random_state=0, n_estimators=n_estimators)
