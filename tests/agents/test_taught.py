"""Whole sessions whose teacher is a language model behind an endpoint."""

import asyncio
import json
import re
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from evolvent.agents.exports.record import export_record
from evolvent.memory.account import ANSWERS
from evolvent.memory.ledger import Ledger
from evolvent.memory.reading import Run
from evolvent.memory.records import Critique, Fate, Sample, Weakness
from evolvent.memory.responses import paid

from ..endpoint import MODEL, serving
from ..judging import by_position, solve
from ..killing import Json, Kill, figures, runs, session, trial
from ..teaching import Teaching

pytestmark = pytest.mark.slow

SLOTS = 16
GREETINGS = 3 * 2 * 2
"""Calls to see that an endpoint is there: before the run, in it and when it goes on, two for each of two roles."""
TURN = 3
"""Of five turns of the prober, the one in which it is killed: the student has answered it, and nothing is verified."""
TAUGHT = Path(__file__).parent.with_name("taught.toml")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Teaching]:
    taught = Teaching()
    taught.slots, taught.latency = asyncio.Semaphore(SLOTS), lambda _: 0.02
    with serving(taught):
        yield taught


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("taught")


def options(endpoint: Teaching) -> list[str]:
    settings = {"name": "openai", "base_url": endpoint.url, "model": MODEL, "answer_price": 2}
    return [f"--set=models.{role}.{k}={v}" for role in ("teacher", "judge") for k, v in settings.items()]


@pytest.fixture(scope="module")
def whole(endpoint: Teaching, folder: Path) -> tuple[Path, Json]:
    ended = session("run", TAUGHT, "--json", *options(endpoint), folder=folder)
    assert ended.code == 0, ended.said
    return Path(ended.events[0]["dir"]), ended.events[-1]


def test_a_session_taught_by_a_language_model_goes_through_its_rounds(whole: tuple[Path, Json]) -> None:
    run, done = whole
    assert done["rounds"] == 2
    ledger = Ledger(run / "ledger.sqlite", read_only=True)
    samples = {s.id: s for s in ledger.read(Sample, subject="targeted")}
    words = {w.hypothesis for w in ledger.read(Weakness)}
    why = Counter((c.judge, c.accepted) for c in ledger.read(Critique))
    kept = [samples[f.sample] for f in ledger.read(Fate) if f.kept and f.sample in samples]
    ledger.close()
    assert words
    assert all(w.startswith("what fails has ") for w in words)
    assert why["exact", True] > why["exact", False] > 0
    assert why["format", False] > 0
    assert len(kept) > 20
    assert all(s.teacher == "llm" and "<data>" in s.recipe and s.task.prompt.isascii() for s in kept)
    assert done["models"]["roles"]["teacher"]["usd"] > 0
    assert "What models were paid" in (run / "report.html").read_text()


@pytest.mark.parametrize(
    "kill",
    [
        Kill(count=5, later=0.1),
        Kill(count=5, later=0.1, number=signal.SIGTERM),
        Kill("effect.before_commit", 20),
    ],
    ids=str,
)
def test_a_session_killed_while_it_is_taught_comes_to_the_same_and_pays_once(
    endpoint: Teaching, folder: Path, whole: tuple[Path, Json], kill: Kill
) -> None:
    since = len(endpoint.bodies)
    done = trial(folder, [kill], TAUGHT, *options(endpoint))
    assert done.problems(figures(*whole)) == []
    assert done.stood[0][0].startswith("generate.1 of round")
    stored = paid(runs(folder)[-1] / ANSWERS)
    assert stored == paid(whole[0] / ANSWERS)
    again = len(endpoint.bodies) - since - GREETINGS - sum(cost.calls for cost in stored.values())
    assert 0 <= again <= SLOTS


def test_a_session_killed_while_its_prober_waits_for_a_turn_finds_the_same_and_pays_once(
    endpoint: Teaching, folder: Path, whole: tuple[Path, Json]
) -> None:
    since = len(endpoint.bodies)

    def amid() -> bool:
        return sum("tools" in body for body in endpoint.bodies[since:]) == TURN

    done = trial(folder, [Kill(when=amid)], TAUGHT, *options(endpoint))
    assert done.problems(figures(*whole)) == []
    assert done.stood == (("diagnose of round 1",),)
    stored = paid(runs(folder)[-1] / ANSWERS)
    assert stored == paid(whole[0] / ANSWERS)
    # what the prober was told before is not asked for again; its last turn may be, since nobody knows of the answer
    assert 0 <= len(endpoint.bodies) - since - GREETINGS - sum(cost.calls for cost in stored.values()) <= 1


def in_words(folder: Path) -> Path:
    """The same session on a file of sums, in which nothing can be worked a second time: judges decide."""
    rows = [
        {"prompt": f"{a}+{b}", "answer": solve(f"{a}+{b}"), "skill": "add-carry" if carries else "add-plain"}
        for a in range(111, 999, 13)
        for b in range(111, 999, 7)
        for carries in [any(int(x) + int(y) > 9 for x, y in zip(str(a), str(b), strict=True))]
    ]
    (folder / "sums.jsonl").write_text("\n".join(map(json.dumps, rows)))
    text = re.sub(r"task = .*\n", "", TAUGHT.read_text())
    scenario = folder / "words.toml"
    scenario.write_text(text.replace('name = "arithmetic"', 'name = "file"\npath = "sums.jsonl"\nprocedural = true'))
    return scenario


def test_where_nothing_can_be_worked_again_judges_decide_a_session(endpoint: Teaching, folder: Path) -> None:
    ended = session("run", in_words(folder), "--json", *options(endpoint), folder=folder)
    assert ended.code == 0, ended.said
    done = ended.events[-1]
    ledger = Ledger(Path(ended.events[0]["dir"]) / "ledger.sqlite", read_only=True)
    critiques = Counter((c.judge, c.accepted) for c in ledger.read(Critique))
    ledger.close()
    assert critiques["panel", True] > critiques["panel", False] > 0
    assert done["models"]["roles"]["judge"]["calls"] >= 2 * (critiques["panel", True] + critiques["panel", False]) - 20
    assert done["samples"]["kept"] > 100


def test_where_too_few_judges_are_sound_nothing_passes_on_opinion_and_the_session_says_what_to_do(
    endpoint: Teaching, folder: Path
) -> None:
    endpoint.judges["refute"] = by_position
    ended = session("run", in_words(folder), "--json", "--set=rounds.most=1", *options(endpoint), folder=folder)
    endpoint.judges.clear()
    assert ended.code == 0, ended.said
    done = ended.events[-1]
    assert [(a["judge"], a["sound"]) for a in done["judges"]] == [("solver", True), ("sceptic", False)]
    ledger = Ledger(Path(done["dir"]) / "ledger.sqlite", read_only=True)
    passed = {(c.judge, c.accepted) for c in ledger.read(Critique)}
    ledger.close()
    assert ("nobody", False) in passed
    assert {judge for judge, accepted in passed if accepted} == {"exact"}
    assert "nothing passes on opinion: 1 of 2 judges passed their audition and 2 must (sceptic: changes" in ended.said
    assert "name another model in [models.judge]" in ended.said
    assert "does not gate" in (Path(done["dir"]) / "report.html").read_text()


def test_the_exported_session_holds_every_call_of_a_tool_with_its_result(
    whole: tuple[Path, Json], tmp_path: Path
) -> None:
    with Run.load(whole[0]) as run:
        export_record(run, "trace", tmp_path / "out")
    lines = [json.loads(line) for line in (tmp_path / "out" / "session.jsonl").read_text().splitlines()]
    said = [line["message"] for line in lines[1:]]
    calls = [call["id"] for m in said for call in m.get("toolCalls", ())]
    assert sorted(calls) == sorted(m["toolCallId"] for m in said if m["role"] == "tool")
    assert len(set(calls)) == len(calls)
    assert {m["model"] for m in said if "model" in m} >= {f"{MODEL} (teacher)"}
