"""The user's own evaluations: every student that may be promoted is put through them, and none may get worse in one.

A student is evaluated once, whatever becomes of the session. What the items ask is kept beside their scores, so that
nothing like it is trained on.
"""

from collections.abc import Sequence
from pathlib import Path

from ..memory.effects import Outcome
from ..memory.errors import EvolventError, PartError
from ..memory.evaluations import Evaluated
from ..memory.files import digest
from ..memory.trace import spent
from ..training import evaluation
from ..training.pairing import Paired, pair
from .desk import EVALUATIONS, Desk

ENOUGH = 100_000
"""Items up to which is said how many would do."""


async def evaluate(desk: Desk, path: str, *, round: int, student: str, clean: bool = False) -> None:
    """Put a student through every evaluation of the scenario.

    Args:
        desk: where.
        path: the student's folder in the run.
        round: round that made it, 0 for the first one; of a clean one the number of the retractions.
        student: its digest.
        clean: whether it was trained again without what was retracted.

    Raises:
        EvolventError: one failed, or gave other items than before.
    """
    means: dict[str, float] = {}
    for name, part in desk.parts.evaluations.items():

        async def work(folder: Path, part: evaluation.Evaluation = part, name: str = name) -> None:
            with spent("inference"):
                await part.run(desk.path(path), folder, where=f"evaluations.{name}", limit=desk.session.limit)

        def read(folder: Path, name: str = name) -> Outcome:
            items = evaluation.read(folder / evaluation.ITEMS, where=f"evaluations.{name}")
            scored = Evaluated(
                round=round, student=student, evaluation=name,
                items=tuple(item.id for item in items), marks=tuple(item.score for item in items),
                asked=digest([item.prompt for item in items]),
            )  # fmt: skip
            return Outcome({"mean": scored.mean}, [scored])

        seen = await desk.effects.folder(
            f"evaluate {'clean ' if clean else ''}{name}", round, work, read,
            target=desk.run / EVALUATIONS / name / f"{'clean-' if clean else ''}{round:03d}",
            inputs={"student": student, "evaluation": part.describe()},
            keep=evaluation.left,
        )  # fmt: skip
        means[name] = seen["mean"]
    if means:
        desk.say("evaluate", round=round, scores=means)


async def begin(desk: Desk, path: str, *, student: str) -> None:
    """Evaluate the first student, and see that the items suffice to hold anything.

    Raises:
        PartError: they are so few that no candidate could pass.
    """
    await evaluate(desk, path, round=0, student=student)
    for name in desk.parts.evaluations if desk.session.limit is None else ():
        count = len(_of(desk, name, student).items)
        if not _holds(desk, count):
            needed = next((n for n in range(count, ENOUGH) if _holds(desk, n)), ENOUGH)
            raise PartError(
                f"evaluations.{name}: with {count} items no candidate can show that it lost less than gate.margin, "
                f"{100 * desk.gate.margin:g} points, even where nothing changed; have {needed}, or raise gate.margin"
            )
    # what was put together before knew nothing of these items
    vars(desk).pop("contamination", None)


def compare(desk: Desk, before: str, after: str, *, since: str) -> dict[str, Paired]:
    """Compare two students in every evaluation, and the second with the first one of the session.

    Args:
        desk: where.
        before: digest of the student that stands.
        after: digest of the one that is to take its place.
        since: what is added to the name of an evaluation where the first student is meant.
    """
    compared: dict[str, Paired] = {}
    for name in desk.parts.evaluations:
        start = desk.ledger.read(Evaluated, round=0, subject=name)[0].student
        compared[name] = _pair(desk, name, before, after)
        if start != before:
            compared[name + since] = _pair(desk, name, start, after)
    return compared


def _pair(desk: Desk, name: str, before: str, after: str) -> Paired:
    old, new = _of(desk, name, before), _of(desk, name, after)
    if old.items != new.items:
        raise EvolventError(
            f"evaluations.{name} gave {_several(old.items)} to {before} and {_several(new.items)} to {after}, which "
            "cannot be compared; have it give every student the same items"
        )
    if old.asked != new.asked:
        raise EvolventError(
            f"evaluations.{name} asked {before} something else than {after} under the same ids, which cannot be "
            "compared; have it draw its items with a seed"
        )
    return pair(old.marks, new.marks)


def _of(desk: Desk, name: str, student: str) -> Evaluated:
    return next(e for e in desk.ledger.read(Evaluated, subject=name) if e.student == student)


def _holds(desk: Desk, items: int) -> bool:
    """Whether a student that changed in nothing passes."""
    return Paired(0, 0, items).worst(alpha=desk.gate.guard_alpha) < desk.gate.margin


def _several(items: Sequence[str]) -> str:
    return f"{len(items)} items, {items[0]!r} first"
