"""A run as big as anybody's: 50 rounds, 200,000 samples and a million spans, all of them consistent."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from evolvent.memory.ledger import Ledger
from evolvent.memory.records import (
    Attempt,
    Critique,
    Exam,
    Fate,
    Observation,
    Prediction,
    Probe,
    Promotion,
    Record,
    Round,
    Sample,
    Score,
    Session,
    Share,
    Task,
    Verdict,
    Weakness,
)
from evolvent.memory.trace import Trace

SKILLS = tuple(f"skill-{i}" for i in range(10))
ITEMS = 200
"""Exam items of a skill."""
FAILURES = 40
"""Failing attempts of a skill and round."""
STARTED = 1.8e9


def make_big(folder: Path, *, rounds: int = 50, samples: int = 200_000, spans: int = 1_000_000) -> Path:
    """Write the run of a finished session.

    Args:
        folder: of runs.
        rounds: all of them promoted.
        samples: over all rounds, evenly over the skills; one in ten is rejected.
        spans: over all rounds, in a tree of four levels.
    """
    run = folder / "then_big_0001"
    run.mkdir(parents=True)
    session = Session(name="big", scenario="0" * 64, seed=0, limit=None, graph="g", settings={"overrides": []})
    stored = {"status": "finished", "session": session.model_dump(mode="json"), "pid": -1}
    (run / "session.json").write_text(json.dumps(stored))
    skills = {skill: {"guard": False, "learnable": True} for skill in SKILLS}
    (run / "scenario.resolved.json").write_text(json.dumps({"scenario": {"name": "big", "skills": skills}}))
    Ledger.create(run / "ledger.sqlite")
    with closing(Ledger(run / "ledger.sqlite")) as ledger:
        _commit(ledger, "baseline", 0, [_exam(0)], {})
        for number in range(1, rounds + 1):
            each = samples // rounds // len(SKILLS)
            refused = len(SKILLS) * len(range(0, each, 10))
            result = {"kept": len(SKILLS) * each - refused, "rejected": {"exact duplicate": refused}}
            _commit(ledger, "curate", number, _round(number, each), result)
    _trace(run / "trace.sqlite", rounds, spans)
    return run


def _commit(ledger: Ledger, step: str, round: int, records: list[Record], result: dict[str, Any]) -> None:
    key = f"{step}/{round}"
    ledger.intend(key, step, round)
    ledger.commit(key, result, records, 1.0, meta={})


def _round(number: int, each: int) -> list[Record]:
    """Everything of one round."""
    return [
        *(record for skill in SKILLS for record in _skill(skill, number, each)),
        Round(
            number=number, arm="targeted", start="student-0", checkpoint=f"student-{number}",
            path=f"rounds/{number:03d}/model", dataset="d" * 32, samples=9 * each * len(SKILLS) // 10 * number,
            steps=1000, tokens=10**6, loss=1 / number,
        ),
        _exam(number),
        Promotion(
            round=number, incumbent=f"student-{number - 1}", candidate=f"student-{number}", promoted=True,
            reason="select up", alpha=0.01, gained=30, lost=3, p_value=0.001, guards={},
        ),
    ]  # fmt: skip


def _skill(skill: str, number: int, each: int) -> Iterator[Record]:
    tasks = [_task(skill, number, i) for i in range(each)]
    failures = [
        Attempt(task=_task(skill, number, -1 - i), student=f"student-{number - 1}", round=number, purpose="probe",
                answer="no idea", verdict=Verdict(score=0.0, reason="not the reference"))
        for i in range(FAILURES)
    ]  # fmt: skip
    weakness = Weakness(
        skill=skill, hypothesis=f"fails in {skill} where there is number {number}", rule=(f"number {number}",),
        round=number, failures=tuple(f.id for f in failures), p_value=0.001,
    )  # fmt: skip
    yield from failures
    yield weakness
    yield Probe(skill=skill, round=number, passed=24, tried=64, chance=0.0, verdict="failing")
    yield Prediction(weakness=weakness.id, round=number, foreseen=0.2, passed=3, tried=16)
    yield Observation(weakness=weakness.id, round=number, state="open", passed=3, tried=16, reason="found now")
    yield Share(round=number, skill=skill, weakness=weakness.id, samples=each, reason="half right")
    for i, task in enumerate(tasks):
        sample = Sample(task=task, arm="targeted", round=number, weakness=weakness.id, failures=weakness.failures[:3],
                        teacher="program", recipe="draw")  # fmt: skip
        kept = i % 10 > 0
        yield sample
        yield Critique(sample=sample.id, round=number, judge="exact", accepted=True, reason="both ways agree")
        yield Fate(sample=sample.id, round=number, kept=kept, reason="kept" if kept else "exact duplicate")


def _task(skill: str, number: int, i: int) -> Task:
    prompt = f"Work out item {i} of round {number} in {skill}, and say the answer alone."
    return Task(skill=skill, prompt=prompt, answer=str(i * number), key=f"{skill}:{number}:{i}", features=(skill,))


def _exam(number: int) -> Exam:
    passed = "".join("1" if i % 50 < number else "0" for i in range(ITEMS))
    scores = {skill: Score(passed=passed.count("1"), tried=ITEMS) for skill in SKILLS}
    return Exam(
        round=number, student=f"student-{number}", arm="targeted", split="select", scores=scores,
        passed=passed * len(SKILLS),
    )  # fmt: skip


def _trace(path: Path, rounds: int, spans: int) -> None:
    """Steps of every round, their batches, the calls of each batch, and two parts of every call."""
    Trace(path).close()
    steps, batches = 10, 20
    calls = max(1, spans // (rounds * steps * batches * 3))
    text = json.dumps({"prompt": "Work it out. " * 20, "tokens": 128})

    def rows() -> Iterator[tuple[str, str | None, str, float, float, str, str]]:
        numbers = iter(range(1, 1 << 62))
        whole = f"{next(numbers):016x}"
        for number in range(rounds):
            for step in range(steps):
                began = STARTED + 600 * number + 60 * step
                node = f"{next(numbers):016x}"
                for batch in range(batches):
                    inner = f"{next(numbers):016x}"
                    for call in range(calls):
                        own = f"{next(numbers):016x}"
                        at = began + 3 * batch + 3 * call / calls
                        for part in ("queue", "read"):
                            yield (f"{next(numbers):016x}", own, part, at, 0.01, "ok", "{}")
                        yield (own, inner, "chat student", at, 0.02, "ok", text)
                    yield (inner, node, "ask", began + 3 * batch, 3.0, "ok", '{"tasks": 64}')
                yield (node, whole, f"invoke_agent step-{step}", began, 60.0, "ok", json.dumps({"round": number + 1}))
        yield (whole, None, "invoke_workflow big", STARTED, 600.0 * rounds, "ok", "{}")

    query = "insert into spans (id, parent, name, started, seconds, status, attributes) values (?, ?, ?, ?, ?, ?, ?)"
    with closing(sqlite3.connect(path)) as database, database:
        database.executemany(query, rows())
