from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from evolvent.agents import mapping
from evolvent.agents.mapping import mapped
from evolvent.memory.embedders.hashing import Hashing
from evolvent.memory.ledger import Ledger
from evolvent.memory.records import Record

from ..memory.runs import make_attempt, make_sample, make_weakness

EMBEDDER = Hashing(size=32)


def taught(round: int, count: int = 12) -> list[Record]:
    failures = [make_attempt(f"{i}+{7 * i * round}", round=round) for i in range(count)]
    weakness = make_weakness(failures[0], text=f"fails in round {round}")
    return [*failures, weakness, *(make_sample(f"{i}+{i}", weakness=weakness, round=round) for i in range(count))]


def place(folder: Path, *rounds: int, count: int = 12) -> list[dict[str, Any]]:
    """Maps of rounds, one after the other, as reflecting leaves them."""
    Ledger.create(folder / "ledger.sqlite")
    found: list[dict[str, Any]] = []
    with closing(Ledger(folder / "ledger.sqlite")) as ledger:
        for round in rounds:
            ledger.intend(f"data {round}", "generate", round)
            ledger.commit(f"data {round}", {}, taught(round, count), 0.0, meta={})
            ledger.intend(f"map {round}", "reflect", round)
            found.append(mapped(ledger, EMBEDDER, round))
            ledger.commit(f"map {round}", {"map": found[-1]}, [], 0.0, meta={})
    return found


def test_failures_and_samples_of_a_round_are_placed(tmp_path: Path) -> None:
    (found,) = place(tmp_path, 1)
    assert {point[0] for point in found["points"]} == {"failure", "sample"}
    assert len({point[1] for point in found["points"]}) == len(found["points"]) == 24


def test_the_plane_of_the_first_round_serves_all_later_ones(tmp_path: Path) -> None:
    first, second, third = place(tmp_path, 1, 2, 3)
    assert ["plane" in found for found in (first, second, third)] == [True, False, False]
    assert second["points"] != first["points"]


def test_what_a_round_places_is_bounded_and_holds_what_a_weakness_was_read_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mapping, "MOST", 5)
    (found,) = place(tmp_path, 1, count=30)
    kinds = [point[0] for point in found["points"]]
    assert (kinds.count("failure"), kinds.count("sample")) == (5, 5)
    assert make_attempt("0+0").id in {point[1] for point in found["points"]}


def test_a_round_without_enough_to_place_has_no_map(tmp_path: Path) -> None:
    assert place(tmp_path, 1, count=2) == [{}]
