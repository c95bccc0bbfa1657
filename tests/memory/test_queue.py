from contextlib import closing
from pathlib import Path

import pytest

from evolvent.memory.ledger import Ledger
from evolvent.memory.queue import Entry, pending, queue
from evolvent.memory.records import Critique, Record, Sample

from .runs import make_sample
from .waiting import make_debate, make_records


def ranked(folder: Path, records: list[Record]) -> list[Entry]:
    path = folder / "ledger.sqlite"
    Ledger.create(path)
    with closing(Ledger(path)) as ledger:
        ledger.intend("key", "curate", 1)
        ledger.commit("key", {}, records, 0.0, meta={})
        return queue(ledger, 1)


def ids(entries: list[Entry]) -> list[str]:
    return [entry.sample.id for entry in entries]


def test_a_sample_that_judges_disagreed_on_comes_first(tmp_path: Path) -> None:
    samples = [make_sample(f"{i}+{i}") for i in range(6)]
    argued = make_debate(samples[4], "bad", "perfect", "bad")
    found = ranked(tmp_path, make_records(samples, argued))
    assert ids(found)[0] == samples[4].id
    assert found[0].chance < min(entry.chance for entry in found[1:])


def test_a_skill_whose_candidates_were_mostly_refused_is_asked_about_first(tmp_path: Path) -> None:
    doubtful, sound = make_sample("7+7", skill="carry"), make_sample("7+8", skill="plain")
    refused = [make_sample(f"{i}+9", skill="carry") for i in range(5)]
    critiques = [Critique(sample=s.id, round=1, judge="exact", accepted=False, reason="wrong") for s in refused]
    found = ranked(tmp_path, [*make_records([doubtful, sound]), *refused, *critiques])
    assert ids(found) == [doubtful.id, sound.id]


def test_of_two_samples_that_say_the_same_one_waits_behind_what_is_new(tmp_path: Path) -> None:
    twins = [make_sample("how many apples are in both baskets"), make_sample("how many apples are in both  baskets")]
    other = make_sample("which of the two trains arrives first")
    order = ids(ranked(tmp_path, make_records([*twins, other])))
    assert order[1] == other.id
    assert {order[0], order[2]} == {twin.id for twin in twins}


def test_what_nothing_else_is_like_comes_after_what_speaks_for_many(tmp_path: Path) -> None:
    many = [make_sample(f"how many apples are in basket {i}") for i in range(8)]
    alone = make_sample("zyx")
    first = ranked(tmp_path, make_records([*many, alone]))[0]
    assert first.sample.id != alone.id


def test_the_order_depends_on_nothing_but_what_is_recorded(tmp_path: Path) -> None:
    samples = [make_sample(f"{i} and {i * i}") for i in range(30)]
    orders: list[list[str]] = []
    for name, given in (("a", samples), ("b", samples[::-1])):
        (tmp_path / name).mkdir()
        orders.append(ids(ranked(tmp_path / name, make_records(given))))
    assert orders[0] == orders[1]
    assert sorted(orders[0]) == sorted(s.id for s in samples)


def test_all_samples_are_ranked_also_behind_the_front(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evolvent.memory.queue.FRONT", 3)
    samples = [make_sample(f"{i}+{i}") for i in range(9)]
    found = ranked(tmp_path, make_records(samples))
    assert sorted(ids(found)) == sorted(s.id for s in samples)
    assert [e.information for e in found[3:]] == sorted((e.information for e in found[3:]), reverse=True)


def test_a_round_is_pending_from_curation_until_its_review_is_recorded(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    Ledger.create(path)
    with closing(Ledger(path)) as ledger:
        seen = [pending(ledger)]
        for name in ("curate", "review"):
            ledger.intend(name, name, 2)
            ledger.commit(name, {}, list[Sample](), 0.0, meta={})
            seen.append(pending(ledger))
    assert seen == [None, 2, None]
