"""A small run written record by record, as a session would leave it."""

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from evolvent.memory.debates import Debate, Turn
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
    Split,
    Task,
    Verdict,
    Weakness,
)
from evolvent.memory.trace import Trace, recording, span

SKILLS = ("carry", "plain")
"""Taught, and guarded."""


def make_task(text: str = "17+25", *, skill: str = "carry", answer: str = "42") -> Task:
    return Task(skill=skill, prompt=text, answer=answer, key=f"{skill}:{text}", features=("add",))


def make_attempt(text: str = "17+25", *, skill: str = "carry", answer: str = "32", round: int = 1) -> Attempt:
    verdict = Verdict(score=0.0, reason=f"expected '42', got {answer!r}")
    task = make_task(text, skill=skill)
    return Attempt(task=task, student="base", round=round, purpose="probe", answer=answer, verdict=verdict)


def make_weakness(*failures: Attempt, text: str = "fails where a digit carries", skill: str = "carry") -> Weakness:
    ids = tuple(f.id for f in failures)
    return Weakness(skill=skill, hypothesis=text, rule=("carry",), round=1, failures=ids, p_value=0.001)


def make_sample(
    text: str, *, weakness: Weakness | None = None, skill: str = "carry", round: int = 1, answer: str = "42"
) -> Sample:
    return Sample(
        task=make_task(text, skill=skill, answer=answer), arm="targeted", round=round,
        weakness=weakness.id if weakness else None, failures=weakness.failures if weakness else (),
        teacher="program", recipe="draw",
    )  # fmt: skip


def make_exam(student: str, round: int, *, carry: str, split: Split = "select", skill: str = "carry") -> Exam:
    scores = {skill: Score(passed=carry.count("1"), tried=len(carry))}
    return Exam(round=round, student=student, arm="targeted", split=split, scores=scores, passed=carry)


def make_round(number: int, *, samples: int = 2) -> Round:
    return Round(
        number=number, arm="targeted", start="base", checkpoint=f"student-{number}", path=f"rounds/{number:03d}/model",
        dataset="d" * 32, samples=samples, steps=7, tokens=99, loss=0.5,
    )  # fmt: skip


def make_promotion(round: int, *, incumbent: str, promoted: bool = True, reason: str = "select up") -> Promotion:
    return Promotion(
        round=round, incumbent=incumbent, candidate=f"student-{round}", promoted=promoted, reason=reason, alpha=0.05,
        gained=3, lost=1, p_value=0.01, guards={"plain": {"loss": 0.0, "upper": 0.01, "margin": 0.02}},
    )  # fmt: skip


def story(text: str = "fails where a digit carries", prompt: str = "17+25", skill: str = "carry") -> list[Record]:
    """One round from a failure to a promotion; every text a model writes is given."""
    failure = make_attempt(prompt, answer=text, skill=skill)
    weakness = make_weakness(failure, text=text, skill=skill)
    kept = make_sample(f"{prompt} kept", weakness=weakness, answer=text, skill=skill)
    refused = make_sample(f"{prompt} refused", weakness=weakness, skill=skill)
    return [
        failure, weakness, kept, refused,
        Prediction(weakness=weakness.id, round=1, foreseen=0.1, passed=1, tried=10),
        Observation(weakness=weakness.id, round=1, state="open", passed=1, tried=10, reason=text),
        Probe(skill=skill, round=1, passed=1, tried=10, chance=0.0, verdict="failing"),
        Share(round=1, skill=skill, weakness=weakness.id, samples=2, reason=text),
        Critique(sample=kept.id, round=1, judge="exact", accepted=True, reason=text),
        Critique(sample=refused.id, round=1, judge="exact", accepted=False, reason=text),
        Debate(sample=kept.id, round=1, turns=(
            Turn(turn=0, judge=text, verdict="bad", reason=text),
            Turn(turn=1, judge=text, verdict=text, reason=text),
        )),
        Fate(sample=kept.id, round=1, kept=True, reason="kept"),
        Fate(sample=refused.id, round=1, kept=False, reason=f"leak: {text}", nearest=kept.id),
        make_exam("base", 0, carry="0001", skill=skill),
        make_exam("base", 0, carry="11", split="guard", skill="plain"),
        make_round(1), make_exam("student-1", 1, carry="1110", skill=skill),
        make_exam("student-1", 1, carry="11", split="guard", skill="plain"),
        make_promotion(1, incumbent="base", reason=text),
    ]  # fmt: skip


def make_run(
    folder: Path,
    records: Sequence[Record],
    *,
    name: str = "then_mini_0001",
    status: str = "finished",
    targets: Sequence[str] = ("carry",),
) -> Path:
    """A run of these records, with a trace of one step."""
    run = folder / name
    run.mkdir(parents=True)
    session = Session(name="mini", scenario="0" * 64, seed=3, limit=None, graph="g", settings={})
    stored = {"status": status, "session": session.model_dump(mode="json"), "pid": -1}
    (run / "session.json").write_text(json.dumps(stored))
    skills = {**{name: {"guard": False, "learnable": True} for name in targets}, "plain": {"guard": True}}
    scenario = {"name": "mini", "description": "adds", "skills": skills}
    (run / "scenario.resolved.json").write_text(json.dumps({"scenario": scenario}))
    Ledger.create(run / "ledger.sqlite")
    with closing(Ledger(run / "ledger.sqlite")) as ledger:
        ledger.intend("key", "curate", 1)
        ledger.commit("key", {"kept": 1, "rejected": {"leak": 1}}, records, 0.25, meta={})
    with recording(Trace(run / "trace.sqlite")), span("session", run=name), span("probe", round=1):
        pass
    return run
