import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from evolvent.agents.teacher import Teacher
from evolvent.agents.teachers.llm import Llm
from evolvent.agents.teachers.pool import Pool as PoolTeacher
from evolvent.agents.teachers.pool import nearest
from evolvent.agents.teachers.program import Program
from evolvent.memory.embedders.hashing import Hashing
from evolvent.memory.inference import Models
from evolvent.memory.parts import PartSpec, known, load
from evolvent.memory.records import Sample, Share, Weakness
from evolvent.scenarios.source import Source
from evolvent.scenarios.splits import Splits
from evolvent.training.engines.openai import OpenAI

from ..endpoint import MODEL, serving
from ..teaching import Teaching
from .desks import make_attempt, make_scenario

PACKAGE = "evolvent.agents.teachers"


@pytest.fixture
def splits() -> Splits:
    scenario = make_scenario()
    return Splits(
        scenario, load(scenario.source, base=Source, package="evolvent.scenarios.sources", where="test"), seed=0
    )


@pytest.fixture(params=known(PACKAGE))
def teacher(request: pytest.FixtureRequest) -> Teacher:
    return load(PartSpec(name=request.param), base=Teacher, package=PACKAGE, where="test")


@pytest.fixture(scope="module")
def models() -> Iterator[Models]:
    with serving(Teaching()) as endpoint:
        model = OpenAI(base_url=endpoint.url, model=MODEL).serve("teacher")
        yield {"teacher": model, "judge": model}
        model.close()


def share(samples: int = 20) -> Share:
    return Share(round=1, skill="multiply", weakness=None, samples=samples, reason="test")


def weakness(*rule: str) -> Weakness:
    return Weakness(skill="multiply", hypothesis="", rule=rule, round=1, failures=("f",), p_value=0.0)


async def test_every_teacher_that_draws_its_tasks_writes_training_tasks_only(teacher: Teacher, splits: Splits) -> None:
    if isinstance(teacher, Llm):
        pytest.skip("it writes tasks of its own; curation keeps the ones that may be trained on")
    written = await teacher.write(share(), None, 20, splits, attempt=1)
    assert len(written) == 20
    assert {splits.part(s.task.key) for s in written} == {"train"}


async def test_every_teacher_writes_the_same_again(teacher: Teacher, splits: Splits, models: Models) -> None:
    first = await teacher.write(share(), None, 20, splits, attempt=1, models=models)
    assert len(first) > 15
    assert first == await teacher.write(share(), None, 20, splits, attempt=1, models=models)
    assert first != await teacher.write(share(), None, 20, splits, attempt=2, models=models)


async def test_every_teacher_says_which_failures_a_sample_answers(
    teacher: Teacher, splits: Splits, models: Models
) -> None:
    found = weakness("product 21 anywhere")
    written = await teacher.write(share(), found, 10, splits, attempt=1, models=models)
    assert {(s.weakness, s.failures) for s in written} == {(found.id, ("f",))}
    aimed = [s for s in written if "product 21 anywhere" in s.task.features]
    assert len(aimed) >= len(written) / 3


async def test_every_teacher_judges_and_repairs_or_leaves_it_to_others(
    teacher: Teacher, splits: Splits, models: Models
) -> None:
    (sample, *_) = await teacher.write(share(), None, 1, splits, attempt=1, models=models)
    assert len(await teacher.judge([sample], models=models)) == 1
    assert len(await teacher.repair([(sample, "wrong")], splits, models=models)) == 1


async def test_the_program_names_the_structure_that_fails(splits: Splits) -> None:
    common = ("add", "digits 3")
    attempts = [make_attempt(passed=True, features=(*common, f"sum {i % 9}"), number=i) for i in range(80)]
    attempts += [make_attempt(passed=False, features=(*common, "sum 9"), number=100 + i) for i in range(8)]
    (found,) = await Program().diagnose("add", attempts, [], splits)
    assert found.rule == ("sum 9",)
    assert len(found.failures) == 8


async def test_the_program_sees_no_structure_in_noise(splits: Splits) -> None:
    attempts = [make_attempt(passed=i % 2 == 0, features=(f"last {i % 10 // 2}",), number=i) for i in range(100)]
    assert [h.rule for h in await Program().diagnose("coin", attempts, [], splits) if h.rule] == []


async def test_the_program_errs_as_often_as_it_is_told(splits: Splits) -> None:
    def wrong(samples: list[Sample], solve: Callable[..., str | None]) -> int:
        return sum(solve(s.task) != s.task.answer for s in samples)

    honest = await Program().write(share(200), None, 200, splits, attempt=1)
    erring = await Program(errs=0.3).write(share(200), None, 200, splits, attempt=1)
    assert wrong(honest, splits.source.solve) == 0
    assert 40 <= wrong(erring, splits.source.solve) <= 80


async def test_failures_without_a_pattern_still_make_the_skill_weak(splits: Splits) -> None:
    attempts = [make_attempt(passed=i % 3 > 0, features=(f"digit {i % 7}",), number=i) for i in range(120)]
    (found,) = await Program().diagnose("add", attempts, [], splits)
    assert found.rule == ()
    assert found.words == "fails in 'add' in 40 of 120 tasks"


async def test_the_pool_picks_what_is_nearest_to_each_failure_in_turn(splits: Splits) -> None:
    tasks = splits.draw("multiply", "train", 200, stream="test")
    failed = [make_attempt(passed=False, number=i).model_copy(update={"task": tasks[i]}) for i in (3, 50)]
    embed = Hashing().embed
    picked = nearest(tasks, failed, 6, embed)
    assert picked[:2] == [3, 50]
    texts = embed([f"{t.skill}: {t.own} -> {t.answer} [{', '.join(t.features)}]" for t in tasks])
    wanted: list[int] = []
    # brute force: each failure in turn takes the likest task that nobody has taken at its own rank
    ranks = [sorted(range(200), key=lambda i: (-float(texts[i] @ texts[own]), i)) for own in (3, 50)]
    for rank in range(200):
        wanted += [own[rank] for own in ranks if own[rank] not in wanted]
    assert picked == wanted[:6]


async def test_the_pool_picks_from_a_file_what_may_be_trained_on(splits: Splits, tmp_path: Path) -> None:
    drawn = [t for part in ("train", "probe", "report") for t in splits.draw("multiply", part, 30, stream="x")]
    path = tmp_path / "mine.jsonl"
    path.write_text(
        "".join(json.dumps({"prompt": t.prompt, "answer": t.answer, "skill": t.skill}) + "\n" for t in drawn)
    )
    picked = await PoolTeacher(tasks=str(path)).write(share(), None, 100, splits, attempt=1)
    assert {s.task.key for s in picked} == {t.key for t in drawn[:30]}
    assert {s.recipe for s in picked} == {"picked from mine.jsonl"}
    known = {s.task.key for s in picked[:20]}
    again = await PoolTeacher(tasks=str(path)).write(share(), None, 100, splits, attempt=2, beside=known)
    assert known.isdisjoint(s.task.key for s in again)
    assert len(again) == 10


def test_a_pool_without_its_file_says_where_it_looked() -> None:
    with pytest.raises(ValueError, match=r"no such file: 'gone.jsonl'; a path is relative to the scenario's folder"):
        PoolTeacher(tasks="gone.jsonl")


async def test_the_pool_names_the_feature_that_fails(splits: Splits) -> None:
    attempts = [make_attempt(passed=True, features=("add", f"sum {i % 9}"), number=i) for i in range(80)]
    attempts += [make_attempt(passed=False, features=("add", "sum 9"), number=100 + i) for i in range(8)]
    (found,) = await PoolTeacher().diagnose("add", attempts, [], splits)
    assert found.rule == ("sum 9",)
    assert len(found.failures) == 8
    assert await PoolTeacher().diagnose("add", attempts[:80], [], splits) == []


def test_a_pool_rests_on_the_bytes_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text('{"prompt": "1", "answer": "2", "skill": "s"}\n')
    before = PoolTeacher(tasks=str(path)).rests_on()
    path.write_text('{"prompt": "1", "answer": "3", "skill": "s"}\n')
    assert before.keys() == {"teacher.tasks"}
    assert PoolTeacher(tasks=str(path)).rests_on() != before
    assert PoolTeacher().rests_on() == {}
