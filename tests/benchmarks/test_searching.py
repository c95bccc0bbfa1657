"""A collection that is searched: its scores against sums by hand, its files, and who may see what."""

import math
import os
from collections import Counter

import numpy as np
import pytest

from evolvent.benchmarks.bench.searching import LENGTH, SATURATION, Collection, Pairs, cranfield, words
from evolvent.benchmarks.lab.relevance import PROTOCOL, experiment
from evolvent.memory.errors import UnavailableError
from evolvent.scenarios.collection import Collection as Read
from evolvent.scenarios.collection import Document
from evolvent.scenarios.relevance import Index

needs_data = pytest.mark.skipif(
    "EVOLVENT_DATA" not in os.environ, reason="needs the public data: set EVOLVENT_DATA to its folder"
)
DOCUMENTS = [
    ("wings", "lift of swept wings and of wings in a slipstream"),
    ("heat", "heat in composite slabs"),
    ("flow", "flow past wings with heat transfer, and flow again"),
    ("", ""),
]


def make_collection() -> Collection:
    return Collection(DOCUMENTS, ["lift of wings", "heat flow", "unheard words"], [{0: 1, 2: 1}, {2: 1}, {}])


def by_hand(question: str, document: int) -> float:
    """BM25 term by term."""
    texts = [words(text) for _, text in DOCUMENTS]
    mean = sum(map(len, texts)) / len(texts)
    total, counts = 0.0, Counter(texts[document])
    for word in words(question):
        found = sum(word in text for text in texts)
        if not found:
            continue
        rarity = math.log(1 + (len(texts) - found + 0.5) / (found + 0.5))
        norm = SATURATION * (1 - LENGTH + LENGTH * len(texts[document]) / mean)
        total += rarity * counts[word] * (SATURATION + 1) / (counts[word] + norm)
    return total


def test_scores_are_those_of_bm25_term_by_term() -> None:
    found = make_collection()
    for q, question in enumerate(found.questions):
        assert found.bm25_QD[q] == pytest.approx([by_hand(question, d) for d in range(len(DOCUMENTS))])


def test_the_source_of_a_scenario_finds_documents_in_the_same_order() -> None:
    found = make_collection()
    documents = {str(d): Document("", text) for d, (_, text) in enumerate(DOCUMENTS)}
    index = Index(Read(documents, {}, {}, lost=0))
    for q, question in enumerate(found.questions):
        best = np.argsort(-found.bm25_QD[q], kind="stable")
        assert list(index.first(question, 9)) == [str(d) for d in best if found.bm25_QD[q, d] > 0]


def test_the_first_candidates_are_those_with_the_highest_scores() -> None:
    pairs = make_collection().candidates(np.array([1, 0]), 2)
    assert pairs.questions_P.tolist() == [1, 1, 0, 0]
    assert pairs.documents_P.tolist() == [2, 1, 0, 2]
    assert make_collection().answers(pairs).tolist() == [True, False, True, True]


def test_an_order_is_worth_what_it_is_by_hand() -> None:
    found = make_collection()
    assert found.ndcg(0, [0, 2, 1]) == pytest.approx(1.0)
    best, got = 1 + 1 / math.log2(3), 1 / math.log2(3) + 1 / math.log2(4)
    assert found.ndcg(0, [1, 0, 2]) == pytest.approx(got / best)
    assert found.ndcg(1, [0, 1]) == 0


def test_what_is_seen_of_a_pair_is_finite_also_of_an_empty_document_and_unknown_words() -> None:
    every = Pairs(np.repeat(np.arange(3), 4), np.tile(np.arange(4), 3))
    seen = make_collection().seen(every)
    assert seen.shape == (12, 7)
    assert np.isfinite(seen).all()
    assert np.isfinite(make_collection().crossed(every)).all()


def test_without_the_data_the_way_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    cranfield.cache_clear()
    monkeypatch.delenv("EVOLVENT_DATA", raising=False)
    with pytest.raises(UnavailableError, match="set EVOLVENT_DATA to the folder that has cranfield/"):
        cranfield()


@needs_data
def test_judgements_go_by_a_question_s_place_and_not_by_its_number() -> None:
    found = cranfield()
    assert (len(found.documents), len(found.questions)) == (1400, 225)
    assert 183 in found.relevant[0]
    assert all(found.relevant)
    # the third question has number 4 in its file; its judgements are about composite slabs
    assert "composite slabs" in found.questions[2]
    assert any("slab" in found.documents[d][1] for d in found.relevant[2])


@needs_data
def test_what_the_experiment_divides_shares_no_question() -> None:
    from evolvent.benchmarks.lab.relevance import divided

    judged, log, exam = divided(3)
    assert len(judged) + len(log) + len(exam) == len({*judged, *log, *exam}) == 225
    assert (len(judged), len(exam)) == (PROTOCOL["judged"], PROTOCOL["exam"])
    assert experiment().baseline == "grown"
