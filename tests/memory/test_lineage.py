from pathlib import Path

import pytest

from evolvent.memory.errors import LedgerError
from evolvent.memory.ledger import Ledger
from evolvent.memory.lineage import lineage
from evolvent.memory.records import Attempt, Critique, Fate, Promotion, Record, Round, Sample, Task, Verdict, Weakness

TASK = Task(skill="add", prompt="1+1", answer="2", key="add:1,1")
FAILURE = Attempt(task=TASK, student="weak", round=1, purpose="probe", answer="3", verdict=Verdict(score=0.0))
WEAKNESS = Weakness(skill="add", hypothesis="", rule=(), round=1, failures=(FAILURE.id,), p_value=0.0)
SAMPLE = Sample(
    task=TASK, arm="targeted", round=1, weakness=WEAKNESS.id, failures=(FAILURE.id,), teacher="program", recipe="draw"
)


def make_round(number: int) -> Round:
    return Round(
        number=number, arm="targeted", start="weak", checkpoint=f"student-{number}", path="", dataset="", samples=1,
        steps=1, tokens=1, loss=0.0,
    )  # fmt: skip


def make_ledger(folder: Path, *records: Record) -> Ledger:
    Ledger.create(folder / "ledger.sqlite")
    ledger = Ledger(folder / "ledger.sqlite")
    ledger.intend("key", "step", 1)
    ledger.commit("key", {}, [FAILURE, WEAKNESS, SAMPLE, *records], 0.0, meta={})
    return ledger


def test_a_sample_is_followed_from_the_failure_to_the_promoted_student(tmp_path: Path) -> None:
    promotion = Promotion(
        round=2, incumbent="weak", candidate="student-2", promoted=True, reason="", alpha=0.05, gained=9, lost=0,
        p_value=0.0, guards={},
    )  # fmt: skip
    critique = Critique(sample=SAMPLE.id, round=1, judge="exact", accepted=True, reason="")
    fate = Fate(sample=SAMPLE.id, round=1, kept=True, reason="kept")
    found = lineage(make_ledger(tmp_path, critique, fate, make_round(1), make_round(2), promotion), SAMPLE.id)
    assert (found.weakness, found.failures, found.critiques, found.fate) == (WEAKNESS, (FAILURE,), (critique,), fate)
    assert [r.number for r in found.trained_in] == [1, 2]
    assert found.promoted_in == (promotion,)


def test_a_rejected_sample_was_trained_on_by_nobody_and_knows_why(tmp_path: Path) -> None:
    fate = Fate(sample=SAMPLE.id, round=1, kept=False, reason="leak")
    found = lineage(make_ledger(tmp_path, fate, make_round(1)), SAMPLE.id)
    assert found.fate == fate
    assert found.trained_in == ()


def test_an_unknown_sample_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="no sample 'nobody'"):
        lineage(make_ledger(tmp_path), "nobody")
