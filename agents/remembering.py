"""What goes into the vector memory, and how it is worded, so that likeness means something."""

from collections.abc import Sequence

from ..memory.recall import Entry
from ..memory.records import Attempt, Sample, Task
from .lives import Life


def describe(skill: str, words: str, rule: Sequence[str]) -> str:
    """Text of a weakness."""
    return f"{skill}: {words} [{', '.join(rule)}]"


def describe_answer(task: Task, answer: str) -> str:
    """Text of a task with an answer to it, a student's or a sample's."""
    return f"{task.skill}: {task.own} -> {answer} [{', '.join(task.features)}]"


def weakness_entries(lives: Sequence[Life], round: int) -> list[Entry]:
    """What is known of every weakness after a round."""
    return [
        Entry(
            id=f"{life.weakness.id}@{round}",
            text=describe(life.weakness.skill, life.weakness.hypothesis, life.weakness.rule),
            label={
                "kind": "weakness",
                "weakness": life.weakness.id,
                "skill": life.weakness.skill,
                "state": life.state,
                "round": round,
                "passed": life.observations[-1].passed,
                "tried": life.observations[-1].tried,
            },
        )
        for life in lives
        if life.observations
    ]


def failure_entries(attempts: Sequence[Attempt]) -> list[Entry]:
    """Failing attempts, each with its structure, question and answer."""
    return [
        Entry(
            id=a.id,
            text=describe_answer(a.task, a.answer),
            label={"kind": "failure", "skill": a.task.skill, "round": a.round},
        )
        for a in attempts
        if not a.verdict.passed
    ]


def sample_entries(samples: Sequence[Sample]) -> list[Entry]:
    """Samples, worded as failures are, so that one lies near the failures it answers."""
    return [
        Entry(
            id=s.id,
            text=describe_answer(s.task, s.completion),
            label={"kind": "sample", "skill": s.task.skill, "round": s.round, "weakness": s.weakness or ""},
        )
        for s in samples
    ]
