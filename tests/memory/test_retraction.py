from contextlib import closing
from pathlib import Path

import pytest

from evolvent.memory.errors import LedgerError
from evolvent.memory.ledger import Ledger
from evolvent.memory.lineage import kept, lineage
from evolvent.memory.records import Critique, Fate, Record, Round, Sample
from evolvent.memory.retraction import (
    Descent,
    Replacement,
    Retraction,
    Touched,
    current,
    due,
    refusals,
    retract,
    tainted,
    withdrawn,
)

from .runs import make_promotion, make_round, make_sample

ONE, TWO, LATE = make_sample("1+1"), make_sample("2+2"), make_sample("3+3", round=2)
CHILD = make_sample("1+2")
"""Made out of `ONE`."""
OTHER = make_sample("4+4").model_copy(update={"teacher": "llm"})


def accept(sample: Sample, judge: str) -> Critique:
    return Critique(sample=sample.id, round=sample.round, judge=judge, accepted=True, reason="")


def keep(sample: Sample) -> Fate:
    return Fate(sample=sample.id, round=sample.round, kept=True, reason="kept")


def made(number: int, *, start: str = "base") -> Round:
    return make_round(number).model_copy(update={"start": start})


def commit(ledger: Ledger, name: str, records: list[Record]) -> None:
    ledger.intend(name, name, 0)
    ledger.commit(name, {}, records, 0, meta={})


def note(ledger: Ledger, touched: Touched) -> Touched:
    commit(ledger, touched.retraction.id, [touched.retraction, *touched.withdrawals, *touched.taints])
    return touched


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """Two rounds from the first student; the second was promoted."""
    Ledger.create(tmp_path / "ledger.sqlite")
    ledger = Ledger(tmp_path / "ledger.sqlite")
    samples = [ONE, TWO, CHILD, OTHER, LATE]
    commit(ledger, "story", [
        *samples, *map(keep, samples), Descent(sample=CHILD.id, parent=ONE.id, round=1),
        accept(ONE, "exact"), accept(TWO, "exact"), accept(TWO, "panel"), accept(CHILD, "exact"),
        accept(OTHER, "panel"), accept(LATE, "exact"),
        made(1), make_promotion(1, incumbent="base", promoted=False),
        made(2), make_promotion(2, incumbent="base"),
    ])  # fmt: skip
    return ledger


def gone(touched: Touched) -> set[str]:
    return {w.sample for w in touched.withdrawals}


def test_a_sample_is_withdrawn_with_what_was_made_out_of_it(ledger: Ledger) -> None:
    touched = retract(ledger, "sample", ONE.id[:8], "wrong")
    assert gone(touched) == {ONE.id, CHILD.id}
    assert [(t.checkpoint, t.samples) for t in touched.taints] == [("student-1", 2), ("student-2", 2)]


def test_a_teacher_is_withdrawn_with_all_it_wrote(ledger: Ledger) -> None:
    assert gone(retract(ledger, "teacher", "llm", "")) == {OTHER.id}
    assert gone(retract(ledger, "teacher", "program", "")) == {ONE.id, TWO.id, CHILD.id, LATE.id}


def test_a_judge_is_withdrawn_with_what_nobody_else_accepted(ledger: Ledger) -> None:
    assert gone(retract(ledger, "judge", "exact", "")) == {ONE.id, CHILD.id, LATE.id}
    assert gone(retract(ledger, "judge", "panel", "")) == {OTHER.id}


def test_only_students_that_learned_from_it_are_tainted(ledger: Ledger) -> None:
    assert [t.checkpoint for t in retract(ledger, "sample", LATE.id, "").taints] == ["student-2"]


def test_a_student_that_went_on_from_a_tainted_one_is_tainted_as_well(ledger: Ledger) -> None:
    commit(ledger, "more", [made(3, start="student-2"), made(4)])
    ledger_rounds = {t.checkpoint: t.samples for t in retract(ledger, "sample", LATE.id, "").taints}
    assert ledger_rounds == {"student-2": 1, "student-3": 1, "student-4": 1}


@pytest.mark.parametrize(
    ("what", "name", "said"),
    [
        ("teacher", "progam", r"no teacher 'progam' in this session; did you mean 'program'\?; known: llm, program"),
        ("judge", "exect", "did you mean 'exact'"),
        ("sample", "ffff", "no sample 'ffff'"),
    ],
)
def test_what_is_not_there_is_refused(ledger: Ledger, what: str, name: str, said: str) -> None:
    with pytest.raises(LedgerError, match=said):
        retract(ledger, what, name, "")  # type: ignore[arg-type]


def test_rounds_that_were_trained_keep_their_data_and_later_ones_go_without(ledger: Ledger) -> None:
    note(ledger, retract(ledger, "sample", ONE.id, ""))
    assert {ONE.id, CHILD.id} < {s.id for s in kept(ledger, until=2)}
    assert not {ONE.id, CHILD.id} & {s.id for s in kept(ledger, until=3)}
    assert {s.id for s in kept(ledger)} == {TWO.id, OTHER.id, LATE.id}
    assert set(withdrawn(ledger)) == {ONE.id, CHILD.id}


def test_new_samples_of_a_withdrawn_teacher_or_judge_are_turned_down(ledger: Ledger) -> None:
    new, fine = make_sample("9+9", round=3), make_sample("8+8", round=3)
    assert refusals(ledger, [new, fine], []) == {}
    note(ledger, retract(ledger, "judge", "exact", ""))
    assert set(refusals(ledger, [new, fine], [accept(new, "exact"), accept(fine, "panel")])) == {new.id}
    note(ledger, retract(ledger, "teacher", "program", ""))
    assert set(refusals(ledger, [new, fine], [])) == {new.id, fine.id}


def make_replacement(*, replaced: bool, tainted: str = "student-2", retractions: int = 1) -> Replacement:
    return Replacement(
        round=2, retractions=retractions, tainted=tainted, clean=f"clean-{retractions}", path="rounds/clean-001/model",
        samples=3, replaced=replaced, reason="test", bounds={},
    )  # fmt: skip


def test_a_student_stands_until_a_clean_one_takes_its_place(ledger: Ledger) -> None:
    before = current(ledger)
    assert before
    assert (before.digest, before.tainted, due(ledger)) == ("student-2", False, False)
    note(ledger, retract(ledger, "sample", ONE.id, ""))
    after = current(ledger)
    assert after
    assert (after.digest, after.tainted, due(ledger)) == ("student-2", True, True)
    commit(ledger, "replace", [make_replacement(replaced=True)])
    clean = current(ledger)
    assert clean
    assert (clean.digest, clean.tainted, clean.clean, due(ledger)) == ("clean-1", False, True, False)
    assert clean.promoted.number == 2


def test_a_clean_student_that_was_turned_down_is_not_tried_again_before_the_next_retraction(ledger: Ledger) -> None:
    note(ledger, retract(ledger, "sample", ONE.id, ""))
    commit(ledger, "replace", [make_replacement(replaced=False)])
    now = current(ledger)
    assert now
    assert (now.digest, now.tainted, due(ledger)) == ("student-2", True, False)
    note(ledger, retract(ledger, "sample", TWO.id, ""))
    assert due(ledger)


def test_a_clean_student_is_tainted_by_a_later_retraction_of_what_it_learned(ledger: Ledger) -> None:
    note(ledger, retract(ledger, "sample", ONE.id, ""))
    commit(ledger, "replace", [make_replacement(replaced=True)])
    note(ledger, retract(ledger, "sample", TWO.id, ""))
    now = current(ledger)
    assert now
    assert (now.digest, now.tainted, due(ledger)) == ("clean-1", True, True)
    assert "clean-1" in tainted(ledger)


def test_a_retraction_that_touches_no_promoted_student_asks_for_nothing(tmp_path: Path) -> None:
    Ledger.create(tmp_path / "other.sqlite")
    with closing(Ledger(tmp_path / "other.sqlite")) as ledger:
        commit(ledger, "story", [ONE, keep(ONE), made(1), make_promotion(1, incumbent="base", promoted=False)])
        assert len(note(ledger, retract(ledger, "sample", ONE.id, "")).taints) == 1
        assert current(ledger) is None
        assert not due(ledger)
        assert ledger.count(Retraction) == 1


def test_a_lineage_says_that_a_sample_was_withdrawn_and_whom_it_tainted(ledger: Ledger) -> None:
    note(ledger, retract(ledger, "sample", ONE.id, ""))
    assert lineage(ledger, CHILD.id).withdrawn == f"withdrawn: made out of {ONE.id}"
    assert lineage(ledger, ONE.id).marks == {"student-1": "tainted", "student-2": "tainted"}
    assert lineage(ledger, TWO.id).withdrawn == ""
