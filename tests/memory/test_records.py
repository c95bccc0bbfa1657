import pytest
from pydantic import ValidationError

from evolvent.memory.auditions import Audition, Tally
from evolvent.memory.categories import Category
from evolvent.memory.debates import Debate, Turn
from evolvent.memory.evaluations import Evaluated
from evolvent.memory.records import (
    Attempt,
    Critique,
    Exam,
    Fate,
    Observation,
    Prediction,
    Probe,
    Promotion,
    Record,
    Round,
    Sample,
    Score,
    Session,
    Share,
    Task,
    Verdict,
    Weakness,
)
from evolvent.memory.retention import Removal
from evolvent.memory.retraction import Descent, Replacement, Retraction, Taint, Withdrawal
from evolvent.memory.reviews import Review
from evolvent.memory.said import Said

TASK = Task(skill="carry", prompt="5+7", answer="12", key="add:5,7", features=("carry at 1",))
EXAMPLES: tuple[Record, ...] = (
    TASK,
    Verdict(score=0.5, reason="half of it"),
    Attempt(task=TASK, student="s", round=1, purpose="probe", answer="11", verdict=Verdict(score=0, reason="off by 1")),
    Weakness(skill="carry", hypothesis="fails", rule=("carry at 1",), round=1, failures=("a",), p_value=0.01),
    Observation(weakness="w", round=1, state="open", passed=0, tried=9, reason="found now", recalled=("v",)),
    Prediction(weakness="w", round=1, foreseen=0.1, passed=0, tried=9),
    Probe(skill="carry", round=1, passed=3, tried=9, chance=0.0, verdict="failing"),
    Share(round=1, skill="carry", weakness=None, samples=10, reason="half right"),
    Sample(task=TASK, arm="targeted", round=1, weakness="w", failures=("a",), teacher="program", recipe="r"),
    Critique(sample="s", round=1, judge="exact", accepted=True, reason="both ways agree"),
    Audition(judge="solver", agreed=Tally(count=63, of=64), kappa=0.97, kappa_low=0.86, nulls=Tally(count=0, of=32),
             swayed=Tally(count=1, of=32), turned=Tally(count=0, of=32), words={"bad": 9}, sound=True, reason="passed"),
    Fate(sample="s", round=1, kept=False, reason="exact duplicate", nearest="t"),
    Exam(round=1, student="s", arm="control", split="report", scores={"carry": Score(passed=1, tried=2)}, passed="10"),
    Promotion(round=1, incumbent="a", candidate="b", promoted=True, reason="r", alpha=0.01, gained=9, lost=1,
              p_value=0.001, guards={"plain": {"loss": 0.0, "upper": 0.01, "margin": 0.02}}),
    Round(number=1, arm="targeted", start="a", checkpoint="b", path="rounds/001/model", dataset="d", samples=10,
          steps=5, tokens=100, loss=0.5),
    Evaluated(round=1, student="s", evaluation="own", items=("a", "b"), marks=(1.0, 0.5), asked="d"),
    Said(round=1, exam="e", exact=True, answers={"2": "11"}),
    Category(skill="carry", description="sums that carry", rest=False, sorted=9, merged=("long",), keys=("add:5,7",)),
    Debate(sample="s", round=1, turns=(Turn(turn=0, judge="sceptic", verdict="bad", reason="too easy"),)),
    Removal(round=2, number=1, arm="targeted", checkpoint="b", path="rounds/001/model", bytes=9, reason="r"),
    Descent(sample="s", parent="t", round=1),
    Retraction(what="judge", name="kind", reason="too kind", after=2),
    Withdrawal(sample="s", round=1, retraction="r", after=2, why="withdrawn: judge 'kind'"),
    Taint(checkpoint="b", round=1, retraction="r", samples=3),
    Replacement(round=1, retractions=1, tainted="b", clean="c", path="rounds/clean-001/model", samples=9, replaced=True,
                reason="not inferior", bounds={"select": {"loss": 0.0, "upper": 0.01, "margin": 0.02}}),
    Review(sample="s", round=1, action="edit", by="ann", reason="rounder", edited="t"),
    Session(name="n", scenario="h", seed=0, limit=None, graph="g", settings={"overrides": ["a=1"]}),
)  # fmt: skip


def test_there_is_an_example_of_every_kind() -> None:
    assert {type(record) for record in EXAMPLES} == set(Record.__subclasses__())
    assert len({record.kind for record in EXAMPLES}) == len(EXAMPLES)


@pytest.mark.parametrize("record", EXAMPLES, ids=lambda r: r.kind)
def test_a_record_read_back_is_the_same_with_the_same_id(record: Record) -> None:
    again = type(record).read(record.model_dump_json())
    assert again == record
    assert again.id == record.id


def test_an_id_is_the_same_in_every_process_and_version() -> None:
    assert TASK.id == "d29e431fa941710a"


def test_any_change_gives_another_id() -> None:
    changed = [TASK.model_copy(update={field: "other"}) for field in ("skill", "prompt", "answer", "key")]
    assert len({task.id for task in [TASK, *changed, TASK.model_copy(update={"features": ()})]}) == 6


@pytest.mark.parametrize("record", EXAMPLES, ids=lambda r: r.kind)
def test_a_record_cannot_be_changed_or_take_what_it_does_not_know(record: Record) -> None:
    field = next(iter(type(record).model_fields))
    with pytest.raises(ValidationError, match="frozen"):
        setattr(record, field, "changed")
    with pytest.raises(ValidationError, match="Extra inputs"):
        type(record).model_validate({**record.model_dump(), "note": "more"})


@pytest.mark.parametrize("score", [-0.1, 1.01, float("nan")])
def test_a_score_outside_its_range_is_a_broken_verifier(score: float) -> None:
    with pytest.raises(ValidationError, match="score"):
        Verdict(score=score)


def test_only_a_full_score_passes() -> None:
    assert [Verdict(score=score).passed for score in (0, 0.99, 1)] == [False, False, True]
