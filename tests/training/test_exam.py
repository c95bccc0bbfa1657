import asyncio
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
from pydantic import ValidationError

from evolvent.memory.errors import EvolventError
from evolvent.memory.inference import Completion, Request
from evolvent.memory.records import Exam, Task, Verdict
from evolvent.memory.talk import Question
from evolvent.scenarios.verifier import Verifier
from evolvent.training.engines.scripted import Scripted
from evolvent.training.engines.transformers import Transformers
from evolvent.training.exam import KEPT, canary, examine, pick, sit

from ..scenarios.builders import make_verifier
from .students import make_tasks, train


def make_exam(*marks: float) -> Exam:
    """An exam whose students scored this, item by item."""
    tasks = [task.model_copy(update={"answer": str(mark)}) for task, mark in zip(make_tasks(8), marks, strict=True)]
    return asyncio.run(examine(Silent(), tasks, Reading(), split="select", round=1, arm="targeted", longest=8)).exam


class Silent:
    """Says nothing, so that `Reading` decides."""

    student = "silent"
    forced = True
    paid = False

    async def answer(self, requests: Sequence[Request]) -> list[Completion]:
        return [Completion("", 0, complete=True) for _ in requests]

    async def agrees(self, pairs: Sequence[tuple[Question, str]]) -> list[bool]:
        return [False for _ in pairs]

    def close(self) -> None:
        pass


class Reading(Verifier):
    """Gives the score that stands in the reference."""

    def judge(self, task: Task, answer: str) -> Verdict:
        return Verdict(score=float(task.answer))


def test_scores_count_by_skill() -> None:
    exam = make_exam(1, 1, 1, 0, 1, 0, 0, 0)
    assert (exam.scores["easy"].passed, exam.scores["hard"].passed) == (3, 1)
    assert pick(exam, make_tasks(8), "hard") == [1, 0, 0, 0]


def test_an_exam_without_graded_answers_holds_nothing_but_right_and_wrong() -> None:
    exam = make_exam(1, 1, 1, 0, 1, 0, 0, 0)
    assert exam.passed == "11101000"
    assert set(exam.model_dump()) == {"round", "student", "arm", "split", "scores", "passed"}
    assert exam.model_dump()["scores"]["easy"] == {"passed": 3, "tried": 4}
    assert exam.id == "474917a2ece19ff0"


def test_graded_answers_keep_their_scores_to_the_last_digit() -> None:
    marks = (1, 2 / 3, 0, 0.1, 1, 0, 0, 1)
    exam = Exam.read(make_exam(*marks).model_dump_json())
    assert (exam.passed, exam.partial) == ("1~0~1001", (2 / 3, 0.1))
    assert exam.marks == marks
    assert exam.scores["easy"].rate == pytest.approx((1 + 2 / 3 + 0.1) / 4)
    assert (exam.scores["hard"].total, exam.scores["hard"].rate) == (None, 0.5)


def test_an_exam_whose_partial_scores_do_not_fit_is_refused() -> None:
    with pytest.raises(ValidationError, match="2 items are marked '~' and 1 partial scores are given"):
        Exam(round=1, student="s", arm="targeted", split="select", scores={}, passed="1~~", partial=(0.5,))


def test_an_exam_says_who_was_asked_what() -> None:
    engine, verifier = Scripted(fails="1").open(Path()), make_verifier("exact")
    exam = asyncio.run(examine(engine, [], verifier, split="guard", round=2, arm="control", longest=8)).exam
    assert (exam.student, exam.split, exam.round, exam.passed) == (engine.student, "guard", 2, "")


@pytest.mark.slow
def test_teacher_forcing_passes_exactly_what_generation_passes(tmp_path: Path) -> None:
    train(tmp_path, steps=200, tasks=make_tasks(400))
    tasks = make_tasks(300, part="report")
    engine = Transformers().open(tmp_path / "model")
    forced = asyncio.run(sit(engine, tasks, make_verifier("exact"), longest=16))
    generated = asyncio.run(sit(engine, tasks, make_verifier("numeric"), longest=16))
    assert forced == generated
    assert 0 < sum(forced) < len(tasks)


class TwoFaced:
    """Says one thing and holds another most likely, as a server with two sets of weights does."""

    student = "two-faced"
    forced = True
    paid = False

    async def answer(self, requests: Sequence[Request]) -> list[Completion]:
        return [Completion("1", 1, complete=True) for _ in requests]

    async def agrees(self, pairs: Sequence[tuple[Question, str]]) -> list[bool]:
        return [False for _ in pairs]

    def close(self) -> None:
        pass


def test_an_engine_whose_answers_do_not_stand_is_not_examined() -> None:
    with pytest.raises(EvolventError, match="canary: two-faced answers '1\\+1' with '1'"):
        asyncio.run(canary(TwoFaced(), ["1+1"], longest=4))
    asyncio.run(canary(Scripted().open(Path()), ["1+1", "what?"], longest=4))


def test_what_a_student_got_wrong_is_kept_as_it_said_it() -> None:
    tasks = make_tasks(4)
    engine = Scripted(fails=re.escape(tasks[2].prompt)).open(Path())
    for name in ("exact", "numeric"):
        sat = asyncio.run(
            examine(engine, tasks, make_verifier(name), split="select", round=1, arm="targeted", longest=8)
        )
        assert sat.exam.passed == "1101"
        assert sat.said is not None
        assert sat.said.exam == sat.exam.id
        assert sat.said.exact == (name == "exact")
        said = asyncio.run(engine.answer([Request(tasks[2].prompt, 8)]))[0]
        assert sat.said.answers == {"3": said.text}


def test_only_the_first_wrong_answers_of_a_skill_are_kept_and_none_that_would_cost_money() -> None:
    tasks = [task.model_copy(update={"skill": "one"}) for task in make_tasks(KEPT + 20)]
    examined = partial(examine, tasks=tasks, verifier=make_verifier("exact"), split="select", round=1, arm="targeted")
    sat = asyncio.run(examined(Silent(), longest=8))
    assert sat.said is not None
    assert list(sat.said.answers) == [str(i + 1) for i in range(KEPT)]
    dear = Silent()
    dear.paid = True
    assert asyncio.run(examined(dear, longest=8)).said is None
