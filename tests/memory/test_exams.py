from evolvent.memory.exams import ends, flips, gain, macro, moved
from evolvent.memory.records import Exam, Score

from .runs import make_exam, make_promotion


def make_both(student: str, passed: str) -> Exam:
    half = len(passed) // 2
    scores = {s: Score(passed=p.count("1"), tried=half) for s, p in (("add", passed[:half]), ("sub", passed[half:]))}
    return Exam(round=0, student=student, arm="targeted", split="select", scores=scores, passed=passed)


def test_flips_are_told_apart_by_skill() -> None:
    add, sub = flips(make_both("a", "00111111"), make_both("b", "11101100"))
    assert (add.gained, add.lost, add.items, add.change) == (2, 1, 4, 0.25)
    assert (sub.gained, sub.lost, sub.change) == (0, 2, -0.5)


def test_exams_of_different_size_are_not_compared() -> None:
    assert flips(make_exam("a", 0, carry="01"), make_exam("b", 1, carry="011")) == []


def test_the_macro_score_is_the_mean_over_the_skills_asked_for() -> None:
    exam = make_both("a", "00111111")
    assert macro(exam, ["add", "sub"]) == 0.75
    assert macro(exam, ["mul"]) is None
    low, high = gain(exam, exam, ["add", "sub"])
    assert low < 0 < high


def test_a_session_begins_with_the_first_student_and_ends_with_the_one_promoted_last() -> None:
    exams = [
        make_exam("base", 0, carry="00"),
        make_exam("student-1", 1, carry="11"),
        make_exam("student-2", 2, carry="01"),
    ]
    decisions = [make_promotion(1, incumbent="base"), make_promotion(2, incumbent="student-1", promoted=False)]
    assert ends(exams, decisions) == (exams[0], exams[1])
    assert ends([], []) is None


def test_the_sealed_exam_does_not_say_what_a_round_moved() -> None:
    exams = [make_exam("base", 0, carry="00", split="report"), make_exam("student-1", 1, carry="11", split="report")]
    assert moved(exams, make_promotion(1, incumbent="base"), "carry") is None
