import re
from contextlib import closing
from pathlib import Path

import pytest

from evolvent.memory.ledger import Ledger
from evolvent.memory.records import Attempt, Record, Sample, Weakness
from evolvent.memory.viewer import map

from ..runs import make_attempt, make_run, story
from .visits import assert_ours, visit


def make_mapped(folder: Path, records: list[Record], *, name: str = "then_mini_0001") -> Path:
    """A run of these records with every failure and sample on its map."""
    run = make_run(folder, records, name=name)
    told = [r for r in records if isinstance(r, Attempt | Sample)]
    points = [
        ["failure" if isinstance(r, Attempt) else "sample", r.id, r.task.skill,
         r.weakness or "" if isinstance(r, Sample) else "", i / 10, (i * i % 7) / 10]
        for i, r in enumerate(told)
    ]  # fmt: skip
    with closing(Ledger(run / "ledger.sqlite")) as ledger:
        ledger.intend("reflect", "reflect", 1)
        ledger.commit("reflect", {"remembered": len(points), "map": {"points": points}}, [], 0.1, meta={})
    return run


def page_of(folder: Path, records: list[Record]) -> str:
    weakness = next(r for r in records if isinstance(r, Weakness))
    return visit(folder).get(f"/runs/then_mini_0001/weaknesses/{weakness.id}").text


def test_a_weakness_is_shown_among_what_lies_near_it(tmp_path: Path) -> None:
    records = [*story(), make_attempt("999+1")]
    make_mapped(tmp_path, records)
    html = page_of(tmp_path, records)
    seen = assert_ours(html)
    assert html.count('<path class="failure own"') == 1
    assert html.count('<path class="failure"') == 1
    assert html.count('<path class="sample own"') == 2
    assert all(f"/records/{r.id}" in str(seen.links) for r in records if isinstance(r, Attempt))
    assert "999+1 → 32" in seen.text


def test_one_point_of_a_map_is_in_the_order_of_tabs(tmp_path: Path) -> None:
    make_mapped(tmp_path, story())
    assert sorted(re.findall(r'tabindex="(-?\d)"><svg', page_of(tmp_path, story()))) == ["-1", "-1", "0"]


def test_a_map_draws_so_many_points_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(map, "OTHERS", 4)
    monkeypatch.setattr(map, "OWN", 2)
    records = [*story(), *(make_attempt(f"{i}+1") for i in range(30))]
    make_mapped(tmp_path, records)
    assert page_of(tmp_path, records).count("<path") == 6


def test_a_run_that_placed_nothing_has_no_map(tmp_path: Path) -> None:
    make_run(tmp_path, story())
    assert "Near it in memory" not in page_of(tmp_path, story())
