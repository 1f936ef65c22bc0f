"""``svm``: a support vector machine with a Gaussian kernel; uses distances."""

from sklearn.svm import SVC

LABEL = "SVM"
WORDS = "support vector machine with a Gaussian kernel"
ORDER = 2
GRID = {"C": [1.0, 10.0, 100.0]}


def make(C: float) -> SVC:
    """The classifier."""
    return SVC(C=C)
