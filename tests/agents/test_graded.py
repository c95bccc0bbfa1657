"""Whole sessions in which models behind an endpoint grade what the student answers."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from evolvent.agents.exports.record import export_record
from evolvent.agents.judging.golden import TASKS
from evolvent.memory.account import ANSWERS
from evolvent.memory.ledger import Ledger
from evolvent.memory.reading import Run
from evolvent.memory.records import Attempt, Critique, Exam
from evolvent.memory.responses import paid
from evolvent.training.client.client import SPARE

from ..endpoint import MODEL, serving
from ..judging import constant, generous
from ..killing import Json, Kill, figures, runs, session, trial
from ..teaching import Teaching

pytestmark = pytest.mark.slow

SLOTS = 16
GREETINGS = 3 * 2 * 2
"""Calls to see that an endpoint is there: before the run, in it and when it goes on, two for each of two roles."""
TRIED = 4 * 2 + 5 * TASKS + 10
"""Calls after which the judge was greeted and tried, and has begun to grade the first exam."""
TAUGHT = Path(__file__).parent.with_name("taught.toml")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Teaching]:
    taught = Teaching({"Grade an answer": generous})
    taught.slots, taught.latency = asyncio.Semaphore(SLOTS), lambda _: 0.005
    with serving(taught):
        yield taught


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("graded")


def options(endpoint: Teaching) -> list[str]:
    model = {
        "name": "openai",
        "base_url": endpoint.url,
        "model": MODEL,
        "answer_price": 2,
        "first": SLOTS,
        "most": SLOTS,
    }
    models = [f"--set=models.{role}.{k}={v}" for role in ("teacher", "judge") for k, v in model.items()]
    return [*models, "--set=verifier=rubric", "--set=rounds.most=1", "--set=teacher.prober=false"]


@pytest.fixture(scope="module")
def whole(endpoint: Teaching, folder: Path) -> tuple[Path, Json]:
    ended = session("run", TAUGHT, "--json", *options(endpoint), folder=folder)
    assert ended.code == 0, ended.said
    return Path(ended.events[0]["dir"]), ended.events[-1]


def test_judges_grade_every_exam_of_a_session_and_are_paid_as_judges(whole: tuple[Path, Json]) -> None:
    run, done = whole
    ledger = Ledger(run / "ledger.sqlite", read_only=True)
    exams, attempts = ledger.read(Exam), ledger.read(Attempt)
    critiques = {c.judge for c in ledger.read(Critique)}
    ledger.close()
    assert (done["status"], done["rounds"]) == ("finished", 1)
    assert 0.5 in {mark for exam in exams for mark in exam.marks}
    assert any(a.verdict.reason.startswith("grader: worked it (missed 'It does what") for a in attempts)
    assert "rubric" in critiques
    assert [(a["judge"], a["sound"]) for a in done["judges"]] == [("rubric grader by judge", True)]
    assert done["models"]["roles"]["judge"]["usd"] > 0
    assert "rubric grader by judge" in (run / "report.html").read_text()


def test_a_session_killed_amid_its_first_exam_comes_to_the_same_and_pays_once(
    endpoint: Teaching, folder: Path, whole: tuple[Path, Json]
) -> None:
    since = len(endpoint.bodies)

    def amid() -> bool:
        return len(endpoint.bodies) - since > TRIED

    done = trial(folder, [Kill(when=amid)], TAUGHT, *options(endpoint))
    assert done.problems(figures(*whole)) == []
    assert done.stood == (("baseline of round 0",),)
    stored = paid(runs(folder)[-1] / ANSWERS)
    assert stored == paid(whole[0] / ANSWERS)
    again = len(endpoint.bodies) - since - GREETINGS - sum(cost.calls for cost in stored.values())
    # a call that was answered and not yet stored has left its slot to another
    assert 0 <= again <= int(SPARE * SLOTS) + 1


def test_exams_are_exported_with_the_grades_they_got_and_nothing_is_paid_again(
    whole: tuple[Path, Json], tmp_path: Path
) -> None:
    before = paid(whole[0] / ANSWERS)
    with Run.load(whole[0]) as run:
        facts = export_record(run, "exams", tmp_path / "out", ask=True)
    assert facts["answered"] > 0
    assert paid(whole[0] / ANSWERS) == before


def test_a_session_does_not_begin_with_an_unsound_judge_and_says_what_to_do(endpoint: Teaching, folder: Path) -> None:
    endpoint.judges["Grade an answer"] = constant
    ended = session("run", TAUGHT, "--json", *options(endpoint), folder=folder)
    again = session("resume", runs(folder)[-1], "--json", folder=folder)
    endpoint.judges["Grade an answer"] = generous
    assert (ended.code, again.code) == (1, 1)
    for said in (ended.said, again.said):
        assert "verifier 'rubric' may not decide, since its judges are not sound" in said
        assert "name another model in [models.judge]" in said
    assert ended.events[-1]["status"] == "failed"
