"""What two students said to the same item, side by side, letter by letter."""

from typing import NamedTuple

from ..exams import segment
from ..ledger import Ledger
from ..records import Exam, Task
from ..said import Said
from .difference import Sides, compare

UNKNOWN = '<span class="none">not kept</span>'
RIGHT = '<span class="yes">right</span>'


class Answered(NamedTuple):
    """Two exams of one split, and what was wrong in them."""

    before: Exam
    after: Exam
    wrong: dict[str, Said]
    """By exam."""

    @classmethod
    def read(cls, ledger: Ledger, before: Exam, after: Exam) -> "Answered":
        """Look up what was said."""
        return cls(before, after, {said.exam: said for said in ledger.read(Said)})

    @property
    def known(self) -> bool:
        """Whether anything was kept."""
        return any(exam.id in self.wrong for exam in (self.before, self.after))

    def sides(self, task: Task, place: int) -> Sides:
        """Both answers as HTML, with what differs marked.

        Args:
            task: the item.
            place: which one of its skill it is, from 0.
        """
        left, right = (self._said(exam, task, place) for exam in (self.before, self.after))
        shown = compare(left or "", right or "")
        return Sides(*(html if text is not None else self._mark(exam, task, place) for html, text, exam in zip(
            shown, (left, right), (self.before, self.after), strict=True
        )))  # fmt: skip

    def _said(self, exam: Exam, task: Task, place: int) -> str | None:
        """An answer; None where nobody knows it."""
        if self._right(exam, task, place):
            return task.answer if any(said.exact for said in self.wrong.values()) else None
        said = self.wrong.get(exam.id)
        return said.answers.get(str(_start(exam, task.skill) + place + 1)) if said else None

    def _mark(self, exam: Exam, task: Task, place: int) -> str:
        return RIGHT if self._right(exam, task, place) else UNKNOWN

    def _right(self, exam: Exam, task: Task, place: int) -> bool:
        return segment(exam, task.skill)[place : place + 1] == "1"


def _start(exam: Exam, skill: str) -> int:
    """Items before the first one of a skill."""
    return sum(score.tried for name, score in exam.scores.items() if name < skill)
