"""Whole sessions with every way of training."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from evolvent.memory.ledger import Ledger
from evolvent.memory.records import Promotion, Round
from evolvent.training import checkpoint
from evolvent.training.trainer import read_tasks
from evolvent.training.tries import read_tries

from ..killing import MINI, session


def run(folder: Path, *settings: str) -> tuple[Path, list[Round], list[Promotion]]:
    """Run the mini session with some settings; give its folder, its targeted rounds and their promotions."""
    ended = session("run", MINI, "--json", *(word for one in settings for word in ("--set", one)), folder=folder)
    assert ended.code == 0, ended.said
    assert not [bar for bar in ("[RANK", "examples/s") if bar in ended.said]
    found = Path(ended.events[0]["dir"])
    ledger = Ledger(found / "ledger.sqlite", read_only=True)
    rounds, promotions = ledger.read(Round), ledger.read(Promotion)
    ledger.close()
    return found, sorted((r for r in rounds if r.arm == "targeted"), key=lambda r: r.number), promotions


@pytest.mark.slow
@pytest.mark.parametrize("start", ["base", "promoted"])
def test_a_session_with_adapters_trains_each_on_the_first_student(start: str, tmp_path: Path) -> None:
    found, rounds, promotions = run(
        tmp_path, "trainer.lora.rank=8", "trainer.learning_rate=0.01", f"trainer.start={start}", "gate.alpha=0.49"
    )
    base = checkpoint.identify(found / "base")
    assert len(rounds) == 2
    for made in rounds:
        config = json.loads((found / made.path / "adapter_config.json").read_text())
        assert (config["base_model_name_or_path"], config["r"]) == (str((found / "base").resolve()), 8)
        assert made.checkpoint == checkpoint.identify(found / made.path)
    promoted = {p.candidate for p in promotions if p.promoted and p.round < 2}
    assert rounds[0].start == base
    assert rounds[1].start == (base if start == "base" or not promoted else promoted.pop())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dpo", "kto", "grpo"])
def test_a_session_trains_on_the_students_own_answers(name: str, tmp_path: Path) -> None:
    found, rounds, _ = run(tmp_path, f"trainer.name={name}", "trainer.batch=16")
    assert [made.steps > 0 for made in rounds] == [True, True]
    data = (found / rounds[-1].path).parent / "data"
    tasks = {task.key: task for task in read_tasks(data.parent)}
    assert len(tasks) == rounds[-1].samples
    if name != "grpo":
        tries = read_tries(data.parent)
        assert {t.sample for t in tries} <= {
            str(i) for i in pq.read_table(data / "train.parquet")["sample"].to_pylist()
        }
        assert not all(t.passed for t in tries)


@pytest.mark.slow
def test_a_session_whose_rounds_are_processes_comes_to_what_an_inline_one_does(tmp_path: Path) -> None:
    settings = ("trainer.batch=16", "rounds.most=1", "control=false")
    inline = run(tmp_path, *settings)[1]
    found, child, _ = run(tmp_path, *settings, "train.process=child")
    assert [(r.checkpoint, r.dataset, r.loss) for r in child] == [(r.checkpoint, r.dataset, r.loss) for r in inline]
    left = sorted(p.name for p in (found / child[0].path).parent.iterdir())
    assert {"model", "round.json", "order.json", "training.log"} <= set(left)
    assert not {"lease", "lock", "failure"} & set(left)


@pytest.mark.slow
def test_a_teacher_of_other_tokens_is_refused_before_the_student_is_examined(tmp_path: Path) -> None:
    from ..training.brought import make_model

    teacher = make_model(tmp_path / "teacher")
    ended = session(
        "run", MINI, "--json", "--set", "trainer.name=distill", "--set", f"trainer.teacher={teacher}", folder=tmp_path
    )
    assert ended.code == 2
    assert "the teacher's tokenizer is not the student's" in ended.said
    assert "baseline" not in [event["event"] for event in ended.events]
