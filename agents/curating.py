"""The rules every training set is held to, whoever drew it: no leak, nothing too long, nothing twice."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from ..memory.records import Sample, Task
from ..training.curation.duplicates import Duplicates
from ..training.curation.pipeline import Curated, curate
from .desk import Desk

NOBODY: Mapping[str, str] = MappingProxyType({})


def sift(
    candidates: Sequence[Sample],
    *,
    round: int,
    desk: Desk,
    duplicates: Duplicates,
    refused: Mapping[str, str] = NOBODY,
) -> Curated:
    """Decide which candidates may be trained on; every one gets a fate with its reason.

    Args:
        candidates: what was written or drawn; their order does not matter.
        round: the round they are filed under.
        desk: where.
        duplicates: knows what is kept in the same set; the kept ones are added to it.
        refused: sample id to reason, for those critique turned down.
    """
    said = {s.id: desk.reader.refusal(s.task.question, s.task.answer) for s in candidates}
    foreign = {id: f"refused: {why}" for id, why in said.items() if why is not None}
    longest = min(desk.parts.trainer.longest, desk.reader.positions)
    return curate(
        candidates,
        {**foreign, **refused},
        round=round,
        contamination=desk.contamination,
        duplicates=duplicates,
        too_long=lambda s: desk.reader.length(s.task.question, s.completion) > longest,
    )


def trainable(tasks: Sequence[Task], desk: Desk) -> list[Task]:
    """Tasks of a set of its own that pass the rules, each once, in the order they came in."""
    by_id = {task.id: task for task in tasks}
    samples = [
        Sample(task=task, arm="control", round=0, weakness=None, teacher="first", recipe="draw")
        for task in by_id.values()
    ]
    kept = {s.task.id for s in sift(samples, round=0, desk=desk, duplicates=desk.no_duplicates()).kept}
    return [task for id, task in by_id.items() if id in kept]
