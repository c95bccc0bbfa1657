from contextlib import closing
from pathlib import Path

from evolvent.memory.ledger import Ledger
from evolvent.memory.reading import Run
from evolvent.memory.records import Sample
from evolvent.memory.retention import Removal
from evolvent.memory.retraction import Retraction, Taint, Withdrawal
from evolvent.memory.viewer.frame import frame
from evolvent.memory.viewer.pages import round, sample, session

from ..runs import make_run, story

NASTY = "<script>alert(1)</script>"


def withdrawn(folder: Path) -> tuple[Path, str]:
    """A run whose one promoted student is tainted and has lost its weights, and the sample it is tainted by."""
    records = story()
    run = make_run(folder, records)
    bad = next(r for r in records if isinstance(r, Sample)).id
    retraction = Retraction(what="judge", name=NASTY, reason=NASTY, after=1)
    gone = Removal(
        round=1, number=1, arm="targeted", checkpoint="student-1", path="rounds/001/model", bytes=9, reason=NASTY
    )
    with closing(Ledger(run / "ledger.sqlite")) as ledger:
        ledger.intend("retract", "retract", 0)
        ledger.commit("retract", {}, [
            retraction, gone, Withdrawal(sample=bad, round=1, retraction=retraction.id, after=1, why=f"by {NASTY}"),
            Taint(checkpoint="student-1", round=1, retraction=retraction.id, samples=1),
        ], 0, meta={})  # fmt: skip
    return run, bad


def test_pages_say_what_was_withdrawn_whom_it_tainted_and_whose_weights_are_gone(tmp_path: Path) -> None:
    path, bad = withdrawn(tmp_path)
    with Run.load(path) as run:
        pages = {
            "session": frame(session.page(run, {})),
            "round": frame(round.page(run, {"round": "1"})),
            "sample": frame(sample.page(run, {"id": bad})),
        }
    assert "The student that was promoted is tainted." in pages["session"]
    assert "tainted, weights removed" in pages["round"]
    assert "tainted, weights removed" in pages["sample"]
    assert "By &lt;script&gt;" in pages["sample"]
    assert [name for name, page in pages.items() if NASTY in page] == []


def test_pages_of_a_run_of_which_nothing_was_withdrawn_say_nothing_of_it(tmp_path: Path) -> None:
    with Run.load(make_run(tmp_path, story())) as run:
        shown = frame(session.page(run, {})) + frame(round.page(run, {"round": "1"}))
    assert "tainted" not in shown
    assert "retraction" not in shown
