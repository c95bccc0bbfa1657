"""The real lm-eval and the real Inspect, on a student built here and tasks written here."""

import asyncio
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from evolvent.memory.errors import EvolventError
from evolvent.scenarios.schema import Student
from evolvent.training.evaluations.inspect import Inspect
from evolvent.training.evaluations.lm_eval import LmEval
from evolvent.training.student import build

pytestmark = pytest.mark.slow

harness = pytest.mark.skipif(find_spec("lm_eval") is None, reason="lm-eval is not installed: pip install lm-eval")
inspection = pytest.mark.skipif(
    find_spec("inspect_ai") is None, reason="Inspect is not installed: pip install inspect-ai"
)
TASK = """task: {name}
dataset_path: json
dataset_kwargs: {{data_files: {{test: {data}}}}}
test_split: test
output_type: {kind}
doc_to_text: "{{{{q}}}}="
doc_to_target: "{{{{a}}}}"
{more}
metric_list: [{{metric: {metric}, higher_is_better: {higher}}}]
"""


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built") / "student"
    build(Student(hidden=16, heads=2, layers=1), folder, seed=0)
    return folder


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tasks")
    data = folder / "items.jsonl"
    data.write_text("".join(f'{{"q": "{n}+1", "a": {n % 3}}}\n' for n in range(10, 30)))
    choices = 'doc_to_choice: ["1", "2", "3"]'
    free = "generation_kwargs: {until: ['\\n'], max_gen_toks: 4}"
    shown = f"{free}\nnum_fewshot: 2\nfewshot_split: test\ndescription: 'These are sums to be done:\n'"
    for name, kind, more, metric, higher in (
        ("sums_shown", "generate_until", shown, "exact_match", "true"),
        ("sums_said", "generate_until", free, "exact_match", "true"),
        ("sums_chosen", "multiple_choice", choices, "acc", "true"),
        ("sums_worse", "multiple_choice", choices, "acc", "false"),
    ):
        text = TASK.format(name=name, data=data, kind=kind, more=more, metric=metric, higher=higher)
        (folder / f"{name}.yaml").write_text(text)
    return folder


@harness
@pytest.mark.parametrize("task", ["sums_said", "sums_chosen", "sums_shown"])
def test_a_task_of_lm_eval_scores_every_item(task: str, student: Path, tasks: Path, tmp_path: Path) -> None:
    evaluation = LmEval(task=task, path=str(tasks), limit=12)
    items = asyncio.run(evaluation.run(student, tmp_path, where="own"))
    assert [item.id for item in items] == [f"{task}/{n:06}" for n in range(12)]
    assert {item.score for item in items} <= {0.0, 1.0}
    assert items[0].prompt == "10+1="


@harness
@pytest.mark.parametrize(
    ("task", "metric", "said"),
    [
        ("sums_sayd", "", "lm-eval has no task 'sums_sayd'; it has .*sums_said"),
        ("sums_worse", "", "'acc' of task 'sums_worse' is better where it is lower"),
        ("sums_chosen", "f1", "task 'sums_chosen' has no metric 'f1'; it has: acc"),
    ],
)
def test_a_task_of_lm_eval_that_cannot_guard_is_refused(
    task: str, metric: str, said: str, student: Path, tasks: Path, tmp_path: Path
) -> None:
    with pytest.raises(EvolventError, match=said):
        asyncio.run(LmEval(task=task, path=str(tasks), metric=metric, limit=4).run(student, tmp_path, where="own"))


INSPECT = """
from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.scorer import includes, match
from inspect_ai.solver import generate


@task
def sums(least: int = 10):
    samples = [Sample(id=n, input=f"{n}+1=", target="") for n in range(least, least + 9)]
    return Task(dataset=samples, solver=generate(), scorer=[includes(), match()])
"""


@inspection
def test_a_task_of_inspect_scores_every_item(student: Path, tmp_path: Path) -> None:
    (tmp_path / "evals.py").write_text(INSPECT)
    run = tmp_path / "run"
    run.mkdir()
    own = f"{tmp_path}/evals.py@sums"
    evaluation = Inspect(path=own, arguments={"least": 20}, metric="includes", limit=5, longest=4)
    items = asyncio.run(evaluation.run(student, run, where="own"))
    assert [(item.id, item.score, item.prompt) for item in items] == [(f"{n}", 1.0, f"{n}+1=") for n in range(20, 25)]


STRANGE = """
from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.model import ChatMessageSystem, ChatMessageUser, get_model
from inspect_ai.scorer import Score, mean, scorer
from inspect_ai.solver import generate

ASKED = [ChatMessageSystem(content="Do sums."), ChatMessageUser(content="1+1=")]


def judge(value):
    @scorer(metrics=[mean()], name="judge")
    def judging():
        async def score(state, target):
            return Score(value=value)

        return score

    return judging()


@task
def listed():
    return Task(dataset=[Sample(id=1, input="1+1=")], solver=generate(), scorer=judge({"right": 1}))


@task
def worded():
    return Task(dataset=[Sample(id=1, input="1+1=")], solver=generate(), scorer=judge("fair"))


@task
def rated():
    return Task(dataset=[Sample(id=1, input="1+1=")], solver=generate(), scorer=judge(7))


@task
def spoken():
    return Task(dataset=[Sample(id=1, input=ASKED)], solver=generate(), scorer=judge("P"))


@task
def other():
    return Task(dataset=[Sample(id=1, input="1+1=")], scorer=judge(1), model=get_model("mockllm/model"))
"""


@inspection
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("@listed", "'judge' gives item 1 {'right': 1}, which is no score from 0 to 1"),
        ("@worded", "'judge' gives item 1 'fair', which is no score from 0 to 1"),
        ("@rated", "'judge' gives item 1 7, which is no score from 0 to 1"),
        ("@other", "asked mockllm/model, not the student"),
        ("", "holds 5 tasks: listed, other, rated, spoken, worded; say which"),
        ("@none", "none"),
    ],
)
def test_a_task_of_inspect_that_cannot_guard_is_refused(name: str, said: str, student: Path, tmp_path: Path) -> None:
    place = tmp_path / "me@home"
    run = tmp_path / "run"
    place.mkdir()
    run.mkdir()
    (place / "evals.py").write_text(STRANGE)
    own = Inspect(path=f"{place}/evals.py{name}", longest=4)
    with pytest.raises(EvolventError, match=re.escape(said)):
        asyncio.run(own.run(student, run, where="own"))


@inspection
def test_of_a_task_that_is_spoken_what_the_user_says_is_the_prompt(student: Path, tmp_path: Path) -> None:
    (tmp_path / "evals.py").write_text(STRANGE)
    run = tmp_path / "run"
    run.mkdir()
    (item,) = asyncio.run(Inspect(path=f"{tmp_path}/evals.py@spoken", longest=4).run(student, run, where="own"))
    assert (item.score, item.prompt) == (0.5, "1+1=")
    assert "huggingface.co" not in (run / "log.txt").read_text(), "asked the hub for a model"


@inspection
def test_a_scorer_that_a_task_of_inspect_has_not_is_refused(student: Path, tmp_path: Path) -> None:
    (tmp_path / "evals.py").write_text(INSPECT)
    run = tmp_path / "run"
    run.mkdir()
    own = Inspect(path=f"{tmp_path}/evals.py@sums", metric="f1", limit=2, longest=4)
    with pytest.raises(EvolventError, match="was not scored by 'f1'; its scorers: includes, match"):
        asyncio.run(own.run(student, run, where="own"))
