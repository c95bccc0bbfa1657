"""What two students said to an item stands side by side."""

from typing import Any

from evolvent.memory.records import Exam, Score, Task
from evolvent.memory.said import Said
from evolvent.memory.viewer.answered import RIGHT, UNKNOWN, Answered


def make_exam(passed: str, **changes: Any) -> Exam:
    """Two items of skill `a`, the rest of skill `b`."""
    own = {"a": passed[:2], "b": passed[2:]}
    scores = {skill: Score(passed=marks.count("1"), tried=len(marks)) for skill, marks in own.items()}
    values: dict[str, Any] = {
        "round": 1,
        "student": passed,
        "arm": "targeted",
        "split": "select",
        "scores": scores,
        "passed": passed,
    }
    return Exam(**{**values, **changes})


def make_answered(first: str, second: str, /, *, exact: bool = True, **said: dict[str, str]) -> Answered:
    exams = {"before": make_exam(first), "after": make_exam(second)}
    kept = [Said(round=1, exam=exams[name].id, exact=exact, answers=answers) for name, answers in said.items()]
    return Answered(exams["before"], exams["after"], {each.exam: each for each in kept})


TASK = Task(skill="b", prompt="7+8", answer="15", key="7+8")


def test_the_wrong_answer_is_marked_against_the_right_one_letter_by_letter() -> None:
    answered = make_answered("1111", "1110", after={"4": "14"})
    assert answered.sides(TASK, 1) == ("<code>1<del>5</del></code>", "<code>1<ins>4</ins></code>")


def test_items_are_counted_over_all_skills_of_the_exam() -> None:
    answered = make_answered("0000", "1101", before={"1": "x", "4": "13"})
    assert "3" in answered.sides(TASK, 1).left
    assert answered.sides(TASK.model_copy(update={"skill": "a"}), 0).left.startswith("<code><del>x")


def test_a_right_answer_that_may_have_been_spelled_otherwise_is_only_called_right() -> None:
    answered = make_answered("1111", "1110", exact=False, after={"4": "14"})
    assert answered.sides(TASK, 1) == (RIGHT, "<code>14</code>")


def test_what_was_not_kept_is_said_to_be_missing() -> None:
    answered = make_answered("1110", "1111", after={})
    assert answered.sides(TASK, 1).left == UNKNOWN


def test_markup_in_an_answer_stays_text() -> None:
    answered = make_answered("1111", "1110", after={"4": "<script>"})
    assert "<script>" not in answered.sides(TASK, 1).right
