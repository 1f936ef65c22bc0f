"""Vectors of words from the sentences at hand: no pretrained ones can be had here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from scipy import sparse
from sklearn.utils.extmath import randomized_svd

from dgr.core.arrays import FloatArray
from dgr.core.errors import DGRError


class WordVectors:
    r"""Rows of :math:`U_d \Sigma_d^{1/2}` of the positive pointwise mutual information of words in a sentence.

    :math:`M_{vw} = \max(0, \log \frac{n_{vw} n}{n_v n_w})`, with :math:`n_{vw}` the number of sentences that hold both
    of two different words, :math:`n_v` the sum over w and n over both; its rank-d SVD is by random projections. Levy,
    Goldberg, "Neural word embedding as implicit matrix factorization", NeurIPS 2014. No label is read.

    Args:
        sentences: the words of each, of training splits only.
        width: numbers d a word.
        least: sentences that a word must be in, to have a vector.
        seed: of the random projections.

    Raises:
        DGRError: fewer words are frequent enough than a vector has numbers.
    """

    def __init__(self, sentences: Sequence[Sequence[str]], width: int, least: int, seed: int) -> None:
        counts = Counter(word for words in sentences for word in set(words))
        known = sorted(word for word, count in counts.items() if count >= least)
        if len(known) <= width:
            raise DGRError(
                f"Only {len(known)} words are in {least} training sentences or more, which is too few for vectors of "
                f"{width} numbers; lower 'vectors' in the study's file."
            )
        self.rows = {word: row for row, word in enumerate(known)}
        there = self._counted(sentences).sign()
        pairs = (there.T @ there).tocoo()
        apart = pairs.row != pairs.col
        first, second, found = pairs.row[apart], pairs.col[apart], pairs.data[apart]
        sums = np.bincount(first, found, len(known))
        information = np.maximum(np.log(found * found.sum() / (sums[first] * sums[second])), 0)
        matrix = sparse.csr_array((information, (first, second)), shape=pairs.shape)
        directions, sizes, _ = randomized_svd(matrix, width, random_state=seed % 2**32)
        self.vectors: FloatArray = directions * np.sqrt(sizes)

    def mean_of(self, sentences: Sequence[Sequence[str]]) -> FloatArray:
        """The mean vector of each sentence's known words, ``(sentences, width)``; zero where it has none."""
        counted = self._counted(sentences)
        found: FloatArray = counted @ self.vectors / np.maximum(counted.sum(axis=1), 1)[:, None]
        return found

    def _counted(self, sentences: Sequence[Sequence[str]]) -> sparse.csr_array:
        """How often each sentence has each known word."""
        places = [(row, self.rows[word]) for row, words in enumerate(sentences) for word in words if word in self.rows]
        rows, columns = np.array(places, np.int64).reshape(-1, 2).T
        ones = np.ones(len(rows))
        return sparse.csr_array((ones, (rows, columns)), shape=(len(sentences), len(self.rows)))
