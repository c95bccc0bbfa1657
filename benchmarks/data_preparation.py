"""Data preparation on real tables: F1 of a student before and after a session, beside simple baselines.

Error detection on hospital: F1 of the class `error` over the cells of the sealed report part, which no training saw; a
value that stands in several rows counts as often, and `distinct` counts every value once. Entity matching on
Fodors-Zagats: F1 of the class `same` over the data set's own test file, which is in no part of the scenario. Baselines
are fitted on all that the session could look at, exam items included, which is more than the student is trained on.
"""

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from random import Random
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np

from ..agents.desk import BASE
from ..agents.parts import Parts
from ..memory.inference import Request
from ..memory.ledger import Ledger
from ..memory.records import Round, Task
from ..scenarios import loader, pairs
from ..scenarios.cells import ERROR, Cell, Judged, judged, question
from ..scenarios.splits import Splits
from ..training.engines.transformers import Transformers
from .machine import ROOT, Check, keep
from .regression import Floats, Logistic, TfIdf

Json = dict[str, Any]

COMMAND = Path(sys.executable).with_name("evolvent")
FOLDS, PENALTIES = 5, (1.0, 10.0, 100.0, 1000.0)
"""By which a baseline is tuned: parts of what is known, and weights of the loss."""
LONGEST = 12
"""Tokens of an answer."""
TEST = "test.txt"


class Item(NamedTuple):
    """What is asked, whether it is of the class that counts, and how often it stands there."""

    prompt: str
    positive: bool
    weight: int = 1


class Measured(NamedTuple):
    """A task: what is asked of the student, and what the baselines say."""

    scenario: Path
    positive: str
    """The answer that counts."""
    items: Sequence[Item]
    baselines: dict[str, list[bool]]


class Session(NamedTuple):
    """A session that has ended."""

    done: Json
    """Its last line."""
    seconds: float
    before: Path
    """The first student."""
    after: Path
    """The promoted one; the first where none was."""


def main(argv: Sequence[str] | None = None) -> list[Check]:
    """Run the sessions, print and keep the result."""
    parser = argparse.ArgumentParser(prog="evolvent.benchmarks.data_preparation", description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    options = parser.parse_args(argv)
    if loader.DATA not in os.environ:
        print(f"skipped: {loader.DATA} is not set; set it to the folder of the public data")
        return []
    since = time.perf_counter()
    result: Json = {}
    checks: list[Check] = []
    tasks: dict[str, Callable[[], Measured]] = {"hospital": hospital, "fodors_zagats": fodors_zagats}
    for name, make in tasks.items():
        measured = make()
        runs = [session(measured, seed) for seed in options.seeds]
        simple = {which: f1(measured.items, said) for which, said in measured.baselines.items()}
        sizes = {
            "items": sum(item.weight for item in measured.items),
            "positives": sum(item.weight for item in measured.items if item.positive),
            "distinct": len(measured.items),
        }
        result[name] = {"scenario": measured.scenario.name, **sizes, "students": runs, "baselines": simple}
        checks += _checks(name, runs, simple)
    path = keep("data_preparation", result, checks, seconds=time.perf_counter() - since)
    print("\n".join(c.line() for c in checks), f"\nwritten to {path}")
    return checks


def hospital() -> Measured:
    """Cells of the sealed part; the baselines are a count and TF-IDF with logistic regression."""
    path = ROOT / "scenarios" / "data_preparation.toml"
    scenario = loader.load(path)
    table = Path(scenario.source.settings["path"])
    found = judged(str(table), str(table.parent / scenario.source.settings["clean"]), 0)
    splits = Splits(scenario, Parts.resolve(scenario, path.stem).source, 0)
    sealed = {task.prompt for skill in scenario.skills for task in _all(splits, skill) if _is_sealed(splits, task)}
    asked = [cell for cell in found.labels if question(cell) in sealed]
    known = [cell for cell in found.labels if question(cell) not in sealed]
    items, learned = ([_item(cell, found) for cell in cells] for cells in (asked, known))
    return Measured(
        path,
        ERROR,
        items,
        {
            "how often a value stands in its column": _rare(learned, items),
            "TF-IDF + logistic regression": _texts(learned, items),
            "a rule of somebody who looked: it holds an x": ["x" in cell.value for cell in asked],
        },
    )


def fodors_zagats() -> Measured:
    """Pairs of the test file; the baselines are logistic regression on what values share."""
    path = ROOT / "scenarios" / "entity_matching.toml"
    settings = loader.load(path).source.settings
    first, names = Path(settings["path"]), tuple(settings["attributes"])
    reading = pairs.Pairs(names, shares=True, more=(), changed=0, missing=(), schema=0)
    files = [first, *(first.parent / name for name in settings["more"])]
    known = [pair for file in files for pair in pairs.read(str(file))]
    asked = list(pairs.read(str(first.parent / TEST)))
    labels = [pair.same for pair in known]
    return Measured(
        path,
        pairs.SAME,
        [Item(reading.asked(pair, names), pair.same) for pair in asked],
        {
            "TF-IDF cosines + logistic regression": _cosines(known, labels, asked, names),
            "what the student sees + logistic regression": _regress(
                _shares(known, names), labels, _shares(asked, names)
            ),
        },
    )


def _checks(name: str, runs: Sequence[Json], simple: dict[str, dict[str, float]]) -> list[Check]:
    """What a scenario must show is that a session helps; how that compares with a baseline is said."""
    checks: list[Check] = []
    for kind in ("f1", "distinct") if name == "hospital" else ("f1",):
        before, after = (fmean(run[when][kind] for run in runs) for when in ("before", "after"))
        words = f"{name}, F1" + (" over distinct values" if kind == "distinct" else "")
        figures = f"{100 * before:.1f} -> {100 * after:.1f}"
        checks.append(Check(f"{words}: mean of {len(runs)} seeds", figures, "higher", after > before))
        for which, score in simple.items():
            checks.append(Check(f"{words}: {which}", f"{100 * score[kind]:.1f}", "said plainly", True))
    return checks


@contextlib.contextmanager
def students(scenario: Path, seed: int, *settings: str) -> Generator[Session]:
    """Run one session, and give its first student and the promoted one for as long as they are looked at."""
    with tempfile.TemporaryDirectory() as folder:
        command = [str(COMMAND), "run", str(scenario), "--seed", str(seed), "--json", "--runs-dir", folder]
        environment = {**os.environ, "EVOLVENT_CACHE": f"{folder}/cache"}
        changes = [f"--set={setting}" for setting in ("control=false", *settings)]
        since = time.perf_counter()
        said = subprocess.run([*command, *changes], capture_output=True, text=True, env=environment, check=True)
        done, seconds = json.loads(said.stdout.splitlines()[-1]), time.perf_counter() - since
        run = Path(done["dir"])
        ledger = Ledger(run / "ledger.sqlite", read_only=True)
        rounds = {r.number: r.path for r in ledger.read(Round) if r.arm == "targeted"}
        ledger.close()
        last = rounds[done["promoted"][-1]] if done["promoted"] else BASE
        yield Session(done, seconds, run / BASE, run / last)


def session(measured: Measured, seed: int) -> Json:
    """Run one session and ask its first student and the promoted one."""
    with students(measured.scenario, seed) as ran:
        before, after = (f1(measured.items, _asked(model, measured)) for model in (ran.before, ran.after))
    change = f"F1 {before['f1']:.3f} -> {after['f1']:.3f}"
    print(f"{measured.scenario.stem} seed {seed}: {change}, {ran.seconds:.0f} s", flush=True)
    kept = {part: ran.done[part] for part in ("promoted", "guards")}
    return {"seed": seed, "seconds": ran.seconds, "before": before, "after": after, **kept}


def f1(items: Sequence[Item], said: Sequence[bool]) -> dict[str, float]:
    """Precision, recall and F1 of the class that counts; all 0 where nothing was found."""
    found = [(item, positive) for item, positive in zip(items, said, strict=True)]
    right = sum(item.weight for item, positive in found if positive and item.positive)
    claimed = sum(item.weight for item, positive in found if positive)
    there = sum(item.weight for item in items if item.positive)
    once = sum(positive and item.positive for item, positive in found)
    either = sum(positive for _, positive in found) + sum(item.positive for item in items)
    return {
        "f1": 2 * right / (claimed + there) if claimed + there else 0.0,
        "distinct": 2 * once / either if either else 0.0,
        "precision": right / claimed if claimed else 0.0,
        "recall": right / there if there else 0.0,
    }


def _asked(model: Path, measured: Measured) -> list[bool]:
    engine = Transformers().open(model)
    answers = asyncio.run(engine.answer([Request(item.prompt, LONGEST) for item in measured.items]))
    engine.close()
    return [answer.text.strip() == measured.positive for answer in answers]


def _item(cell: Cell, found: Judged) -> Item:
    return Item(question(cell), found.labels[cell] == ERROR, found.counts[cell])


def _all(splits: Splits, skill: str) -> list[Task]:
    settings = splits.scenario.skills[skill].task
    count = splits.source.size(skill, settings)
    return splits.source.draw(skill, settings, count, Random(0), allowed=lambda _: True)


def _is_sealed(splits: Splits, task: Task) -> bool:
    return splits.part(task.key) == "report"


def _rare(known: Sequence[Item], asked: Sequence[Item]) -> list[bool]:
    """Take values that stand in few rows for errors: as few as gives the best F1 on what is known."""
    counts = range(1, 1 + max(item.weight for item in known))
    most = max(counts, key=lambda most: f1(known, [item.weight <= most for item in known])["f1"])
    return [item.weight <= most for item in asked]


def _texts(known: Sequence[Item], asked: Sequence[Item]) -> list[bool]:
    """Classify texts, with the penalty that is best in five folds of what is known."""
    tfidf = TfIdf.fit([item.prompt for item in known])
    rows, labels = tfidf.vectors([item.prompt for item in known]), [item.positive for item in known]
    fold = np.random.default_rng(0).permutation(len(known)) % FOLDS

    def folded(c: float) -> list[bool]:
        said = np.zeros(len(known), dtype=bool)
        for part in range(FOLDS):
            inside = [label for label, own in zip(labels, fold, strict=True) if own != part]
            said[fold == part] = Logistic.fit(rows[fold != part], inside, c=c).predict(rows[fold == part])
        return said.tolist()

    best = max(PENALTIES, key=lambda c: f1(known, folded(c))["f1"])
    return Logistic.fit(rows, labels, c=best).predict(tfidf.vectors([item.prompt for item in asked]))


def _regress(known_ND: Floats, labels: Sequence[bool], asked_ND: Floats) -> list[bool]:
    return Logistic.fit(known_ND, labels).predict(asked_ND)


def _cosines(
    known: Sequence[pairs.Pair], labels: Sequence[bool], asked: Sequence[pairs.Pair], names: Sequence[str]
) -> list[bool]:
    """A cosine for each attribute and one for the whole records."""
    before: list[Floats] = []
    after: list[Floats] = []
    for some in [*((name,) for name in names), tuple(names)]:
        tfidf = TfIdf.fit([_text(side, some) for pair in known for side in (pair.left, pair.right)])
        before.append(_cosine(tfidf, known, some))
        after.append(_cosine(tfidf, asked, some))
    return _regress(np.stack(before, 1), labels, np.stack(after, 1))


def _cosine(tfidf: TfIdf, group: Sequence[pairs.Pair], names: Sequence[str]) -> Floats:
    left, right = (
        tfidf.vectors([_text(side, names) for side in sides])
        for sides in ([pair.left for pair in group], [pair.right for pair in group])
    )
    return (left * right).sum(1)


def _shares(group: Sequence[pairs.Pair], names: Sequence[str]) -> Floats:
    """What the student is told: shares from 0 to 1."""
    said = [[pairs.shared(p.left.get(n, ""), p.right.get(n, "")) for n in names] for p in group]
    return np.array([[int(s) / pairs.STEPS if s.isdigit() else 0.0 for s in row] for row in said])


def _text(record: pairs.Record, names: Sequence[str]) -> str:
    return " ".join(record.get(name, "") for name in names)


if __name__ == "__main__":
    sys.exit(0 if all(check.met for check in main()) else 1)
