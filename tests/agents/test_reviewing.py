import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from langgraph.errors import GraphInterrupt

from evolvent.agents import reviewing
from evolvent.agents.desk import Desk
from evolvent.agents.nodes.curate import Curation
from evolvent.agents.nodes.review import Approval
from evolvent.memory.choices import Choice, decide, standing
from evolvent.memory.lineage import lineage
from evolvent.memory.reading import Run
from evolvent.memory.records import Critique, Fate, Sample
from evolvent.memory.retraction import retract
from evolvent.memory.reviews import Review

from ..memory.waiting import RUN, make_waiting
from . import calling
from .desks import make_desk
from .test_generate import allot, run
from .test_graph import make_state

Say = Callable[..., str]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = make_desk(tmp_path, review=True)
    yield made
    made.close()


def choose(desk: Desk, *choices: Choice) -> None:
    with Run.load(desk.run) as opened:
        decide(opened, choices)


def accepting(desk: Desk, *but: Choice) -> None:
    """Decide on everything that waits: these decisions, and the rest accepted."""
    named = {choice.sample for choice in but}
    with Run.load(desk.run) as opened:
        rest = [e.sample.id for e in standing(opened).entries if e.sample.id not in named]
    choose(desk, *but, *(Choice(sample=id, action="accept") for id in rest))


async def approve(desk: Desk, round: int = 1) -> bool:
    return (await Approval().run(make_state(round=round), desk)).get("approved", False)


async def test_a_round_waits_until_every_sample_is_decided(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def interrupt(said: dict[str, int]) -> None:
        asked.append(said["waiting"])
        raise GraphInterrupt

    monkeypatch.setattr("evolvent.agents.nodes.review.interrupt", interrupt)
    allot(desk, 1, subtract=5)
    first, *_ = await run(desk, 1)
    with pytest.raises(GraphInterrupt):
        await approve(desk)
    choose(desk, Choice(sample=first.id, action="accept"))
    with pytest.raises(GraphInterrupt):
        await approve(desk)
    accepting(desk)
    assert await approve(desk)
    assert asked == [5, 4]


async def test_a_rejected_sample_is_never_trained_on_and_says_who_rejected_it(desk: Desk) -> None:
    allot(desk, 1, subtract=5)
    bad, *good = await run(desk, 1)
    accepting(desk, Choice(sample=bad.id, action="reject", by="ann", reason="too easy"))
    assert await approve(desk)
    assert {s.id for s in desk.kept()} == {s.id for s in good}
    found = lineage(desk.ledger, bad.id)
    assert found.fate is not None
    assert (found.fate.kept, found.fate.reason) == (False, "review: rejected by ann: too easy")


async def test_an_edited_sample_is_a_new_one_with_its_lineage_and_is_checked_again(desk: Desk) -> None:
    allot(desk, 1, add=5)
    first, second, *rest = await run(desk, 1)
    left, right = second.task.prompt.split("+")
    accepting(
        desk,
        Choice(sample=first.id, action="edit", answer="wrong", by="ann"),
        Choice(sample=second.id, action="edit", prompt=f"{right}+{left}", by="ann", reason="the other way"),
    )
    await approve(desk)
    made = {review.sample: review.edited for review in desk.ledger.read(Review) if review.edited}
    new = desk.ledger.get(Sample, str(made[second.id]))
    assert (new.weakness, new.failures, new.teacher) == (second.weakness, second.failures, "person")
    assert new.origin is not None
    assert [(p.kind, p.id) for p in new.origin.parents] == [("sample", second.id)]
    refused = lineage(desk.ledger, str(made[first.id]))
    assert refused.fate is not None
    assert refused.fate.reason.startswith("critique: ")
    assert {s.id for s in desk.kept()} == {new.id, *(s.id for s in rest)}


@pytest.mark.parametrize("of", ["an exam", "a sample", "another skill"])
async def test_an_edit_cannot_bring_in_what_curation_keeps_out(desk: Desk, of: str) -> None:
    allot(desk, 1, subtract=5)
    first, second, *_ = await run(desk, 1)
    exam = next(task for task in desk.items("report") if task.skill == "subtract")
    prompt, answer = {
        "an exam": (exam.prompt, exam.answer),
        "a sample": (second.task.prompt, second.task.answer),
        "another skill": ("flip 12", "heads"),
    }[of]
    accepting(desk, Choice(sample=first.id, action="edit", prompt=prompt, answer=answer))
    await approve(desk)
    edited = next(review.edited for review in desk.ledger.read(Review) if review.edited)
    (fate,) = desk.ledger.read(Fate, subject=edited)
    wanted = {"an exam": "leak", "a sample": "the same task", "another skill": "critique: foreign"}[of]
    assert (fate.kept, fate.reason.startswith(wanted)) == (False, True), fate.reason


async def test_decisions_are_taken_in_once_whatever_becomes_of_their_files(desk: Desk) -> None:
    allot(desk, 1, subtract=5)
    bad, *_ = await run(desk, 1)
    accepting(desk, Choice(sample=bad.id, action="reject", reason="no"))
    await approve(desk)
    before = desk.ledger.rows("select kind, id from records order by seq")
    for path in (desk.run / "review" / "round-001").iterdir():
        path.write_text("{}")
    assert await approve(desk)
    assert desk.ledger.rows("select kind, id from records order by seq") == before


async def test_what_repeats_a_rejected_sample_is_kept_in_no_later_round(desk: Desk) -> None:
    allot(desk, 1, subtract=5)
    bad, *_ = await run(desk, 1)
    accepting(desk, Choice(sample=bad.id, action="reject", reason="no"))
    await approve(desk)
    again = bad.model_copy(update={"round": 2, "recipe": "once more"})
    desk.ledger.intend("again", "again", 2)
    desk.ledger.commit("again", {}, [again], 0.0, meta={})
    await Curation().run(make_state(round=2), desk)
    (fate,) = desk.ledger.read(Fate, subject=again.id)
    assert fate.reason == f"review: like {bad.id}, which a person rejected"
    assert reviewing.rejected(desk) == [bad]


async def test_a_round_of_which_everything_was_rejected_trains_nothing(desk: Desk) -> None:
    allot(desk, 1, subtract=3)
    samples = await run(desk, 1)
    accepting(desk, *(Choice(sample=s.id, action="reject", reason="no") for s in samples))
    assert not await approve(desk)
    assert desk.kept() == []


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Say:
    def call(*arguments: str | Path, typed: str = "") -> str:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        code = calling.call(monkeypatch, "review", tmp_path / RUN, *arguments)
        said = capsys.readouterr()
        return said.out if code == 0 else f"{code}: {said.err}"

    return call


def decided(folder: Path) -> list[tuple[str, str, str]]:
    with Run.load(folder / RUN) as opened:
        now = standing(opened)
    found = [now.choices[e.sample.id] for e in now.entries if e.sample.id in now.choices]
    return [(c.action, c.reason, c.answer or "") for c in found]


def test_a_terminal_asks_about_one_sample_after_the_other(say: Say, tmp_path: Path) -> None:
    make_waiting(tmp_path, "1+1", "2+2", "3+3", "4+4", "5+5")
    said = say("--by", "ann", typed="a\nr\nno sum\nwhat\ns\ne\n\nfour\\nfive\nbetter\nq\n")
    assert decided(tmp_path) == [("accept", "", ""), ("reject", "no sum", ""), ("edit", "better", "four\nfive")]
    assert "round 1: 1 accepted, 1 edited, 1 rejected, 2 waiting" in said
    assert said.splitlines()[-1] == f"next     evolvent review {tmp_path / RUN}"
    assert "1 of 2" in say(typed="")


def test_a_wrong_answer_is_explained_and_asked_for_again(say: Say, tmp_path: Path) -> None:
    make_waiting(tmp_path, "1+1")
    said = say(typed="r\n\ne\n\n\n\na\n")
    assert "a rejection says why" in said
    assert "an edit gives a new prompt" in said
    assert decided(tmp_path) == [("accept", "", "")]
    assert f"next     evolvent resume {tmp_path / RUN}" in said


def test_no_text_of_a_model_reaches_the_terminal_as_it_is(say: Say, tmp_path: Path) -> None:
    make_waiting(tmp_path, "\x1b[31mred\u202e\r")
    said = say(typed="q\n")
    assert "\\x1b[31mred\\u202e\\x0d" in said
    assert not {"\x1b", "\u202e", "\r"} & set(said)


def test_a_program_reads_the_queue_and_decides_from_a_file(say: Say, tmp_path: Path) -> None:
    make_waiting(tmp_path, "1+1", "2+2", "3+3")
    queue = [json.loads(line) for line in say("--json").splitlines()]
    assert [q["information"] for q in queue] == sorted((q["information"] for q in queue), reverse=True)
    lines = [{"sample": queue[0]["sample"], "action": "reject", "reason": "no"}]
    (tmp_path / "d.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert "1 rejected, 2 waiting" in say("--decisions", tmp_path / "d.jsonl")
    assert "2 accepted, 0 edited, 1 rejected, 0 waiting" in say("--accept-all")
    assert "2 accepted, 0 edited, 1 rejected, 0 waiting" in say("--decisions", "-", typed=json.dumps(lines[0]))
    again = [json.loads(line)["decision"]["action"] for line in say("--json").splitlines()]
    assert sorted(again) == ["accept", "accept", "reject"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("{", "line 1: not JSON"),
        ("[]", "line 1: not a decision"),
        ('{"sample": "f", "action": "accept"}', "does not wait"),
    ],
)
def test_a_file_of_decisions_that_cannot_be_used_is_refused_in_one_line(
    say: Say, tmp_path: Path, text: str, wanted: str
) -> None:
    make_waiting(tmp_path)
    (tmp_path / "d.jsonl").write_text(text)
    said = say("--decisions", tmp_path / "d.jsonl")
    assert said.startswith("2: evolvent: ")
    assert wanted in said
    assert said.count("\n") == 1
    assert decided(tmp_path) == []


async def test_where_no_program_can_work_a_task_the_person_who_edited_it_decides(tmp_path: Path) -> None:
    rows = [{"prompt": f"say {n} aloud", "answer": f"{n}!", "skill": "say"} for n in range(400)]
    path = tmp_path / "tasks.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    source = {"name": "file", "path": str(path), "procedural": True}
    desk = make_desk(tmp_path / "runs", review=True, source=source, skills={"say": {}}, verifier="exact")
    allot(desk, 1, say=3)
    first, *rest = await run(desk, 1)
    accepting(desk, Choice(sample=first.id, action="edit", prompt="say 7000 softly", answer="7000", by="ann"))
    await approve(desk)
    edited = next(review.edited for review in desk.ledger.read(Review) if review.edited)
    (said,) = desk.ledger.read(Critique, subject=edited)
    assert (said.judge, said.accepted) == ("person", True)
    assert {s.id for s in desk.kept()} == {str(edited), *(s.id for s in rest)}
    desk.close()


async def test_what_was_edited_goes_with_the_sample_it_was_made_of_when_that_is_withdrawn(desk: Desk) -> None:
    allot(desk, 1, add=3)
    first, *_ = await run(desk, 1)
    left, right = first.task.prompt.split("+")
    accepting(desk, Choice(sample=first.id, action="edit", prompt=f"{right}+{left}"))
    await approve(desk)
    edited = next(review.edited for review in desk.ledger.read(Review) if review.edited)
    touched = retract(desk.ledger, "sample", first.id, "never mind")
    assert {withdrawal.sample for withdrawal in touched.withdrawals} == {first.id, edited}
