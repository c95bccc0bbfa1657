"""Relevance on Cranfield: F1 of a student before and after a session, and nDCG@10 of orders with and without it.

Every seed divides the questions anew, by the scenario's name: those of the training part are judged, those of the probe
and exam parts are a log whose judgements only a session's exams look at, those of the sealed report are asked about
here. F1 of the answer `yes` is over the sealed tasks, half of which are `yes`; baselines are fitted on training tasks.

nDCG@10 is over the first 50 documents of BM25 for each sealed question: as BM25 has them, by the student's chance of
`yes`, by logistic regression on what the student sees, and by a ranker that learned from judged questions alone, or
from the log as well, as judged by the student, by that regression, or by people. Of the log's pairs as large a share is
taken for `yes` as of judged questions' pairs. The ranker is that of `evolvent bench relevance`, with its strength.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..agents.parts import Parts
from ..memory.inference import Completion, Request
from ..memory.records import Task
from ..memory.seeds import mean_interval
from ..scenarios import loader
from ..scenarios.collection import Collection, collect
from ..scenarios.relevance import NO, STEPS, YES, Index, Seen, key
from ..scenarios.splits import Part, Splits
from ..training.engines.transformers import Transformers
from .bench.searching import Pairs, cranfield
from .data_preparation import Item, f1, students
from .lab.relevance import PROTOCOL
from .machine import ROOT, Check, keep
from .regression import Floats, Logistic

Json = dict[str, Any]

SCENARIO = ROOT / "scenarios" / "relevance.toml"
JUDGED: tuple[Part, ...] = ("train",)
LOG: tuple[Part, ...] = ("probe", "exam")
SEALED: tuple[Part, ...] = ("report",)
DEPTH = 50
"""Documents of BM25 that are looked at for a question, as in the scenario."""
LONGEST = 4
"""Tokens of an answer."""
ORDERS = ("bm25", "student", "regression", "judged", "grown", "grown by regression", "grown by people")


class Group(NamedTuple):
    """Pairs of some questions and the documents that BM25 puts first for them."""

    pairs: Pairs
    seen: list[Seen]
    right_P: NDArray[np.bool_]
    """Whether people found that the document answers the question."""

    @property
    def figures(self) -> Floats:
        """What the student sees of each, from 0 to 1."""
        return _figures(self.seen)


class Divided(NamedTuple):
    """A seed's division of the collection."""

    judged: Group
    log: Group
    sealed: Group
    known: list[Task]
    """Tasks of the training part."""
    asked: list[Task]
    """Tasks of the sealed part."""
    shown: Mapping[str, Seen]
    """What is seen of a task, by its key."""


def main(argv: Sequence[str] | None = None) -> list[Check]:
    """Run the sessions, print and keep the result."""
    parser = argparse.ArgumentParser(prog="evolvent.benchmarks.relevance", description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(6)))
    options = parser.parse_args(argv)
    if loader.DATA not in os.environ:
        print(f"skipped: {loader.DATA} is not set; set it to the folder of the public data")
        return []
    since = time.perf_counter()
    runs = [measure(seed) for seed in options.seeds]
    checks = judge(runs)
    path = keep("relevance", {"runs": runs}, checks, seconds=time.perf_counter() - since)
    print("\n".join(c.line() for c in checks), f"\nwritten to {path}")
    return checks


def measure(seed: int) -> Json:
    """Run one session and see what its student is worth."""
    name = f"relevance-{seed}"
    divided = divide(name)
    labels = [task.answer == YES for task in divided.known]
    regression = Logistic.fit(_figures([divided.shown[task.key] for task in divided.known]), labels)
    with students(SCENARIO, seed, f'name="{name}"') as ran:
        before, after = (_f1(divided.asked, _said(model, divided.asked)) for model in (ran.before, ran.after))
        chances = {
            part: _chances(ran.after, group) for part, group in (("log", divided.log), ("sealed", divided.sealed))
        }
    guessed = {part: _worth(regression, group) for part, group in (("log", divided.log), ("sealed", divided.sealed))}
    simple = {
        "the first documents of BM25": _f1(divided.asked, _first(divided)),
        "what the student sees + logistic regression": _f1(
            divided.asked, regression.predict(_figures([divided.shown[task.key] for task in divided.asked]))
        ),
        "always yes": _f1(divided.asked, [True] * len(divided.asked)),
    }
    ndcg, right = orders(divided, chances, guessed)
    print(
        f"seed {seed}: F1 {before['f1']:.3f} -> {after['f1']:.3f}, {ran.seconds:.0f} s; nDCG@10 "
        + ", ".join(f"{order} {value:.3f}" for order, value in ndcg.items()),
        flush=True,
    )
    sizes = {part: len(set(group.pairs.questions_P.tolist())) for part, group in _groups(divided).items()}
    return {
        "seed": seed,
        "seconds": ran.seconds,
        "promoted": ran.done["promoted"],
        "questions": sizes,
        "tasks": {"known": len(divided.known), "asked": len(divided.asked)},
        "before": before,
        "after": after,
        "baselines": simple,
        "ndcg": ndcg,
        "right": right,
    }


def divide(name: str) -> Divided:
    """Divide the collection as the scenario under this name does."""
    scenario = loader.load(SCENARIO, [f'name="{name}"'])
    settings = scenario.source.settings
    splits = Splits(scenario, Parts.resolve(scenario, SCENARIO.stem).source, 0)
    folder = Path(settings["path"]).parent
    collection = collect(
        settings["path"], str(folder / settings["questions"]), str(folder / settings["judgements"]), by_place=True
    )
    first = _found(collection)
    tasks = {part: _tasks(splits, part) for part in ("train", "report")}
    shown = {key(collection.questions[q], d): seen for q, found in first.items() for d, seen in found.items()}
    judged, log, sealed = (_group(collection, first, splits, parts) for parts in (JUDGED, LOG, SEALED))
    return Divided(judged, log, sealed, tasks["train"], tasks["report"], shown)


def orders(
    divided: Divided, chances: Mapping[str, Floats], guessed: Mapping[str, Floats]
) -> tuple[dict[str, float], dict[str, float]]:
    """NDCG@10 on sealed questions of every order, and the share of the log's labels that is right."""
    found, (pairs, seen, _) = cranfield(), divided.sealed
    share = float(divided.judged.right_P.mean())
    labels = {
        "grown": _best(chances["log"], share),
        "grown by regression": _best(guessed["log"], share),
        "grown by people": divided.log.right_P,
    }
    worths = {
        "bm25": np.array([-float(one.place) for one in seen]),
        "student": chances["sealed"],
        "regression": guessed["sealed"],
        "judged": _ranked(divided, None),
        **{order: _ranked(divided, own) for order, own in labels.items()},
    }
    right = {order: float((own == divided.log.right_P).mean()) for order, own in labels.items()}
    return {order: found.mean_ndcg(pairs, worths[order]) for order in ORDERS}, right


def judge(runs: Sequence[Json]) -> list[Check]:
    """What the scenario must show is that a session helps; how that compares with others is said."""
    before, after = (fmean(run[when]["f1"] for run in runs) for when in ("before", "after"))
    checks = [
        Check(
            f"F1 of sealed pairs: mean of {len(runs)} seeds",
            f"{100 * before:.1f} -> {100 * after:.1f}",
            "higher",
            after > before,
        )
    ]
    before, after = (fmean(run[when]["accuracy"] for run in runs) for when in ("before", "after"))
    checks.append(
        Check("the same, right answers", f"{100 * before:.1f} -> {100 * after:.1f} %", "higher", after > before)
    )
    for which in runs[0]["baselines"]:
        score, right = (fmean(run["baselines"][which][kind] for run in runs) for kind in ("f1", "accuracy"))
        said = f"{100 * score:.1f}; {100 * right:.1f} %"
        checks.append(Check(f"F1, right answers: {which}", said, "said plainly", True))
    checks += [Check(f"nDCG@10: {order}", f"{_mean(runs, order):.3f}", "said plainly", True) for order in ORDERS]
    for order, beside in (("student", "bm25"), ("student", "regression"), ("judged", "bm25"), ("grown", "judged"),
                          ("grown by people", "judged")):  # fmt: skip
        apart = np.array([run["ndcg"][order] - run["ndcg"][beside] for run in runs])
        low, high = mean_interval(apart)
        said = f"{apart.mean():+.3f} [{low:+.3f}, {high:+.3f}]"
        checks.append(Check(f"nDCG@10: {order} over {beside}", said, "said plainly", True))
    longest = max(run["seconds"] for run in runs)
    return [*checks, Check("longest session", f"{longest:.0f} s", "<= 360 s", longest <= 360)]


def _mean(runs: Sequence[Json], order: str) -> float:
    return fmean(run["ndcg"][order] for run in runs)


def _groups(divided: Divided) -> dict[str, Group]:
    return {"judged": divided.judged, "log": divided.log, "sealed": divided.sealed}


def _found(collection: Collection) -> dict[str, dict[str, Seen]]:
    index = Index(collection)
    return {number: index.first(question, DEPTH) for number, question in collection.questions.items()}


def _group(
    collection: Collection, first: Mapping[str, Mapping[str, Seen]], splits: Splits, parts: Sequence[Part]
) -> Group:
    """All pairs of the questions of some parts."""
    documents, questions = ({number: i for i, number in enumerate(held)} for held in collection[:2])
    own = [q for q, question in collection.questions.items() if splits.part(key(question, "")) in parts]
    pairs = [(q, d) for q in own for d in first[q]]
    return Group(
        Pairs(np.array([questions[q] for q, _ in pairs]), np.array([documents[d] for _, d in pairs])),
        [first[q][d] for q, d in pairs],
        np.array([collection.grades[q].get(d, 0) > 0 for q, d in pairs]),
    )


def _tasks(splits: Splits, part: Part) -> list[Task]:
    """All tasks of a part, in the order of their keys."""
    kinds = {skill: settings.task for skill, settings in splits.scenario.skills.items()}
    source, allowed = splits.source, splits.only(part)
    drawn = [
        task
        for skill, kind in kinds.items()
        for task in source.draw(skill, kind, source.size(skill, kind), Random(0), allowed=allowed)
    ]
    return sorted(drawn, key=lambda task: task.key)


def _figures(seen: Sequence[Seen]) -> Floats:
    return np.array(seen, dtype=np.float64) / STEPS


def _worth(regression: Logistic, group: Group) -> Floats:
    return group.figures @ regression.weights_D + regression.intercept


def _first(divided: Divided) -> list[bool]:
    """Take the first documents of BM25 for answers: as many as gives the best F1 on training tasks."""

    def among(tasks: Sequence[Task], most: int) -> list[bool]:
        return [divided.shown[task.key].place <= most for task in tasks]

    best = max(range(1, DEPTH + 1), key=lambda most: _f1(divided.known, among(divided.known, most))["f1"])
    return among(divided.asked, best)


def _best(worth_P: Floats, share: float) -> NDArray[np.bool_]:
    """Take so large a share of pairs for relevant, those of the greatest worth."""
    taken_P = np.zeros(len(worth_P), dtype=bool)
    taken_P[np.argsort(-worth_P, kind="stable")[: round(share * len(worth_P))]] = True
    return taken_P


def _ranked(divided: Divided, labels_P: NDArray[np.bool_] | None) -> Floats:
    """Worth of the sealed pairs to a ranker that learned from judged pairs, and from the log where it has labels."""
    found, pairs, right_P = cranfield(), divided.judged.pairs, divided.judged.right_P
    if labels_P is not None:
        pairs = Pairs(*(np.concatenate(both) for both in zip(pairs, divided.log.pairs, strict=True)))
        right_P = np.concatenate([right_P, labels_P])
    ranker = found.ranker(pairs, right_P, strength=PROTOCOL["strength"])
    return ranker.decision_function(found.crossed(divided.sealed.pairs))


def _f1(tasks: Sequence[Task], said: Sequence[bool | None]) -> dict[str, float]:
    """Precision, recall and F1 of `yes`, and the share of right answers; None is an answer that is neither."""
    scores = f1([Item(task.prompt, task.answer == YES) for task in tasks], [one is True for one in said])
    right = fmean(one is (task.answer == YES) for task, one in zip(tasks, said, strict=True))
    return {name: scores[name] for name in ("f1", "precision", "recall")} | {"accuracy": right}


def _said(model: Path, tasks: Sequence[Task]) -> list[bool | None]:
    meant = {YES: True, NO: False}
    return [meant.get(one.text.strip()) for one in _answers(model, [Request(t.prompt, LONGEST) for t in tasks])]


def _chances(model: Path, group: Group) -> Floats:
    """That the student says yes, of the two answers."""
    asked = [Request(str(seen), LONGEST, choices=(YES, NO)) for seen in group.seen]
    found = np.array([one.chances for one in _answers(model, asked)])
    return found[:, 0] / found.sum(1)


def _answers(model: Path, requests: Sequence[Request]) -> list[Completion]:
    engine = Transformers().open(model)
    answers = asyncio.run(engine.answer(requests))
    engine.close()
    return answers


if __name__ == "__main__":
    sys.exit(0 if all(check.met for check in main()) else 1)
