from pathlib import Path
from typing import Any

import pytest

from evolvent.agents.probing import aimed_tasks
from evolvent.memory.records import Task, Weakness

from .desks import make_desk

FEW: dict[str, Any] = {"operation": "add", "digits": 2}
MANY: dict[str, Any] = {"operation": "add", "digits": 3}


def aimed(folder: Path, settings: dict[str, Any], *, skip: int) -> tuple[list[Task], list[Task]]:
    """Tasks aimed at a whole skill, and those aimed at it once the first few were asked."""
    desk = make_desk(folder, skills={"add": {"task": settings}})
    weakness = Weakness(skill="add", hypothesis="all", rule=(), round=1, failures=(), p_value=1.0)
    drawn = aimed_tasks(weakness, 1, desk, asked=())
    again = aimed_tasks(weakness, 1, desk, asked=[task.key for task in drawn[:skip]])
    desk.close()
    return drawn, again


def test_a_small_skill_gives_fresh_tasks_for_those_that_were_asked(tmp_path: Path) -> None:
    drawn, again = aimed(tmp_path, {**FEW, "carries": [0, 0]}, skip=10)
    assert len(again) == len(drawn) == 16
    assert again[:6] == drawn[10:]
    assert not {task.key for task in drawn[:10]} & {task.key for task in again}


@pytest.mark.parametrize("skip", [0, 10])
def test_of_a_large_skill_the_same_tasks_are_drawn_less_those_that_were_asked(tmp_path: Path, skip: int) -> None:
    drawn, again = aimed(tmp_path, MANY, skip=skip)
    assert again == drawn[skip:]
