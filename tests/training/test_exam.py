import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from evolvent.memory.errors import EvolventError
from evolvent.memory.inference import Completion, Request
from evolvent.memory.records import Exam
from evolvent.training.engines.scripted import Scripted
from evolvent.training.engines.transformers import Transformers
from evolvent.training.exam import canary, examine, pick, score, sit

from ..scenarios.builders import make_verifier
from .students import make_tasks, train


def make_exam(passed: str) -> Exam:
    scores = score(make_tasks(len(passed)), passed)
    return Exam(round=1, student="s", arm="targeted", split="select", scores=scores, passed=passed)


def test_scores_count_by_skill() -> None:
    exam = make_exam("1110" + "1000")
    assert (exam.scores["easy"].passed, exam.scores["hard"].passed) == (3, 1)
    assert pick(exam, make_tasks(8), "hard") == "1000"


def test_an_exam_says_who_was_asked_what() -> None:
    engine, verifier = Scripted(fails="1").open(Path()), make_verifier("exact")
    exam = asyncio.run(examine(engine, [], verifier, split="guard", round=2, arm="control", longest=8))
    assert (exam.student, exam.split, exam.round, exam.passed) == (engine.student, "guard", 2, "")


@pytest.mark.slow
def test_teacher_forcing_passes_exactly_what_generation_passes(tmp_path: Path) -> None:
    train(tmp_path, steps=200, tasks=make_tasks(400))
    tasks = make_tasks(300, part="report")
    engine = Transformers().open(tmp_path / "model")
    forced = asyncio.run(sit(engine, tasks, make_verifier("exact"), longest=16))
    generated = asyncio.run(sit(engine, tasks, make_verifier("numeric"), longest=16))
    assert forced == generated
    assert 0 < forced.count("1") < len(tasks)


class TwoFaced:
    """Says one thing and holds another most likely, as a server with two sets of weights does."""

    student = "two-faced"

    async def answer(self, requests: Sequence[Request]) -> list[Completion]:
        return [Completion("1", 1, complete=True) for _ in requests]

    async def agrees(self, pairs: Sequence[tuple[str, str]]) -> list[bool]:
        return [False for _ in pairs]

    def close(self) -> None:
        pass


def test_an_engine_whose_answers_do_not_stand_is_not_examined() -> None:
    with pytest.raises(EvolventError, match="canary: two-faced answers '1\\+1' with '1'"):
        asyncio.run(canary(TwoFaced(), ["1+1"], longest=4))
    asyncio.run(canary(Scripted().open(Path()), ["1+1", "what?"], longest=4))
