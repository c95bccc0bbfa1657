"""Whether a session could be held on a scenario at all, however few its items.

It needs tasks for every end, of a length that the trainer takes, and no planted defect that no task has.
"""

from collections.abc import Iterator
from typing import get_args

from ..memory.errors import suggest
from ..scenarios.splits import Part, Splits
from ..training.reading import Reader
from ..training.trainer import Trainer

LOOKED = 200
"""Tasks of a skill that are looked at."""
STREAM = "validation"


def unteachable(splits: Splits, trainer: Trainer, reader: Reader) -> list[str]:
    """Say what makes a session pointless or impossible, skill by skill."""
    found: list[str] = []
    most = min(trainer.longest, reader.positions)
    for skill in sorted(splits.scenario.skills):
        found += [
            *_lacking(skill, splits),
            *_long(skill, splits, most, reader),
            *_planted(skill, splits),
        ]
    return found


def _lacking(skill: str, splits: Splits) -> Iterator[str]:
    """Ends for which a skill has not a single task."""
    if not splits.small(skill):
        return
    if lacking := [part for part in get_args(Part) if not splits.draw(skill, part, 1, stream=STREAM)]:
        tasks = splits.source.size(skill, splits.scenario.skills[skill].task)
        yield f"skills.{skill}: of its {tasks:,} distinct tasks none falls to {', '.join(lacking)}; widen the skill"


def _long(skill: str, splits: Splits, most: int, reader: Reader) -> Iterator[str]:
    """A skill most of whose tasks curation would turn down as too long."""
    drawn = splits.draw(skill, "train", LOOKED, stream=STREAM)
    tasks = [task for task in drawn if reader.refusal(task.question, task.answer) is None]
    lengths = [reader.length(task.question, task.answer) for task in tasks]
    if 2 * (count := sum(length > most for length in lengths)) > len(tasks):
        yield (
            f"skills.{skill}: {count:,} of {len(tasks):,} tasks are too long for trainer.longest {most:,}, "
            f"the longest by {max(lengths) - most:,}; raise it, or keep questions and answers short"
        )


def _planted(skill: str, splits: Splits) -> Iterator[str]:
    """Features that the first training is to lack and that no task has."""
    unwanted = splits.scenario.student.first.skills.get(skill, ())
    known = {feature for task in splits.draw(skill, "train", LOOKED, stream=STREAM) for feature in task.features}
    for feature in unwanted:
        if feature not in known and not splits.draw(skill, "train", 1, stream=STREAM, having=(feature,)):
            near = suggest(feature, sorted(known))
            yield f"student.first.skills.{skill}: no task of the skill has the feature {feature!r}{near}"
