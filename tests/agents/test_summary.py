from collections.abc import Sequence
from pathlib import Path

import pytest

from evolvent.agents.reports.closing import closing
from evolvent.agents.reports.summary import Json, summarize
from evolvent.memory.effects import Outcome
from evolvent.memory.records import Exam, Task
from evolvent.training.exam import score

from .desks import make_desk


def make_exam(name: str, *marks: float) -> Exam:
    """An exam of ten items of each target skill, of which the first ones scored this."""
    whole = [*marks, *[0.0] * (20 - len(marks))]
    tasks = [Task(skill=s, prompt="", answer="", key=f"{s}{i}") for s in ("multiply", "subtract") for i in range(10)]
    between: Sequence[float] = [mark for mark in whole if 0 < mark < 1]
    return Exam(
        round=0 if name == "base" else 1,
        student=name,
        arm="targeted",
        split="select",
        scores=score(tasks, whole),
        passed="".join("~" if mark in between else str(int(mark)) for mark in whole),
        partial=tuple(between),
    )


async def summarized(folder: Path, *exams: Exam) -> Json:
    desk = make_desk(folder)

    async def work() -> Outcome:
        return Outcome({}, list(exams))

    await desk.effects.once("exams", 0, work, inputs={})
    session = desk.session.model_copy(update={"settings": {"file": "small.toml", "overrides": []}})
    found = summarize(desk.ledger, desk.scenario, session, run="r", directory="d", status="finished")
    desk.close()
    return found


async def test_graded_skills_are_summed_up_by_means_with_bootstrap_intervals(tmp_path: Path) -> None:
    found = await summarized(tmp_path, make_exam("base", 1, 0.5, 0.25))
    first = found["curve"][0]["skills"]
    assert first["multiply"]["rate"] == pytest.approx(0.175)
    assert first["multiply"]["graded"]
    assert first["multiply"]["low"] < 0.175 < first["multiply"]["high"]
    assert "graded" not in first["subtract"]
    assert found["select"]["test"] == "bootstrap"
    assert "(mean scores, bootstrap interval)" in closing({**found, "weaknesses": [], "guards": {}})


async def test_skills_without_graded_answers_keep_their_pass_rates(tmp_path: Path) -> None:
    found = await summarized(tmp_path, make_exam("base", 1, 1))
    assert found["select"]["test"] == "mcnemar"
    assert found["curve"][0]["skills"]["multiply"]["rate"] == 0.2
    assert "bootstrap" not in closing({**found, "weaknesses": [], "guards": {}})
