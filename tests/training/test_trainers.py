"""What every trainer promises, on a real small model."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest

from evolvent.benchmarks.trainers import ROUNDS, Lesson, prepare, teach
from evolvent.memory.errors import EvolventError, PartError
from evolvent.memory.inference import Completion, Request
from evolvent.memory.parts import PartSpec, known, load
from evolvent.memory.records import Task, Verdict
from evolvent.memory.talk import Question
from evolvent.scenarios.verifiers.exact import Exact
from evolvent.training import checkpoint
from evolvent.training.manner import Manner
from evolvent.training.trainer import Trainer, read_metrics, read_tasks, write_rows
from evolvent.training.trainers.sft import Sft
from evolvent.training.tries import (
    Try,
    agreed_answers,
    own_answers,
    read_tries,
    right_answers,
    try_out,
    write_tries,
)
from evolvent.training.tuning import Job
from evolvent.training.wording import Wording

from . import students

PACKAGE = "evolvent.training.trainers"
NAMES = known(PACKAGE)


def make_trainer(name: str, teacher: Path | None = None, **settings: Any) -> Trainer:
    settings |= {"teacher": teacher} if name == "distill" else {}
    return load(PartSpec(name=name, settings=settings), base=Trainer, package=PACKAGE, where="test")


def prepare_round(folder: Path, count: int = 48, *, wrong: str = "7") -> Path:
    """Put rows with their tasks and answers into a folder, every other one wrong; give an untrained student."""
    tasks = students.make_tasks(count)
    start = students.prepare(folder, tasks)
    write_rows(folder, [(t.id, t.prompt, t.answer) for t in tasks], tasks=tasks)
    said = [(t, wrong if i % 2 else t.answer) for i, t in enumerate(tasks)]
    write_tries(folder, [Try(t.id, t.prompt, t.answer, a, Exact().judge(t, a).score, wrong) for t, a in said])
    return start


def make_opening(prompt: Question) -> dict[str, Any]:
    return {"prompt": [{"role": "user", "content": prompt}]}


class Cutting:
    """An engine that knows nothing, and whose answer to one prompt is cut."""

    student = "cutting"
    forced = True
    paid = False

    def __init__(self, cut: str) -> None:
        self.cut = cut

    async def answer(self, requests: Sequence[Request]) -> list[Completion]:
        return [Completion("?", 1, complete=r.prompt != self.cut) for r in requests]

    async def agrees(self, pairs: Sequence[tuple[Question, str]]) -> list[bool]:
        return [False for _ in pairs]

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> Lesson:
    return prepare(tmp_path_factory.mktemp("lesson"), seed=0)


@pytest.mark.parametrize("name", NAMES)
def test_every_trainer_builds_from_its_defaults_and_steps_grow_with_samples(name: str, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").touch()
    trainer = make_trainer(name, tmp_path)
    assert trainer.name == name
    assert 1 <= trainer.steps(1) <= trainer.steps(500) <= trainer.steps(5000)


def test_every_trainer_is_examined_with_all_weights_and_with_an_adapter() -> None:
    assert sorted(trainer for trainer, _ in ROUNDS.values()) == sorted(NAMES * 2)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_trainer_leaves_a_model_and_its_figures(name: str, tmp_path: Path) -> None:
    start = prepare_round(tmp_path)
    done = make_trainer(name, start).train(tmp_path, start=start, seed=0, steps=2, verifier=Exact())
    assert (done.steps, done.tokens > 0) == (2, True)
    assert (tmp_path / "model" / "model.safetensors").is_file()
    assert (tmp_path / "metrics.jsonl").read_text().count("\n") == 2


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_same_folder_start_and_seed_give_the_same_weights(name: str, lesson: Lesson, tmp_path: Path) -> None:
    for again in ("one", "two"):
        teach(name, {"epochs": 1}, lesson, tmp_path / again, seed=0)
    made = [checkpoint.identify(tmp_path / again / "model") for again in ("one", "two")]
    assert made[0] == made[1] != checkpoint.identify(lesson.start)


@pytest.mark.slow
@pytest.mark.parametrize("round", ROUNDS)
def test_a_round_makes_the_student_better_beyond_chance(round: str, lesson: Lesson, tmp_path: Path) -> None:
    name, settings = ROUNDS[round]
    result = teach(name, settings, lesson, tmp_path, seed=0)
    assert result.interval.low > 0


@pytest.mark.slow
def test_a_teacher_of_other_tokens_is_refused_with_the_way_out(tmp_path: Path) -> None:
    from evolvent.training.trainers.distill import refusal

    start = prepare_round(tmp_path)
    tokenizer = checkpoint.load_tokenizer(start)
    other = checkpoint.load_tokenizer(start)
    assert refusal((tokenizer, 100), (other, 100)) is None
    assert "tells 128 tokens apart, the student 100" in str(refusal((other, 128), (tokenizer, 100)))
    other.add_tokens(["carry"])
    other.save_pretrained(start.rename(tmp_path / "teacher"))
    prepare_round(tmp_path)
    with pytest.raises(PartError, match=r"teacher's tokenizer is not the student's.*'carry'.*trainer.name = 'sft'"):
        make_trainer("distill", tmp_path / "teacher").require(start)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"teacher": "nowhere"}, "'nowhere' holds no safetensors; name the folder of a trained model"),
        ({"lmbda": 1.5}, "lmbda: .*less than or equal to 1"),
        pytest.param({"args": {"beta": 0.1}}, "'beta' .*: it is a setting of the trainer", marks=pytest.mark.slow),
        pytest.param(
            {"args": {"teacher_model_name_or_path": "x"}},
            "the teacher is the trainer's setting 'teacher'",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_distill_refuses_what_it_cannot_use(settings: dict[str, Any], said: str, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").touch()
    given = {"teacher": tmp_path, **settings}
    with pytest.raises(PartError, match=said):
        load(PartSpec(name="distill", settings=given), base=Trainer, package=PACKAGE, where="test")


def test_a_round_rests_on_the_weights_of_its_teacher(tmp_path: Path) -> None:
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"one")
    teaching = make_trainer("distill", tmp_path)
    before = teaching.rests_on()
    assert before == teaching.rests_on() != {}
    weights.write_bytes(b"two")
    assert teaching.rests_on() != before
    assert make_trainer("sft").rests_on() == {}


def test_a_round_rests_on_the_weights_under_a_teacher_that_is_an_adapter(tmp_path: Path) -> None:
    base, adapter = tmp_path / "base", tmp_path / "adapter"
    base.mkdir()
    adapter.mkdir()
    (base / "model.safetensors").write_bytes(b"one")
    (adapter / "adapter_model.safetensors").write_bytes(b"adapter")
    (adapter / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": str(base)}))
    before = make_trainer("distill", adapter).rests_on()
    (base / "model.safetensors").write_bytes(b"two")
    assert make_trainer("distill", adapter).rests_on() != before


def test_what_was_logged_is_read_thinned_to_its_last_entry_and_without_what_is_no_number(tmp_path: Path) -> None:
    assert read_metrics(tmp_path) == []
    entries = [{"step": n, "loss": float("nan") if n == 901 else 1.0, "epoch": 3} for n in range(1, 902)]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(e) + "\n" for e in entries))
    read = read_metrics(tmp_path)
    assert len(read) <= 200
    assert (read[0], read[-1]) == ({"step": 1, "loss": 1.0}, {"step": 901})


def test_pairs_are_wrong_answers_beside_the_right_ones(tmp_path: Path) -> None:
    from evolvent.training.trainers.dpo import read_pairs

    write_tries(tmp_path, [Try("a", "1+1", "2", "3", 0.0, "3"), Try("b", "1+2", "3", "3", 1.0, None)])
    (pair,) = read_pairs(tmp_path, make_opening)
    assert {key: turns[0]["content"] for key, turns in pair.items()} == {
        "prompt": "1+1",
        "chosen": "2",
        "rejected": "3",
    }


def test_a_round_without_a_wrong_answer_leaves_nothing_to_prefer(tmp_path: Path) -> None:
    from evolvent.training.trainers.dpo import read_pairs

    write_tries(tmp_path, [Try("a", "1+1", "2", "2", 1.0, None)])
    with pytest.raises(EvolventError, match=r"no whole answer is wrong.*train with 'sft'"):
        read_pairs(tmp_path, make_opening)


async def test_what_the_student_solves_is_told_apart_from_its_answer_to_another_task(tmp_path: Path) -> None:
    from evolvent.training.engines.scripted import Scripted

    tasks = [Task(skill="s", prompt=p, answer=a, key=p) for p, a in (("1+1", "20"), ("2+0", "20"), ("1*3", "30"))]
    engine = Scripted(fails=r"\*").open(tmp_path)
    tries = await try_out(engine, [(t.id, t, t.answer) for t in tasks], Exact(), longest=64)
    assert [(t.answer, t.passed, t.wrong) for t in tries] == [("20", True, "?"), ("20", True, "?"), ("?", False, "?")]


async def test_what_is_preferred_is_what_is_learned_with_the_reasoning_before_the_answer(tmp_path: Path) -> None:
    from evolvent.training.trainers.dpo import read_pairs

    task = students.make_tasks(4)[0]
    write_tries(
        tmp_path, await try_out(Cutting(""), [("a", task, f"step by step\n{task.answer}")], Exact(), longest=64)
    )
    (pair,) = read_pairs(tmp_path, make_opening)
    assert pair["chosen"][0]["content"] == f"step by step\n{task.answer}"
    assert pair["rejected"][0]["content"] == "?"


def test_the_reward_is_the_verifiers_score_of_each_answer_to_its_own_task() -> None:
    from evolvent.training.trainers.grpo import reward

    tasks = students.make_tasks(4)
    answers = [[{"role": "assistant", "content": tasks[n].answer}] for n in (2, 2, 0)]
    assert reward(Exact(), tasks)(prompts=[], completions=answers, number=[2, 1, 0]) == [1.0, 0.0, 1.0]


def test_where_the_verifier_can_say_nothing_there_is_no_reward() -> None:
    from evolvent.training.trainers.grpo import reward

    task, *_ = students.make_tasks(2)
    odd = task.model_copy(update={"answer": "about ten"})
    answers = ["about ten", task.answer]
    assert reward(Strict(), [odd, task])(completions=answers, number=[0, 1]) == [None, 1.0]


@pytest.mark.slow
def test_grpo_without_a_verifier_says_what_is_missing(tmp_path: Path) -> None:
    start = prepare_round(tmp_path)
    with pytest.raises(EvolventError, match="'grpo' needs a verifier"):
        make_trainer("grpo").train(tmp_path, start=start, seed=0, steps=1)


def test_a_batch_that_splits_a_group_of_answers_is_refused() -> None:
    with pytest.raises(PartError, match=r"batch \(60\) must be a multiple of generations \(8\)"):
        make_trainer("grpo", batch=60)


def test_rows_written_without_tasks_cannot_be_judged(tmp_path: Path) -> None:
    tasks = students.make_tasks(2)
    write_rows(tmp_path, [(t.id, t.prompt, t.answer) for t in tasks])
    with pytest.raises(EvolventError, match="no column 'task'"):
        read_tasks(tmp_path)
    write_rows(tmp_path, [(t.id, t.prompt, t.answer) for t in tasks], tasks=tasks)
    assert read_tasks(tmp_path) == tasks


async def test_tries_hold_what_the_student_said_and_leave_out_what_was_cut(tmp_path: Path) -> None:
    tasks = students.make_tasks(6)
    tries = await try_out(Cutting(tasks[0].prompt), [(t.id, t, t.answer) for t in tasks], Exact(), longest=64)
    write_tries(tmp_path, tries)
    assert read_tries(tmp_path) == tries
    assert [(t.sample, t.reference, t.answer, t.passed) for t in tries] == [
        (t.id, t.answer, "?", False) for t in tasks[1:]
    ]


class Strict(Exact):
    """Goes by numbers alone."""

    def judge(self, task: Task, answer: str) -> Verdict:
        if not task.answer.isdigit():
            raise ValueError(f"task {task.key!r}: its reference is no number")
        return super().judge(task, answer)


async def test_tries_leave_out_tasks_of_which_the_verifier_cannot_say_what_is_right(tmp_path: Path) -> None:
    first, *tasks = students.make_tasks(6)
    odd = first.model_copy(update={"answer": "about ten"})
    tries = await try_out(Cutting(""), [(t.id, t, t.answer) for t in [odd, *tasks]], Strict(), longest=64, draws=2)
    assert [t.sample for t in tries] == [t.id for t in tasks for _ in range(2)]


class Drawing(Cutting):
    """An engine that says the right answer in other words to every other draw, and is wrong otherwise."""

    def __init__(self, answers: Mapping[str, str]) -> None:
        super().__init__("")
        self.answers = answers
        self.asked: list[Request] = []

    async def answer(self, requests: Sequence[Request]) -> list[Completion]:
        self.asked += requests
        return [Completion(f" {self.answers[r.prompt]}." if r.seed % 2 else "?", 1, complete=True) for r in requests]


class Lenient(Exact):
    """Looks past a full stop."""

    def judge(self, task: Task, answer: str) -> Verdict:
        return super().judge(task, answer.rstrip("."))


async def test_own_answers_are_the_right_ones_in_other_words_each_once(tmp_path: Path) -> None:
    tasks = students.make_tasks(4)
    engine = Drawing({t.prompt: t.answer for t in tasks})
    tries = await try_out(engine, [(t.id, t, t.answer) for t in tasks], Lenient(), longest=64, draws=4)
    assert [(r.seed, r.temperature) for r in engine.asked[:4]] == [(n, 0.7) for n in range(4)]
    write_tries(tmp_path, tries)
    assert own_answers(read_tries(tmp_path)) == {t.id: [f"{t.answer}."] for t in tasks}


@pytest.mark.slow
def test_a_student_is_trained_on_its_own_right_answers_beside_the_samples(tmp_path: Path) -> None:
    tasks = students.make_tasks(8)
    start = students.prepare(tmp_path, tasks)
    write_tries(tmp_path, [Try(tasks[1].id, tasks[1].prompt, tasks[1].answer, "so 7", 1.0, None)])
    model, tokenizer = checkpoint.load(start)
    job = Job(tmp_path, start, model, Wording(tokenizer), seed=0, steps=None, verifier=None)
    trainer = Sft(rehearse=4, batch=4, epochs=1).build(job)
    texts = [str(tokenizer.decode(row["input_ids"], skip_special_tokens=True)) for row in trainer.train_dataset]
    assert len(texts) == 9
    assert texts[1].endswith(tasks[1].answer)
    assert texts[2].endswith("so 7")
    assert trainer.args.max_steps == 2


@pytest.mark.slow
@pytest.mark.parametrize("answers", ["own", "agreed"])
def test_a_student_is_trained_on_its_own_answers_in_the_place_of_the_samples(
    answers: Literal["own", "agreed"], tmp_path: Path
) -> None:
    tasks = students.make_tasks(8)
    start = students.prepare(tmp_path, tasks)
    said = {0: ["so 7"] * 4, 1: ["no 7", "no 8", "no 9", "so 7"]}
    score = {"so": 1.0, "no": 0.0}
    write_tries(
        tmp_path,
        [Try(t.id, t.prompt, t.answer, a, score[a[:2]], None) for n, t in enumerate(tasks[:2]) for a in said[n]],
    )
    model, tokenizer = checkpoint.load(start)
    job = Job(tmp_path, start, model, Wording(tokenizer), seed=0, steps=None, verifier=None)
    trainer = Sft(rehearse=4, batch=4, epochs=2, answers=answers).build(job)
    texts = [str(tokenizer.decode(row["input_ids"], skip_special_tokens=True)) for row in trainer.train_dataset]
    assert texts == [f"{task.prompt}so 7" for task in tasks[: 2 if answers == "own" else 1]]


def test_a_sample_that_draws_do_not_agree_on_has_no_agreed_answer() -> None:
    def tries(sample: str, *answers: str) -> list[Try]:
        return [Try(sample, "1+1", "2", answer, float(answer == "2"), None) for answer in answers]

    said = [*tries("wrong", "3", "3", "3", "2"), *tries("split", "2", "2", "3", "3"), *tries("cut", "2", "2")]
    assert agreed_answers(said, draws=4) == {"wrong": ["3"]}
    assert right_answers(said) == {"wrong": ["2"], "split": ["2"], "cut": ["2"]}


@pytest.mark.slow
def test_a_student_without_an_answer_of_its_own_that_may_be_learned_is_not_trained(tmp_path: Path) -> None:
    tasks = students.make_tasks(4)
    start = students.prepare(tmp_path, tasks)
    write_tries(tmp_path, [Try(task.id, task.prompt, task.answer, "no", 0.0, None) for task in tasks])
    with pytest.raises(EvolventError, match="no such answer to any of 4 samples; make tasks nearer to what it can"):
        Sft(rehearse=2, answers="own").train(tmp_path, start=start, seed=0)


def test_learning_from_own_answers_alone_needs_draws() -> None:
    with pytest.raises(PartError, match="learns from draws of the student; write rehearse = 4 beside it"):
        make_trainer("sft", answers="own")


def test_own_answers_need_several_draws_and_reasoning_that_is_not_told_apart(tmp_path: Path) -> None:
    with pytest.raises(PartError, match="draw at least 2, or 0 for none"):
        make_trainer("sft", rehearse=1)
    Manner(reasoning=("<think>", "</think>")).write(tmp_path)
    make_trainer("sft").require(tmp_path)
    with pytest.raises(PartError, match=r"trainer.rehearse = 4 would teach answers without the reasoning"):
        make_trainer("sft", rehearse=4).require(tmp_path)
