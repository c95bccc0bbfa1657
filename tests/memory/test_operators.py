from contextlib import closing
from pathlib import Path

from evolvent.agents.commands.telling import of_sample
from evolvent.memory.ledger import Ledger
from evolvent.memory.lineage import lineage
from evolvent.memory.operators import Tally, tally
from evolvent.memory.origin import Origin, Parent
from evolvent.memory.records import Record, Sample

from .runs import make_run, make_sample, story

PARENT = Parent(kind="seed", id="carry:1+1", prompt="<1+1>", answer="2")


def operated(operator: str, records: list[Record]) -> list[Record]:
    """The same with its samples made by an operator, and what points at them pointing there."""
    origin = Origin(operator=operator, parents=(PARENT,), document="d0c", reasoning="so")
    made = {r.id: r.model_copy(update={"origin": origin}) for r in records if isinstance(r, Sample)}
    ids = {old: new.id for old, new in made.items()}

    def turned(record: Record) -> Record:
        pointers = {name: ids[at] for name, at in vars(record).items() if isinstance(at, str) and at in ids}
        return record.model_copy(update=pointers) if pointers else record

    return [made.get(r.id) or turned(r) for r in records]


def opened(folder: Path, records: list[Record]) -> Ledger:
    return Ledger(make_run(folder, records) / "ledger.sqlite", read_only=True)


def test_an_operator_is_told_by_what_was_kept_and_what_the_exam_did(tmp_path: Path) -> None:
    with closing(opened(tmp_path, operated("similar", story()))) as ledger:
        assert tally(ledger) == [Tally("similar", written=2, refused=0, kept=1, promoted=1, change=0.5)]
        assert tally(ledger, round=1) == tally(ledger)
        assert tally(ledger, round=2) == []


def test_samples_that_no_operator_made_are_in_no_tally(tmp_path: Path) -> None:
    with closing(opened(tmp_path, [*story(), make_sample("1+1")])) as ledger:
        assert tally(ledger) == []


def test_explain_says_which_operator_made_a_sample_and_from_what(tmp_path: Path) -> None:
    with closing(opened(tmp_path, operated("rationale", story()))) as ledger:
        (made, _) = ledger.read(Sample)
        said = "\n".join(of_sample(lineage(ledger, made.id), "run"))
    assert "operator rationale" in said
    assert "from seed carry:1+1: <1+1> -> 2" in said
    assert "beside document d0c, which the student does not see" in said
