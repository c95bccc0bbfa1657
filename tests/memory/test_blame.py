from contextlib import closing
from pathlib import Path

import pytest

from evolvent.memory.blame import blame
from evolvent.memory.errors import UsageError
from evolvent.memory.ledger import Ledger

from .runs import SKILLS, make_run, story


def test_a_skill_is_followed_from_what_was_taught_to_what_its_exam_did(tmp_path: Path) -> None:
    with closing(Ledger(make_run(tmp_path, story()) / "ledger.sqlite")) as ledger:
        (move,) = blame(ledger, "carry", SKILLS)
    assert move.flips is not None
    assert (move.flips.gained, move.flips.lost) == (3, 1)
    assert [(t.samples, t.weakness is not None) for t in move.taught] == [(1, True)]
    assert move.others == 0


def test_samples_of_other_skills_are_counted_apart(tmp_path: Path) -> None:
    with closing(Ledger(make_run(tmp_path, story()) / "ledger.sqlite")) as ledger:
        (move,) = blame(ledger, "plain", SKILLS)
    assert (move.taught, move.others) == ((), 1)


def test_an_unknown_skill_is_refused_with_the_nearest_known_one(tmp_path: Path) -> None:
    with (
        closing(Ledger(make_run(tmp_path, []) / "ledger.sqlite")) as ledger,
        pytest.raises(UsageError, match="did you mean 'carry'"),
    ):
        blame(ledger, "cary", SKILLS)
