"""A ranker from few judged questions: more of them judged by a small model, and those kept of which it is sure.

Claim: questions from a log, judged by a model that was trained on few judged ones, make a ranker better, more so where
pairs are left out whose label the learning dynamics of that model contradict.

Paper: Seedat et al. 2024, arXiv:2312.12112 (CLLM) for what is kept; the task is that of Thakur et al. 2021,
arXiv:2104.08663 (BEIR): nDCG@10.

Protocol: the Cranfield collection, its 225 questions divided by a seed: 20 are judged, 105 are a log without
judgements, 100 are the exam. Of each question the 100 documents that BM25 puts first are looked at. The judge is a
classifier boosted for 100 rounds on the judged pairs, by seven features; its label of a log's pair is what the last
round says. `grown` trains the ranker on judged pairs and the whole log, `sure` on the half of the log's pairs of each
label that has the highest confidence over all rounds, `random` on half of them drawn, `oracle` on the log with people's
judgements, `judged` on judged pairs alone; `bm25` does not train. The ranker is a logistic regression on the seven
features and on the products of latent dimensions of question and document, both labels of equal weight; its strength
is the one of 0.001, 0.01 and 0.1 that was best for `judged` on two pilot seeds.
Expected: `grown` above `judged`, `sure` above `grown` and `random`, all below `oracle`.
"""

from functools import lru_cache, partial
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...training.curation.scorers.dynamics import Dynamics
from ..bench.experiment import Arm, Experiment, Figure, Json, Outcome
from ..bench.searching import Floats, Pairs, cranfield

PROTOCOL: Json = {"judged": 20, "exam": 100, "looked at": 100, "rounds": 100, "kept": 0.5, "strength": 0.001}
How = Literal["grown", "bm25", "judged", "sure", "random", "oracle"]


class Split(NamedTuple):
    """Questions by number, and what the judge makes of the log's pairs."""

    judged: Pairs
    log: Pairs
    exam: NDArray[np.int64]
    chances_EP: Floats
    """That a pair of the log belongs together, after each round of boosting."""


def experiment() -> Experiment:
    """What a ranker is trained on."""
    hows: tuple[How, ...] = ("grown", "bm25", "judged", "sure", "random", "oracle")
    return Experiment(
        claim="a log judged by a small model makes a ranker better, and its sure half more so",
        expected="grown above judged, sure above grown and random, oracle above all",
        arms=[Arm(how, partial(_run, how)) for how in hows],
        baseline="grown",
        figures=[Figure("ndcg"), Figure("pairs", show="{:.0f}"), Figure("right")],
        protocol=PROTOCOL,
        seeds=20,
    )


def _run(how: How, seed: int) -> Outcome:
    found, split = cranfield(), _split(seed)
    if how == "bm25":
        return Outcome({"ndcg": _ndcg(split.exam, None), "pairs": 0, "right": 1.0})
    guessed_P = split.chances_EP[-1] >= 0.5
    right_P = found.answers(split.log)
    labels_P = right_P if how == "oracle" else guessed_P
    kept_P = _kept(how, split, guessed_P, seed=seed)
    pairs = Pairs(*(np.concatenate([a, b[kept_P]]) for a, b in zip(split.judged, split.log, strict=True)))
    labels = np.concatenate([found.answers(split.judged), labels_P[kept_P]])
    right = float((labels_P == right_P)[kept_P].mean()) if kept_P.any() else 1.0
    ranker = found.ranker(pairs, labels, strength=PROTOCOL["strength"])
    return Outcome({"ndcg": _ndcg(split.exam, ranker), "pairs": len(labels), "right": right})


def divided(seed: int) -> list[NDArray[np.int64]]:
    """Divide questions, by number: those that are judged, the log, the exam."""
    order_Q = np.random.default_rng(seed).permutation(len(cranfield().questions))
    return np.split(order_Q, [PROTOCOL["judged"], len(order_Q) - PROTOCOL["exam"]])


@lru_cache(1)
def _split(seed: int) -> Split:
    from sklearn.ensemble import GradientBoostingClassifier

    found = cranfield()
    *asked, exam = divided(seed)
    judged, log = (found.candidates(questions, PROTOCOL["looked at"]) for questions in asked)
    model: Any = GradientBoostingClassifier(
        n_estimators=PROTOCOL["rounds"], max_depth=2, subsample=0.5, random_state=seed
    )
    model.fit(found.seen(judged), found.answers(judged))
    chances_EP = np.stack([chances[:, 1] for chances in model.staged_predict_proba(found.seen(log))])
    return Split(judged, log, exam, chances_EP)


def _kept(how: How, split: Split, guessed_P: NDArray[np.bool_], *, seed: int) -> NDArray[np.bool_]:
    """Which pairs of the log are trained on; of both labels the same share."""
    if how in ("judged", "grown", "oracle"):
        return np.full(len(guessed_P), how != "judged")
    sure_P = Dynamics(unlikely=0.2, certain=0.2).judge(np.where(guessed_P, split.chances_EP, 1 - split.chances_EP))
    worth_P = sure_P if how == "sure" else np.random.default_rng(seed).random(len(guessed_P))
    kept_P = np.zeros(len(guessed_P), dtype=bool)
    for label in (False, True):
        own = np.flatnonzero(guessed_P == label)
        kept_P[own[np.argsort(-worth_P[own], kind="stable")][: round(PROTOCOL["kept"] * len(own))]] = True
    return kept_P


def _ndcg(questions: NDArray[np.int64], ranker: Any) -> float:
    """Mean over questions; without a ranker in the order of BM25."""
    found, most = cranfield(), PROTOCOL["looked at"]
    pairs = found.candidates(questions, most)
    if ranker is None:
        return found.mean_ndcg(pairs, -np.tile(np.arange(most, dtype=np.float64), len(questions)))
    return found.mean_ndcg(pairs, ranker.decision_function(found.crossed(pairs)))
