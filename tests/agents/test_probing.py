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
    drawn = aimed_tasks(weakness, 1, desk, asked=set())
    again = aimed_tasks(weakness, 1, desk, asked={task.key for task in drawn[:skip]})
    desk.close()
    return drawn, again


@pytest.mark.parametrize("settings", [{**FEW, "carries": [0, 0]}, MANY], ids=["few tasks", "many tasks"])
def test_no_task_is_aimed_at_twice_and_fresh_ones_take_its_place(tmp_path: Path, settings: dict[str, Any]) -> None:
    drawn, again = aimed(tmp_path, settings, skip=10)
    assert len(again) == len(drawn) == 16
    assert again[:6] == drawn[10:]
    assert not {task.key for task in drawn[:10]} & {task.key for task in again}
