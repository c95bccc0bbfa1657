"""The prober: an agent with tools whose reports count only with evidence."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import START as START_NODE
from langgraph.graph import StateGraph

from evolvent.agents.desk import Desk
from evolvent.agents.exploring import Explored, explore
from evolvent.agents.graph import nodes
from evolvent.agents.node import State, Update
from evolvent.memory.records import Attempt, Prediction, Weakness

from ..endpoint import MODEL, serving
from ..judging import constant, solve
from ..teaching import Prober, Teaching, Turn, calling
from .desks import make_desk

SKILLS = {
    "plain": {"guard": True, "task": {"operation": "add", "digits": 3, "carries": [0, 0]}},
    "carry": {"task": {"operation": "add", "digits": 3, "carries": [1, 3]}},
}
START = State(
    round=1, student="scripted", path="base", candidate="", candidate_path="", attempt=0, missing=0, finished=False,
    approved=True, effects=0,
)  # fmt: skip
STUDENT = {"engine": {"name": "scripted", "fails": "9"}}


@pytest.fixture
def endpoint() -> Iterator[Teaching]:
    with serving(Teaching()) as taught:
        assert isinstance(taught, Teaching)
        yield taught


def make_probed(endpoint: Teaching, folder: Path, **changes: Any) -> Desk:
    part = {"name": "openai", "base_url": endpoint.url, "model": MODEL, "deadline": 5}
    teacher = {"name": "llm", "prober": True, "steps": 6}
    settings = {"teacher": teacher, "skills": SKILLS, "student": STUDENT, **changes}
    return make_desk(folder, models={"teacher": part, "judge": part}, **settings)


def make_filed(endpoint: Teaching, folder: Path, **changes: Any) -> Desk:
    """A desk whose source cannot work what a prober makes up."""
    sums = {"carry": range(120, 160), "plain": range(900, 940)}
    rows = [
        {"prompt": f"{a}+{b}", "answer": solve(f"{a}+{b}"), "skill": skill}
        for skill, numbers in sums.items()
        for a in numbers
        for b in range(111, 120)
        if (a // 10 + a + b) % 2
    ]
    (folder / "tasks.jsonl").write_text("\n".join(map(json.dumps, rows)))
    source = {"name": "file", "path": str(folder / "tasks.jsonl"), "procedural": True}
    return make_probed(endpoint, folder, source=source, skills={"plain": {"guard": True}, "carry": {}}, **changes)


@pytest.fixture
def filed(endpoint: Teaching, tmp_path: Path) -> Iterator[Desk]:
    made = make_filed(endpoint, tmp_path)
    yield made
    made.close()


@pytest.fixture
def desk(endpoint: Teaching, tmp_path: Path) -> Iterator[Desk]:
    made = make_probed(endpoint, tmp_path)
    yield made
    made.close()


def scripted(*turns: list[Turn]) -> Prober:
    def calls(said: list[Turn]) -> list[Turn]:
        step = sum(turn["role"] == "assistant" for turn in said)
        return turns[step] if step < len(turns) else []

    return calls


async def explored(desk: Desk) -> Explored:
    await nodes()["probe"].run(START, desk)
    return await explore(desk.ledger.read(Attempt), 1, "base", desk)


async def test_a_prober_asks_its_own_questions_and_what_it_reports_carries_its_evidence(desk: Desk) -> None:
    found = await explored(desk)
    (guess,) = found.guesses
    failures = {a.id: a for a in found.attempts if not a.verdict.passed}
    assert len(guess.failures) >= 4
    assert guess.rule == ("operand has 9",)
    assert all("9" in failures[id].task.prompt for id in guess.failures)
    assert {a.purpose for a in found.attempts} == {"designed"}
    assert guess.words.startswith("what fails has ")


async def test_what_a_prober_found_is_tested_on_fresh_probes_like_any_other_guess(
    desk: Desk, endpoint: Teaching
) -> None:
    rule = ["carry out of 2 or more columns", "operand has 9"]
    asked = [f"9{i}9+{j}78" for i in range(3) for j in range(3, 7)]
    report = calling("report_weakness", explanation="nines that carry", features=rule, questions=asked)
    endpoint.prober = scripted([calling("ask_student", questions=asked)], [report])
    await nodes()["probe"].run(START, desk)
    await nodes()["diagnose"].run(START, desk)
    (found,) = [w for w in desk.ledger.read(Weakness) if w.hypothesis == "nines that carry"]
    attempts = {a.id: a for a in desk.ledger.read(Attempt)}
    assert found.rule == tuple(rule)
    assert {attempts[id].purpose for id in found.failures} == {"designed"}
    (tested,) = [p for p in desk.ledger.read(Prediction) if p.weakness == found.id]
    assert (tested.passed, tested.tried) == (0, desk.scenario.probe.aimed)


async def test_the_same_is_found_again_without_paying_again(desk: Desk, endpoint: Teaching) -> None:
    first = await explored(desk)
    paid = len(endpoint.bodies)
    assert await explore(desk.ledger.read(Attempt), 1, "base", desk) == first
    assert len(endpoint.bodies) == paid


async def test_a_prober_inside_the_loop_leaves_the_checkpoints_of_the_loop_alone(desk: Desk, tmp_path: Path) -> None:
    place = tmp_path / "graph.sqlite"
    await nodes()["probe"].run(START, desk)

    async def step(_: State) -> Update:
        await nodes()["diagnose"].run(START, desk)
        return {}

    async with AsyncSqliteSaver.from_conn_string(str(place)) as saver:
        graph: Any = StateGraph(State)
        graph.add_node("diagnose", step)
        graph.add_edge(START_NODE, "diagnose")
        config: Any = {"configurable": {"thread_id": "t"}}
        async for _ in graph.compile(checkpointer=saver).astream(START, config, durability="sync"):
            pass
        kept = [found.config.get("configurable", {}).get("checkpoint_ns") async for found in saver.alist(config)]
    assert any(a.purpose == "designed" for a in desk.ledger.read(Attempt))
    assert set(kept) == {""}


async def test_a_prober_never_asks_what_an_exam_holds(desk: Desk) -> None:
    found = await explored(desk)
    assert found.attempts
    assert {desk.splits.owner(a.task.key) for a in found.attempts} <= {"probe", "train"}


def made_up(desk: Desk, found: Explored) -> list[Attempt]:
    """Attempts at what the file does not hold."""
    return [a for a in found.attempts if not desk.parts.source.holds(a.task.key)]


async def test_where_the_source_cannot_say_teacher_and_judges_must_agree(filed: Desk) -> None:
    own = made_up(filed, await explored(filed))
    assert len(own) > 2
    assert all(a.task.answer == solve(a.task.prompt) for a in own)


async def test_a_question_whose_answer_is_not_agreed_on_is_no_evidence(filed: Desk, endpoint: Teaching) -> None:
    endpoint.wavers = True
    assert made_up(filed, await explored(filed)) == []
    assert "nobody can say" in "".join(told(endpoint))


async def test_an_answer_that_the_verifier_cannot_go_by_is_no_evidence(endpoint: Teaching, tmp_path: Path) -> None:
    endpoint.vague = True
    desk = make_filed(endpoint, tmp_path, verifier="numeric")
    assert made_up(desk, await explored(desk)) == []
    assert "nobody can say" in "".join(told(endpoint))
    desk.close()


async def test_without_sound_judges_a_made_up_question_is_no_evidence(filed: Desk, endpoint: Teaching) -> None:
    endpoint.judges["refute"] = constant
    assert made_up(filed, await explored(filed)) == []
    assert not any("Solve a task" in str(body["messages"]) for body in endpoint.bodies)


def told(endpoint: Teaching) -> list[str]:
    """What the last request held as results of tools."""
    return [turn["content"] for turn in endpoint.bodies[-1]["messages"] if turn["role"] == "tool"]


@pytest.mark.parametrize(
    ("calls", "answer"),
    [
        ([calling("rm", path="x")], "no tool called 'rm'"),
        ([calling("\ud83d")], "no tool called"),
        ([calling("recall", about="\ud83d")], "an escape of half a character"),
        ([calling("ask_student", questions="345+678")], "is not of type 'array'"),
        ([calling("ask_student", questions=["345+678"], seed=1)], "Additional properties are not allowed"),
        ([{"type": "function", "function": {"name": "recall", "arguments": "{"}}], "not JSON"),
        ([calling("ask_student", questions=["say hello"])], "is no task of skill 'carry'"),
        ([calling("ask_student", questions=["34５+678"])], "which the student cannot read"),
        ([calling("verify", questions=["345+678"])], "the student was not asked that"),
        ([calling("report_weakness", explanation="x", features=[], questions=["345+678"])], "0 of these are failures"),
    ],
)  # fmt: skip
async def test_a_call_that_makes_no_sense_is_answered_with_what_is_wrong_and_finds_nothing(
    desk: Desk, endpoint: Teaching, calls: list[Turn], answer: str
) -> None:
    endpoint.prober = scripted(calls)
    found = await explored(desk)
    assert found.guesses == []
    assert answer in told(endpoint)[0]


async def test_passing_answers_are_no_evidence(desk: Desk, endpoint: Teaching) -> None:
    passing = [f"1{i}5+678" for i in range(10)]
    report = calling("report_weakness", explanation="all is lost", features=[], questions=passing)
    endpoint.prober = scripted([calling("ask_student", questions=passing)], [report])
    found = await explored(desk)
    assert found.guesses == []
    assert found.attempts
    assert all(a.verdict.passed for a in found.attempts)


async def test_one_task_in_several_spellings_is_one_piece_of_evidence(filed: Desk, endpoint: Teaching) -> None:
    same = [f"{' ' * i}929+911" for i in range(6)]
    report = calling("report_weakness", explanation="again and again", questions=same)
    endpoint.prober = scripted([calling("ask_student", questions=same)], [report])
    assert (await explored(filed)).guesses == []
    assert "1 of these are failures" in told(endpoint)[-1]


async def test_a_prober_that_never_ends_is_ended(desk: Desk, endpoint: Teaching) -> None:
    endpoint.prober = lambda turns: [calling("recall", about=str(len(turns)))]
    before = len(endpoint.bodies)
    assert (await explored(desk)).guesses == []
    assert len(endpoint.bodies) - before == 6


async def test_a_model_that_calls_no_tool_finds_nothing(desk: Desk, endpoint: Teaching) -> None:
    endpoint.prober = lambda _: []
    assert await explored(desk) == ([], [])


async def test_a_student_that_gives_orders_is_quoted_as_data(desk: Desk, endpoint: Teaching) -> None:
    await explored(desk)
    results = told(endpoint)
    assert len(results) == 4
    assert all(
        text.startswith("<data>\n") and text.endswith("\n</data>") and text.count("</data>") == 1 for text in results
    )
