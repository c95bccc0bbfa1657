"""Scenarios of a few hundred tasks, with every default untouched."""

import json
from collections import Counter
from pathlib import Path

import pytest

from evolvent.agents.planning import plan
from evolvent.memory.errors import ScenarioError
from evolvent.memory.ledger import Ledger
from evolvent.memory.records import Attempt

from ..killing import session

STUDENT = "[student]\nhidden = 16\nheads = 2\nlayers = 1\n"


def write_scenario(folder: Path, *, tasks: int) -> Path:
    """A skill to teach and a guard with this many tasks each; every setting but the student's size is a default."""
    rows = [
        {"prompt": f"{sign}{n}", "answer": str(abs(times * n) % 7), "skill": skill}
        for skill, sign, times in (("plus", "+", 2), ("minus", "-", -3))
        for n in range(tasks)
    ]
    (folder / "tasks.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    path = folder / "small.toml"
    source = '[source]\nname = "file"\npath = "tasks.jsonl"\nprocedural = true\n'
    path.write_text(f'name = "small"\n{source}{STUDENT}[skills.plus]\n[skills.minus]\nguard = true\n')
    return path


def test_forty_tasks_are_refused_in_one_message_that_says_how_many_would_do(tmp_path: Path) -> None:
    path = write_scenario(tmp_path, tasks=40)
    with pytest.raises(ScenarioError) as error:
        plan(path, [], seed=0, limit=None, allow_import=False)
    said = str(error.value)
    assert said.count("small.toml: ") == 1
    assert said.count("widen the skill to ") == said.count("skills.") == 2
    enough = int(said.partition("widen the skill to ")[2].split()[0])
    assert plan(write_scenario(tmp_path, tasks=enough), [], seed=0, limit=None, allow_import=False).scenario


@pytest.mark.slow
def test_four_hundred_tasks_run_to_the_end(tmp_path: Path) -> None:
    ended = session("run", write_scenario(tmp_path, tasks=400), "--json", folder=tmp_path)
    assert ended.code == 0, ended.said
    assert ended.events[-1]["status"] == "finished"
    run = Path(ended.events[0]["dir"])
    sizes = json.loads((run / "scenario.resolved.json").read_text())["scenario"]["splits"]
    assert 30 <= sizes["select"] < 300
    assert session("resume", run, "--json", folder=tmp_path).events == ended.events[-1:]
    ledger = Ledger(run / "ledger.sqlite", read_only=True)
    asked = Counter((a.round, a.task.key) for a in ledger.read(Attempt))
    ledger.close()
    assert max(asked.values()) == 1
