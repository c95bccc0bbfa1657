"""Two students of a session on the items that decisions are made on."""

from ..memory.records import Exam
from ..training.exam import pick
from ..training.pairing import Paired, pair
from . import evaluating
from .desk import Desk
from .lives import histories

SINCE_START = " since the start"


def target(desk: Desk, before: str, after: str, *, always: bool = False) -> Paired:
    """Compare on the select items of every target skill that is not abandoned.

    Whether a skill is abandoned was decided on probes alone, so leaving it out does not look at the exam.

    Args:
        desk: where.
        before: digest of the student that stands.
        after: digest of the one that is to take its place.
        always: compare on all target skills where every one of them is abandoned, instead of on nothing.
    """
    abandoned = {h.skill for h in histories(desk.ledger, desk.scenario.targets) if h.abandoned}
    items = desk.items("select")
    old, new = exam(desk, "select", before), exam(desk, "select", after)
    skills = [skill for skill in desk.scenario.targets if skill not in abandoned]
    skills = skills or (list(desk.scenario.targets) if always else [])
    return pair(
        [mark for skill in skills for mark in pick(old, items, skill)],
        [mark for skill in skills for mark in pick(new, items, skill)],
    )


def guards(desk: Desk, before: str, after: str) -> dict[str, Paired]:
    """Compare every guard, evaluations among them, with the student that stands, and with the first one.

    Small losses must not add up.
    """
    items, candidate = desk.items("guard"), exam(desk, "guard", after)
    incumbent, first = exam(desk, "guard", before), desk.ledger.read(Exam, round=0, subject="guard")[0]
    compared = {
        skill: pair(pick(incumbent, items, skill), pick(candidate, items, skill)) for skill in desk.scenario.guards
    }
    if first.student != incumbent.student:
        for skill in desk.scenario.guards:
            compared[skill + SINCE_START] = pair(pick(first, items, skill), pick(candidate, items, skill))
    return {**compared, **evaluating.compare(desk, before, after, since=SINCE_START)}


def exam(desk: Desk, split: str, student: str) -> Exam:
    """The exam of a student on a split."""
    return next(e for e in desk.ledger.read(Exam, subject=split) if e.student == student)
