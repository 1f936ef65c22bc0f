import pickle

import pytest

from dgr.core.errors import DGRError, nearest
from dgr.core.extras import MissingExtraError


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("pcgard", "Unknown method 'pcgard'; did you mean 'pcgrad'?"),
        ("PCGrad", "Unknown method 'PCGrad'; did you mean 'pcgrad'?"),
        ("other", "Unknown method 'other'; known: dwa, pcgrad."),
    ],
)
def test_a_sentence_ends_once(word, sentence):
    assert str(DGRError(f"Unknown method '{word}'{nearest(word, ['dwa', 'pcgrad'])}.")) == sentence


@pytest.mark.parametrize("kind", [DGRError, MissingExtraError])
def test_an_error_comes_through_another_process(kind):
    error = pickle.loads(pickle.dumps(kind("It is so.")))
    assert (type(error), str(error)) == (kind, "It is so.")
