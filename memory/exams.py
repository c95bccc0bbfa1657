"""What exams say when they are compared: macro scores, and the items that flipped.

Items of an exam lie skill by skill in alphabetical order, so an exam knows which results belong to which skill.
"""

from collections.abc import Sequence
from typing import NamedTuple

from .records import Exam, Promotion
from .statistics import Interval, mcnemar, paired_interval


class Flips(NamedTuple):
    """Items of one skill, before and after."""

    skill: str
    before: str
    after: str
    """One character per item: `1` right, `0` wrong."""

    @property
    def gained(self) -> int:
        """Items only the second student got right."""
        return sum(pair == ("0", "1") for pair in zip(self.before, self.after, strict=True))

    @property
    def lost(self) -> int:
        """Items only the first student got right."""
        return sum(pair == ("1", "0") for pair in zip(self.before, self.after, strict=True))

    @property
    def items(self) -> int:
        """All items, changed or not."""
        return len(self.before)

    @property
    def change(self) -> float:
        """Difference of the pass rates, in [-1, 1]."""
        return (self.gained - self.lost) / max(1, self.items)

    @property
    def p_value(self) -> float:
        """Exact one-sided probability of so large a change in its direction by chance."""
        return mcnemar(max(self.gained, self.lost), min(self.gained, self.lost))


def segment(exam: Exam, skill: str) -> str:
    """Results on the items of one skill; empty where the exam does not hold it."""
    start = 0
    for name in sorted(exam.scores):
        stop = start + exam.scores[name].tried
        if name == skill:
            return exam.passed[start:stop]
        start = stop
    return ""


def flips(before: Exam, after: Exam) -> list[Flips]:
    """Compare two students on the items both sat, skill by skill."""
    shared = sorted(set(before.scores) & set(after.scores))
    pairs = [Flips(skill, segment(before, skill), segment(after, skill)) for skill in shared]
    return [pair for pair in pairs if len(pair.before) == len(pair.after)]


def rate(exam: Exam, skill: str) -> float | None:
    """Pass rate of one skill; None where it was not examined."""
    score = exam.scores.get(skill)
    return score.passed / score.tried if score and score.tried else None


def macro(exam: Exam, skills: Sequence[str]) -> float | None:
    """Mean pass rate over skills; None where none of them was examined."""
    rates = [r for skill in skills if (r := rate(exam, skill)) is not None]
    return sum(rates) / len(rates) if rates else None


def gain(before: Exam, after: Exam, skills: Sequence[str]) -> Interval:
    """95 % interval of the paired difference; skills have equally many items, so pooled is macro."""
    shared = [f for f in flips(before, after) if f.skill in skills]
    return paired_interval(sum(f.gained for f in shared), sum(f.lost for f in shared), sum(f.items for f in shared))


def ends(exams: Sequence[Exam], promotions: Sequence[Promotion]) -> tuple[Exam, Exam] | None:
    """Exams on select of the first student and of the one promoted last; None before the first exam."""
    own = [e for e in exams if e.split == "select"]
    if not own:
        return None
    student = next((p.candidate for p in reversed(promotions) if p.promoted), own[0].student)
    return own[0], next((e for e in own if e.student == student), own[0])


def moved(exams: Sequence[Exam], decision: Promotion, skill: str) -> Flips | None:
    """Compare candidate and incumbent of a decision on one skill, on the items the decision was made on."""
    before, after = (_sat(exams, student, skill) for student in (decision.incumbent, decision.candidate))
    if before is None or after is None:
        return None
    return next((f for f in flips(before, after) if f.skill == skill), None)


def _sat(exams: Sequence[Exam], student: str, skill: str) -> Exam | None:
    """The exam a student was judged by: select for what is taught, guard for what is guarded, never the sealed one."""
    return next(
        (e for e in exams if e.student == student and e.split in ("select", "guard") and skill in e.scores), None
    )
