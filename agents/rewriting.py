"""A sample in other words: another one, which is checked like any other."""

from collections.abc import Mapping, Sequence

from ..memory.origin import Origin, Parent
from ..memory.records import Critique, Sample, Task
from .desk import Desk
from .judging.checking import FORMAT, check, critique


def rewritten(
    sample: Sample, desk: Desk, *, operator: str, teacher: str, recipe: str, prompt: str | None = None,
    answer: str | None = None, reasoning: str | None = None,
) -> Sample:  # fmt: skip
    """The sample with some of its words replaced, with its lineage and the original as its parent.

    Args:
        sample: the original.
        desk: where.
        operator: what made it another one.
        teacher: who.
        recipe: how.
        prompt: the question as it should be asked; None leaves it, as do the others.
        answer: the answer as it should be given.
        reasoning: what should lead to it.
    """
    task = sample.task
    parent = Parent(kind="sample", id=sample.id, prompt=task.prompt, answer=task.answer)
    base = sample.origin or Origin(operator=operator, parents=())
    update: Mapping[str, object] = {
        "operator": operator,
        "parents": (parent,),
        "reasoning": base.reasoning if reasoning is None else reasoning,
    }
    return sample.model_copy(
        update={
            "task": _task(task, prompt, answer, desk),
            "teacher": teacher,
            "recipe": recipe,
            "origin": base.model_copy(update=update),
        }
    )


async def recheck(samples: Sequence[Sample], desk: Desk, *, by: Sequence[str], judge: str) -> list[Critique]:
    """What is said of rewritten samples: the program decides where there is one, else whoever rewrote it has.

    Args:
        samples: as they are now.
        desk: where.
        by: who rewrote each, for the reason.
        judge: the judge they are filed under where no program decides.
    """
    foreign = [_foreign(sample, desk) for sample in samples]
    checked = iter(await check([s for s, found in zip(samples, foreign, strict=True) if found is None], desk))
    return [
        found or next(checked) or critique(sample, judge, True, f"no second way to work it; {who} wrote it")
        for sample, who, found in zip(samples, by, foreign, strict=True)
    ]


def _foreign(sample: Sample, desk: Desk) -> Critique | None:
    """Refuse what is no task of its skill."""
    if sample.task.talk is None:
        try:
            desk.splits.adopt(sample.task.skill, sample.task.prompt, sample.task.answer)
        except ValueError as error:
            return critique(sample, FORMAT, False, f"foreign: {error}")
    return None


def _task(task: Task, prompt: str | None, answer: str | None, desk: Desk) -> Task:
    answer = task.answer if answer is None else answer
    if prompt is None or prompt == task.prompt:
        return task.model_copy(update={"answer": answer})
    try:
        return desk.splits.adopt(task.skill, prompt, answer)
    except ValueError:
        return Task(skill=task.skill, prompt=prompt, answer=answer, key=f"foreign:{prompt}")
