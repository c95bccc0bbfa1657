"""A scenario's methods choose among the candidates that pass the rules, within the budget."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evolvent.agents.desk import Desk
from evolvent.agents.nodes.curate import Curation
from evolvent.agents.nodes.generate import Generation
from evolvent.agents.parts import Parts
from evolvent.memory.errors import EvolventError
from evolvent.memory.lineage import kept
from evolvent.memory.records import Fate, Sample, Share

from .desks import make_desk, make_scenario
from .test_graph import make_state

CHOOSING = {"candidates": 3, "scorer": "length"}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = make_desk(tmp_path, curation=CHOOSING)
    yield made
    made.close()


async def curated(desk: Desk, *, round: int = 1, **samples: int) -> list[Fate]:
    shares = [Share(round=round, skill=s, weakness=None, samples=n, reason=s) for s, n in samples.items()]
    desk.ledger.intend(f"allocate {round}", "allocate", round)
    desk.ledger.commit(f"allocate {round}", {}, shares, 0.0, meta={})
    await Generation().run(make_state(round=round), desk)
    await Curation().run(make_state(round=round), desk)
    return desk.ledger.read(Fate, round=round)


async def test_every_skill_keeps_as_many_as_were_asked_for_of_three_times_as_many(desk: Desk) -> None:
    fates = await curated(desk, subtract=20, multiply=10)
    samples = {s.id: s for s in desk.ledger.read(Sample)}
    assert len(fates) == 90
    assert [sum(f.kept and samples[f.sample].task.skill == s for f in fates) for s in ("subtract", "multiply")] == [
        20,
        10,
    ]


async def test_the_best_by_score_are_kept_and_the_others_say_why(desk: Desk) -> None:
    fates = await curated(desk, subtract=20)
    samples = {s.id: s for s in desk.ledger.read(Sample)}
    assert all(fate.score == len(samples[fate.sample].completion) for fate in fates)
    lost = [fate for fate in fates if not fate.kept]
    assert {fate.reason for fate in lost} == {"selection: top chose others"}
    assert max(f.score or 0 for f in lost) <= min(f.score or 0 for f in fates if f.kept)
    assert {s.id for s in kept(desk.ledger)} == {f.sample for f in fates if f.kept}


async def test_what_was_not_chosen_may_be_written_again(desk: Desk) -> None:
    lost = [f.sample for f in await curated(desk, subtract=20) if not f.kept]
    samples = {s.id: s for s in desk.ledger.read(Sample)}
    assert all(desk.duplicates.find(samples[id]) is None for id in lost)


@pytest.mark.parametrize(
    ("curation", "said"),
    [
        ({"candidates": 2}, "name a scorer or a selector"),
        ({"scorer": "length"}, "would decide nothing"),
        ({"selector": "top", "candidates": 2}, "goes by scores; name a scorer"),
        ({"selector": "random", "scorer": "length", "candidates": 2}, "nobody reads the scores of 'length'"),
        ({"selector": "tpo", "candidates": 2}, "no selector called 'tpo'; .*did you mean 'top'"),
        ({"scorer": {"name": "length", "unit": "words"}, "candidates": 2}, "has no setting 'unit'"),
    ],
)
def test_methods_that_cannot_work_together_are_refused_with_the_way_out(curation: dict[str, Any], said: str) -> None:
    with pytest.raises(EvolventError, match=said):
        Parts.resolve(make_scenario(curation=curation), "small.toml")


def test_a_scenario_that_names_no_method_is_what_it_was() -> None:
    assert set(make_scenario().curation.model_dump(mode="json")) == {"near", "ngram", "replay"}
    assert "curators" not in Parts.resolve(make_scenario(), "small.toml").describe()
