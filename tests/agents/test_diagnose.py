from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from evolvent.agents.desk import Desk
from evolvent.agents.graph import nodes
from evolvent.agents.node import State
from evolvent.agents.remembering import describe, failure_entries
from evolvent.agents.teacher import NOBODY, Hypothesis, Models
from evolvent.agents.teachers.program import Program
from evolvent.memory.recall import Entry
from evolvent.memory.records import Attempt, Observation, Prediction, Probe, Weakness
from evolvent.scenarios.splits import Splits

from .desks import make_desk

START = State(
    round=1, student="scripted", path="base", candidate="", candidate_path="", attempt=0, missing=0, finished=False,
    approved=True, effects=0,
)  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = make_desk(tmp_path)
    yield made
    made.close()


async def probe_and_diagnose(desk: Desk) -> list[Observation]:
    steps = nodes()
    await steps["probe"].run(START, desk)
    await steps["diagnose"].run(START, desk)
    return desk.ledger.read(Observation)


async def test_a_skill_that_fails_throughout_becomes_an_open_weakness(desk: Desk) -> None:
    (seen,) = await probe_and_diagnose(desk)
    weakness = desk.ledger.get(Weakness, seen.weakness)
    assert (weakness.skill, weakness.rule, seen.state) == ("multiply", (), "open")


async def test_a_hypothesis_is_tested_on_fresh_probes_before_it_is_believed(desk: Desk) -> None:
    await probe_and_diagnose(desk)
    (prediction,) = desk.ledger.read(Prediction)
    assert prediction.tried == desk.scenario.probe.aimed
    assert abs(prediction.foreseen - prediction.passed / prediction.tried) < 0.1


class Twice(Program):
    """Says everything in two wordings."""

    async def diagnose(
        self, skill: str, attempts: Sequence[Attempt], elsewhere: Sequence[Attempt], splits: Splits, *,
        models: Models = NOBODY,
    ) -> list[Hypothesis]:  # fmt: skip
        said = await super().diagnose(skill, attempts, elsewhere, splits, models=models)
        return [replace(one, words=one.words + again) for one in said for again in ("", " indeed")]


async def test_no_two_hypotheses_are_tested_on_the_same_tasks(tmp_path: Path) -> None:
    few = {"task": {"operation": "multiply", "digits": 2, "by": [2, 9]}}
    desk = make_desk(tmp_path, skills={"add": {"guard": True, "task": {"operation": "add"}}, "multiply": few})
    desk.parts = replace(desk.parts, teacher=Twice())
    await probe_and_diagnose(desk)
    first, second = desk.ledger.read(Prediction)
    tasks = [a.task.key for a in desk.ledger.read(Attempt) if a.purpose == "prediction"]
    desk.close()
    assert len(set(tasks)) == len(tasks) == first.tried + second.tried


async def test_what_memory_holds_changes_the_decision(desk: Desk, tmp_path: Path) -> None:
    await probe_and_diagnose(desk)
    (found,) = desk.ledger.read(Weakness)
    other = make_desk(tmp_path / "other")
    label = {"kind": "weakness", "weakness": "before", "skill": "multiply", "state": "abandoned", "round": 3}
    other.recall.remember("earlier", [Entry("before@3", describe(found.skill, found.hypothesis, found.rule), label)])
    (seen,) = await probe_and_diagnose(other)
    other.close()
    assert (seen.state, seen.recalled) == ("abandoned", ("before",))


async def test_a_memory_of_another_skill_changes_nothing(desk: Desk) -> None:
    label = {"kind": "weakness", "weakness": "before", "skill": "subtract", "state": "abandoned", "round": 3}
    desk.recall.remember("earlier", [Entry("before@3", "multiply: fails in 'multiply' throughout []", label)])
    (seen,) = await probe_and_diagnose(desk)
    assert seen.state == "open"


async def test_probing_stops_early_where_the_sequential_test_has_decided(desk: Desk) -> None:
    await nodes()["probe"].run(START, desk)
    tried = {p.skill: p.tried for p in desk.ledger.read(Probe)}
    assert tried["multiply"] == desk.scenario.probe.least
    assert tried["subtract"] == desk.scenario.probe.most


async def test_a_node_that_runs_again_asks_nothing_twice(desk: Desk) -> None:
    await probe_and_diagnose(desk)
    before = desk.ledger.committed()
    await probe_and_diagnose(desk)
    assert desk.ledger.committed() == before


async def test_exam_items_never_enter_the_vector_memory(desk: Desk) -> None:
    steps = nodes()
    await probe_and_diagnose(desk)
    await steps["reflect"].run(START, desk)
    sealed = {task.prompt for split in ("select", "guard", "report") for task in desk.items(split)}
    remembered = " ".join(r.text for r in desk.recall.recall(["multiply"], 100)[0])
    assert remembered
    assert not any(f" {prompt} " in remembered for prompt in sealed)


async def test_failures_of_earlier_rounds_come_to_mind(desk: Desk, tmp_path: Path) -> None:
    await probe_and_diagnose(desk)
    other = make_desk(tmp_path / "other")
    failed = [a for a in desk.ledger.read(Attempt) if not a.verdict.passed][:5]
    other.recall.remember("earlier", failure_entries(failed))
    (seen,) = await probe_and_diagnose(other)
    other.close()
    assert "similar failures remembered" in seen.reason


async def test_a_weakness_is_followed_on_tasks_that_were_never_asked_before(desk: Desk) -> None:
    steps = nodes()
    await probe_and_diagnose(desk)
    rule = ("operand has 7",)
    weakness = Weakness(skill="multiply", hypothesis="", rule=rule, round=1, failures=(), p_value=0.0)
    desk.ledger.intend("found", "found", 1)
    desk.ledger.commit("found", {}, [weakness], 0.0, meta={})
    await steps["probe"].run({**START, "round": 2}, desk)
    first, second = ({a.task.key for a in desk.ledger.read(Attempt, round=r)} for r in (1, 2))
    aimed = [a for a in desk.ledger.read(Attempt, round=2) if a.purpose == "aimed"]
    assert len(aimed) == desk.scenario.probe.aimed
    assert first.isdisjoint(second)
    assert len(second) == desk.ledger.count(Attempt, round=2)


async def test_a_task_already_seen_to_fail_is_no_fresh_observation(tmp_path: Path) -> None:
    skills = {
        "add": {"guard": True, "task": {"operation": "add"}},
        "multiply": {"task": {"operation": "multiply", "digits": 1}},
    }
    desk = make_desk(tmp_path, skills=skills, probe={"least": 64, "batch": 64, "most": 64, "aimed": 64})
    weakness = Weakness(skill="multiply", hypothesis="", rule=("multiply",), round=1, failures=(), p_value=0.0)
    await nodes()["probe"].run(START, desk)
    desk.ledger.intend("found", "found", 1)
    desk.ledger.commit("found", {}, [weakness], 0.0, meta={})
    await nodes()["probe"].run({**START, "round": 2}, desk)
    await nodes()["diagnose"].run({**START, "round": 2}, desk)
    before = {a.task.key for a in desk.ledger.read(Attempt, round=1)}
    again = {a.task.key for a in desk.ledger.read(Attempt, round=2) if a.task.skill == "multiply"}
    (seen,) = desk.ledger.read(Observation, subject=weakness.id)
    desk.close()
    assert again & before
    assert seen.tried == len(again - before)
