"""Searching the Cranfield collection: its files, BM25, and what can be seen of a question beside a document."""

import json
import math
import os
from collections import Counter
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...memory.errors import UnavailableError
from ...memory.records import Task
from ...scenarios.collection import collect
from ...scenarios.loader import DATA
from ...scenarios.relevance import LENGTH, SATURATION, words
from ...scenarios.verifiers.ranking import Ranking

Floats = NDArray[np.float64]
DIMENSIONS = 100
"""Of the vectors of latent semantic analysis."""


class Pairs(NamedTuple):
    """Questions by number, and the documents that each is held against."""

    questions_P: NDArray[np.int64]
    documents_P: NDArray[np.int64]


class Collection:
    """Documents, questions, and which of them answer which.

    Args:
        documents: title and text.
        questions: as asked.
        relevant: for every question, grades above 0 by number of the document.
    """

    def __init__(self, documents: list[tuple[str, str]], questions: list[str], relevant: list[dict[int, int]]) -> None:
        self.documents, self.questions, self.relevant = documents, questions, relevant
        self._words = [words(text) for _, text in documents]
        self._titles = [set(words(title)) for title, _ in documents]
        names = sorted({word for own in self._words for word in own})
        self._column = {word: i for i, word in enumerate(names)}
        self._counts_DW = np.zeros((len(documents), len(names)))
        for row, own in enumerate(self._words):
            for word, count in Counter(own).items():
                self._counts_DW[row, self._column[word]] = count
        found_W = (self._counts_DW > 0).sum(0)
        self._idf_W = np.log(1 + (len(documents) - found_W + 0.5) / (found_W + 0.5))

    @cached_property
    def bm25_QD(self) -> Floats:
        """Score of every document for every question (Robertson & Zaragoza 2009, doi:10.1561/1500000019)."""
        length_D = self._counts_DW.sum(1)
        norm_D1 = SATURATION * (1 - LENGTH + LENGTH * length_D / length_D.mean())[:, None]
        weight_DW = self._idf_W * self._counts_DW * (SATURATION + 1) / (self._counts_DW + norm_D1)
        return np.stack([weight_DW[:, self._asked(question)].sum(1) for question in self.questions])

    @cached_property
    def latent(self) -> tuple[Floats, Floats]:
        """Vectors of unit length of questions and documents (Deerwester et al. 1990)."""
        weight_DW = np.log1p(self._counts_DW) * self._idf_W
        asked_QW = np.zeros((len(self.questions), len(self._idf_W)))
        for row, question in enumerate(self.questions):
            asked_QW[row, self._asked(question)] = 1.0
        from sklearn.decomposition import TruncatedSVD

        width = min(DIMENSIONS, *weight_DW.shape)
        basis: Any = TruncatedSVD(
            width, algorithm="arpack" if width < min(weight_DW.shape) else "randomized", random_state=0
        )
        held_DK = basis.fit_transform(weight_DW)
        return _unit(basis.transform(asked_QW * self._idf_W)), _unit(held_DK)

    def candidates(self, questions: NDArray[Any], most: int) -> Pairs:
        """The documents that BM25 puts first, for some questions."""
        best_QD = np.argsort(-self.bm25_QD[questions], axis=1, kind="stable")[:, :most]
        return Pairs(np.repeat(questions, most), best_QD.ravel())

    def answers(self, pairs: Pairs) -> NDArray[np.bool_]:
        """Whether people found that the document answers the question."""
        return np.array([d in self.relevant[q] for q, d in zip(*pairs, strict=True)])

    def seen(self, pairs: Pairs) -> Floats:
        """What a small judge sees of a pair: BM25 and its place, the latent cosine, words of the title, lengths."""
        asked_QK, held_DK = self.latent
        rows: list[list[float]] = []
        best_Q = self.bm25_QD.max(1)
        for q, d in zip(*pairs, strict=True):
            score, asked = float(self.bm25_QD[q, d]), set(words(self.questions[q]))
            rows.append(
                [
                    score,
                    score / max(float(best_Q[q]), 1e-9),
                    math.log1p(float((self.bm25_QD[q] > score).sum())),
                    float(asked_QK[q] @ held_DK[d]),
                    len(asked & set(self._words[d])) / max(1, len(asked)),
                    len(asked & self._titles[d]) / max(1, len(asked)),
                    math.log1p(len(self._words[d])),
                ]
            )
        return np.array(rows)

    def crossed(self, pairs: Pairs) -> Floats:
        """What a ranker sees of a pair: all that, and the product of both latent vectors, dimension by dimension."""
        asked_QK, held_DK = self.latent
        return np.concatenate([self.seen(pairs), asked_QK[pairs.questions_P] * held_DK[pairs.documents_P]], axis=1)

    def ndcg(self, question: int, order: list[int]) -> float:
        """How good an order of documents is, in [0, 1], by its first ten."""
        grades = {str(d): grade for d, grade in self.relevant[question].items()}
        task = Task(key=str(question), skill="search", prompt=self.questions[question], answer=json.dumps(grades))
        return Ranking(k=10).judge(task, json.dumps([str(d) for d in order])).score

    def order(self, pairs: Pairs, worth_P: Floats) -> dict[int, list[int]]:
        """Documents of each question, those of the greatest worth first and else as they stand."""
        found: dict[int, list[int]] = {}
        for at in np.argsort(-worth_P, kind="stable").tolist():
            found.setdefault(int(pairs.questions_P[at]), []).append(int(pairs.documents_P[at]))
        return found

    def mean_ndcg(self, pairs: Pairs, worth_P: Floats) -> float:
        """How good the orders are that pairs get by their worth, as a mean over questions."""
        return float(np.mean([self.ndcg(q, order) for q, order in sorted(self.order(pairs, worth_P).items())]))

    def ranker(self, pairs: Pairs, labels_P: NDArray[np.bool_], *, strength: float) -> Any:
        """Fit a logistic regression on what a ranker sees, both labels of equal weight."""
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        linear = LogisticRegression(C=strength, class_weight="balanced", max_iter=1000)
        return make_pipeline(StandardScaler(), linear).fit(self.crossed(pairs), labels_P)

    def _asked(self, question: str) -> list[int]:
        return [self._column[word] for word in words(question) if word in self._column]


@cache
def cranfield() -> Collection:
    """The collection of 1,400 abstracts and 225 questions.

    A question's number in the judgements is its place in the file, not the number it has there.

    Raises:
        UnavailableError: the environment does not say where it is.
    """
    if DATA not in os.environ:
        raise UnavailableError(f"the Cranfield collection is not here; set {DATA} to the folder that has cranfield/")
    folder = Path(os.environ[DATA]) / "cranfield"
    names = ("cran.all.1400.xml", "cran.qry.xml", "cranqrel.trec.txt")
    found = collect(*(str(folder / name) for name in names), by_place=True)
    at = {number: i for i, number in enumerate(found.documents)}
    relevant = [{at[number]: 1 for number, grade in own.items() if grade > 0} for own in found.grades.values()]
    return Collection(
        [(one.title, one.text) for one in found.documents.values()], list(found.questions.values()), relevant
    )


def _unit(rows: Any) -> Floats:
    return np.asarray(rows / (np.linalg.norm(rows, axis=1, keepdims=True) + 1e-12))
