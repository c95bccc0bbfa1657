"""Whole sessions with every allocator, and with the teacher that picks from what is there."""

import json
from pathlib import Path
from typing import TypeVar

import pytest

from evolvent.memory.ledger import Ledger
from evolvent.memory.parts import known
from evolvent.memory.records import Record, Sample, Share
from evolvent.scenarios.loader import load
from evolvent.scenarios.sources.arithmetic import Arithmetic
from evolvent.scenarios.splits import Splits

from ..killing import MINI, session

R = TypeVar("R", bound=Record)
SHORT = ("rounds.most=1", "rounds.samples=90")


def run(folder: Path, kind: type[R], *settings: str) -> list[R]:
    """Run a mini session of one round with some settings; give its records of one kind."""
    ended = session("run", MINI, "--json", *(w for one in (*SHORT, *settings) for w in ("--set", one)), folder=folder)
    assert ended.code == 0, ended.said
    ledger = Ledger(Path(ended.events[0]["dir"]) / "ledger.sqlite", read_only=True)
    records = ledger.read(kind)
    ledger.close()
    return records


@pytest.mark.slow
@pytest.mark.parametrize("name", known("evolvent.agents.allocators"))
def test_a_session_allocates_by_whichever_allocator_it_names(name: str, tmp_path: Path) -> None:
    given = run(tmp_path, Share, f"allocator={name}")
    by_skill = {s: sum(x.samples for x in given if x.skill == s) for s in ("add-carry", "coin")}
    assert 0 < sum(by_skill.values()) <= 90
    if name == "pool":
        # of all tasks there are 382,500 with a carry (of pairs in one order) and 9,000 coins
        assert by_skill["coin"] < 0.05 * by_skill["add-carry"]


@pytest.mark.slow
@pytest.mark.parametrize("owned", [True, False])
def test_a_session_learns_from_tasks_that_are_there_already(owned: bool, tmp_path: Path) -> None:
    splits = Splits(load(MINI), Arithmetic(), seed=5)
    own = [t for skill in ("add-carry", "coin") for t in splits.draw(skill, "train", 300, stream="mine")]
    # what the user has holds exam items as well, and some of it is written down twice
    own += [t for skill in ("add-carry", "coin") for t in splits.draw(skill, "exam", 50, stream="mine")] + own[:20]
    path = tmp_path / "mine.jsonl"
    path.write_text("".join(json.dumps({"prompt": t.prompt, "answer": t.answer, "skill": t.skill}) + "\n" for t in own))
    teacher = ["teacher={name='pool'}", f"teacher.tasks={path}"] if owned else ["teacher={name='pool'}"]
    samples = [s for s in run(tmp_path, Sample, *teacher) if s.arm == "targeted"]
    assert {s.teacher for s in samples} == {"pool"}
    assert len(samples) > 50
    if owned:
        # replay of guards comes from the source, since the file has nothing of them
        assert {s.task.key for s in samples if s.task.skill != "add-plain"} <= {t.key for t in own[:600]}
