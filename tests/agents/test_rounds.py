"""What a round's folder holds before a trainer sees it."""

from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest

from evolvent.agents.desk import BASE
from evolvent.agents.rounds import train_round
from evolvent.memory.errors import RunError
from evolvent.memory.origin import Origin
from evolvent.memory.records import Sample
from evolvent.training.trainer import Trainer, is_ordered, read_rows
from evolvent.training.tries import read_tries

from .desks import make_desk


class Leaving(Trainer):
    """Trains nothing, and so leaves the data where they are."""

    @property
    def draws(self) -> int:
        return 1

    def train(self, folder: Path, **_: object) -> NoReturn:
        raise RunError(str(folder))

    def steps(self, samples: int) -> int:
        return samples


async def test_a_trainer_that_prefers_answers_gets_the_reasoning_that_others_learn(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    desk.path(BASE).mkdir()
    desk.parts = replace(desk.parts, trainer=Leaving())
    task = desk.splits.draw("subtract", "train", 1, stream="test")[0]
    origin = Origin(operator="rationale", parents=(), reasoning="first this, then that")
    sample = Sample(
        task=task, arm="targeted", round=1, weakness=None, teacher="llm", recipe="think", origin=origin
    )  # fmt: skip
    with pytest.raises(RunError) as left:
        await train_round(desk, 1, [sample], arm="targeted", start=BASE)
    folder = Path(str(left.value))
    desk.close()
    learned = f"first this, then that\n{task.answer}"
    assert read_rows(folder) == [(task.prompt, learned)]
    assert [one.reference for one in read_tries(folder)] == [learned]


@pytest.mark.parametrize(
    ("curation", "ordered"), [({}, False), ({"orderer": "shuffle"}, False), ({"orderer": "interleave"}, True)]
)
async def test_training_keeps_to_the_order_of_an_orderer_that_wants_it(
    curation: dict[str, str], ordered: bool, tmp_path: Path
) -> None:
    desk = make_desk(tmp_path, curation=curation)
    desk.path(BASE).mkdir()
    desk.parts = replace(desk.parts, trainer=Leaving())
    tasks = [t for skill in ("subtract", "multiply") for t in desk.splits.draw(skill, "train", 4, stream="test")]
    samples = [Sample(task=t, arm="targeted", round=1, weakness=None, teacher="program", recipe="draw") for t in tasks]
    with pytest.raises(RunError) as left:
        await train_round(desk, 1, samples, arm="targeted", start=BASE, student=BASE)
    desk.close()
    assert is_ordered(Path(str(left.value))) is ordered
    skill_of = {task.prompt: task.skill for task in tasks}
    told = [skill_of[str(question)] for question, _ in read_rows(Path(str(left.value)))]
    assert (told == ["multiply", "subtract"] * 4) is ordered
