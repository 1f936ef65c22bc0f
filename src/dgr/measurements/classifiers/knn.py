"""``knn``: the majority of the nearest training samples; uses distances."""

from sklearn.neighbors import KNeighborsClassifier

LABEL = "kNN"
WORDS = "k nearest neighbours"
ORDER = 0
GRID = {"n_neighbors": [1, 5, 15]}


def make(n_neighbors: int) -> KNeighborsClassifier:
    """The classifier."""
    return KNeighborsClassifier(n_neighbors=n_neighbors)
