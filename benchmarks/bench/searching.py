"""Searching the Cranfield collection: its files, BM25, and what can be seen of a question beside a document."""

import json
import math
import os
import re
from collections import Counter
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from ...memory.errors import UnavailableError
from ...memory.records import Task
from ...scenarios.loader import DATA
from ...scenarios.verifiers.ranking import Ranking

Floats = NDArray[np.float64]
STOP = frozenset(
    re.findall(
        "[a-z]+",
        "a an and any are as at be been by can do does for from has have how if in into is it its of on or such than "
        "that the their there these this to under was were what when which with",
    )
)
SATURATION, LENGTH = 1.2, 0.75
"""k1 and b of BM25."""
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
    # the file of documents is a row of elements without one around them
    documents = ElementTree.fromstring(f"<all>{(folder / 'cran.all.1400.xml').read_text()}</all>")  # noqa: S314 -- a file of one's own
    questions = ElementTree.parse(folder / "cran.qry.xml").getroot()  # noqa: S314 -- a file of one's own
    numbers = [_text(document, "docno").strip() for document in documents]
    at = {number: i for i, number in enumerate(numbers)}
    asked = [" ".join(_text(question, "title").split()) for question in questions]
    relevant: list[dict[int, int]] = [{} for _ in asked]
    for line in (folder / "cranqrel.trec.txt").read_text().splitlines():
        place, _, number, grade = line.split()
        if int(grade) > 0 and number in at:
            relevant[int(place) - 1][at[number]] = 1
    return Collection([(_text(d, "title"), _text(d, "text")) for d in documents], asked, relevant)


def words(text: str) -> list[str]:
    """Words of a text in small letters, without those that are everywhere."""
    return [word for word in re.findall(r"[a-z0-9]+", text.lower()) if word not in STOP]


def _text(element: ElementTree.Element, name: str) -> str:
    found = element.find(name)
    return (found.text or "") if found is not None else ""


def _unit(rows: Any) -> Floats:
    return np.asarray(rows / (np.linalg.norm(rows, axis=1, keepdims=True) + 1e-12))
