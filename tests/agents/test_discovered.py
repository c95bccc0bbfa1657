"""Whole sessions on a file without skills, whose teacher finds them behind an endpoint."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from evolvent.memory.account import ANSWERS
from evolvent.memory.categories import Category
from evolvent.memory.ledger import Ledger
from evolvent.memory.responses import paid

from ..endpoint import serving
from ..judging import solve
from ..killing import Json, Kill, figures, runs, session, trial
from ..teaching import Teaching
from .test_taught import GREETINGS, SLOTS, TAUGHT, options

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Teaching]:
    taught = Teaching()
    taught.slots, taught.latency = asyncio.Semaphore(SLOTS), lambda _: 0.02
    with serving(taught):
        yield taught


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("discovered")


@pytest.fixture(scope="module")
def scenario(folder: Path) -> Path:
    """Sums of two kinds, in a file that does not say which is which."""
    pairs = [f"{a}+{b}" for a in range(111, 999, 13) for b in range(111, 999, 31)]
    rows = [json.dumps({"prompt": pair, "answer": solve(pair)}) for pair in pairs]
    (folder / "sums.jsonl").write_text("\n".join(rows))
    text = re.sub(r"\[skills\.[a-z-]+\]\n(guard = true\n)?task = .*\n", "", TAUGHT.read_text())
    text = text.replace('name = "arithmetic"', 'name = "file"\npath = "sums.jsonl"\nprocedural = true')
    text = text.replace("[student.first]", "[student.first]\nskills = { tasks = [] }")
    path = folder / "unsorted.toml"
    path.write_text(text + "\n[teacher.discovery]\nsample = 60\nbatch = 25\n")
    return path


@pytest.fixture(scope="module")
def whole(endpoint: Teaching, folder: Path, scenario: Path) -> tuple[Path, Json]:
    ended = session("run", scenario, "--json", *options(endpoint), folder=folder)
    assert ended.code == 0, ended.said
    return Path(ended.events[0]["dir"]), ended.events[-1]


def found(run: Path) -> list[Category]:
    ledger = Ledger(run / "ledger.sqlite", read_only=True)
    categories = ledger.read(Category)
    ledger.close()
    return categories


def test_a_session_finds_its_skills_and_goes_on_as_if_they_had_been_named(whole: tuple[Path, Json]) -> None:
    run, done = whole
    assert [c.skill for c in found(run)] == ["carry", "plain"]
    assert set(done["heat"]["skills"]) == {"carry", "plain"}
    assert set(done["report"]["skills"]) == {"carry", "plain"}
    assert {one["skill"]: one["description"] for one in done["found"]}["carry"] == "whatever is carry"
    assert sum(one["tasks"] for one in done["found"]) == 69 * 29
    page = (run / "report.html").read_text()
    assert "Skills that were found" in page
    resolved = json.loads((run / "scenario.resolved.json").read_text())
    assert set(resolved["scenario"]["skills"]) == {"carry", "plain"}
    assert set(resolved["written"]["skills"]) == {"tasks"}


def test_a_program_can_read_what_was_found_of_a_finished_run(
    whole: tuple[Path, Json], endpoint: Teaching, folder: Path
) -> None:
    before = len(endpoint.bodies)
    again = session("resume", whole[0], "--json", folder=folder)
    assert again.code == 0, again.said
    assert again.events[-1]["found"] == whole[1]["found"]
    assert len(endpoint.bodies) == before


def test_no_reference_of_any_task_is_shown_while_skills_are_found(whole: tuple[Path, Json], endpoint: Teaching) -> None:
    ledger = Ledger(whole[0] / "ledger.sqlite", read_only=True)
    prompts = (ledger.result("discover", 0) or {})["prompts"]
    ledger.close()
    assert set(prompts) == {"labelling", "grouping", "sorting"}
    asked = [b["messages"][-1]["content"] for b in endpoint.bodies]
    shown = [a for a in asked if '"number": 1' in a]
    assert len(shown) >= 3 + 69 * 29 // 25
    keys = Counter(
        key for a in shown for one in re.findall(r"\{[^{}]*\}", a) for key in json.loads(one) if "task" in one
    )
    assert set(keys) == {"number", "task"}


@pytest.mark.parametrize(
    "kill", [Kill(point="effect.before_commit", count=1), Kill(point="effect.after_commit", count=1)]
)
def test_a_session_killed_while_it_finds_skills_finds_the_same_and_pays_once(
    endpoint: Teaching, folder: Path, scenario: Path, whole: tuple[Path, Json], kill: Kill
) -> None:
    since = len(endpoint.bodies)
    done = trial(folder, [kill], scenario, *options(endpoint))
    assert done.problems(figures(*whole)) == []
    stored = paid(runs(folder)[-1] / ANSWERS)
    assert stored == paid(whole[0] / ANSWERS)
    again = len(endpoint.bodies) - since - GREETINGS - sum(cost.calls for cost in stored.values())
    assert 0 <= again <= SLOTS


def test_a_session_killed_among_its_questions_asks_none_again_that_was_answered(
    endpoint: Teaching, folder: Path, scenario: Path, whole: tuple[Path, Json]
) -> None:
    since = len(endpoint.bodies)
    killed = session("probe", scenario, "--json", *options(endpoint), folder=folder, kill=Kill(count=0, later=1.0))
    assert killed.code == -9
    run = runs(folder)[-1]
    again = session("resume", run, "--json", folder=folder)
    assert again.code == 0, again.said
    assert [c.model_dump() for c in found(run)] == [c.model_dump() for c in found(whole[0])]
    asked = Counter(json.dumps(b["messages"]) for b in endpoint.bodies[since:] if '"number": 1' in str(b))
    assert sum(count - 1 for count in asked.values()) <= SLOTS


def test_a_spent_budget_ends_the_search_until_it_is_raised(endpoint: Teaching, folder: Path, scenario: Path) -> None:
    ended = session("probe", scenario, "--json", *options(endpoint), "--set=budget.tokens=20000", folder=folder)
    assert ended.code == 5, ended.said
    run = runs(folder)[-1]
    assert found(run) == []
    raised = session("resume", run, "--json", "--set=budget.tokens=100000000", folder=folder)
    assert raised.code == 0, raised.said
    assert {c.skill for c in found(run)} == {"carry", "plain"}


def test_going_on_from_a_run_whose_skills_were_found_is_refused_with_the_way_out(
    endpoint: Teaching, folder: Path, scenario: Path, whole: tuple[Path, Json]
) -> None:
    ended = session("run", scenario, "--from", whole[0], *options(endpoint), folder=folder)
    assert ended.code == 2
    assert "write skills into the file and the scenario" in ended.said
