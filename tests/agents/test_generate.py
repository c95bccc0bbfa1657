import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from evolvent.agents.desk import Desk
from evolvent.agents.nodes.curate import Curation
from evolvent.agents.nodes.generate import Generation
from evolvent.agents.nodes.review import Approval
from evolvent.memory.records import Fate, Sample, Share

from .desks import make_desk
from .test_graph import make_state


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = make_desk(tmp_path, review=True)
    yield made
    made.close()


def allot(desk: Desk, round: int, **samples: int) -> None:
    """Record shares of a round; the same skill may have one for its floor and one for replay."""
    shares = [
        Share(round=round, skill=name.removesuffix("_again"), weakness=None, samples=count, reason=name)
        for name, count in samples.items()
    ]
    desk.ledger.intend(f"allocate {round}", "allocate", round)
    desk.ledger.commit(f"allocate {round}", {}, shares, 0.0, meta={})


async def run(desk: Desk, round: int) -> list[Sample]:
    await Generation().run(make_state(round=round), desk)
    await Curation().run(make_state(round=round), desk)
    return desk.ledger.read(Sample, round=round)


async def test_two_shares_of_one_skill_get_different_tasks(desk: Desk) -> None:
    allot(desk, 1, subtract=20, subtract_again=30)
    assert len({sample.task.key for sample in await run(desk, 1)}) == 50


async def test_a_round_writes_tasks_that_no_round_before_it_kept(desk: Desk) -> None:
    allot(desk, 1, subtract=200)
    allot(desk, 2, subtract=200)
    first, second = await run(desk, 1), await run(desk, 2)
    assert not {s.task.key for s in first} & {s.task.key for s in second}
    assert all(fate.kept for fate in desk.ledger.read(Fate))


async def test_what_a_person_refused_may_be_written_again(desk: Desk) -> None:
    allot(desk, 1, subtract=20)
    refused = await run(desk, 1)
    path = desk.path("review/round-001.json")
    path.parent.mkdir()
    path.write_text(json.dumps({"approved": False}))
    await Approval().run(make_state(round=1), desk)
    assert all(desk.duplicates.find(sample) is None for sample in refused)
