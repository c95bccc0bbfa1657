"""What a run keeps on disk of the students it made: weights that nothing needs any more go, digests and figures stay.

The first student, the one promoted last and, until the session has ended, the newest round are always kept: they may
still be asked, trained from or examined. Which others go is the scenario's matter, and whether the run has to be small.
"""

from ..memory import files
from ..memory.effects import Outcome
from ..memory.ledger import Ledger
from ..memory.records import Promotion, Round
from ..memory.retention import Removal, removals
from ..memory.retraction import current
from ..scenarios.schema import Keeping
from ..training import checkpoint
from .desk import Desk


def dispensable(ledger: Ledger, keep: Keeping, *, ended: bool = False, full: bool = False) -> list[Round]:
    """Rounds whose weights may go, oldest first.

    Args:
        ledger: of the run.
        keep: what the scenario says.
        ended: whether nothing is trained or examined any more.
        full: whether a disk budget is reached.
    """
    policy = keep.checkpoints or ("promoted" if full else "all")
    if policy == "all":
        return []
    rounds, gone = ledger.read(Round), removals(ledger)
    promoted = [decision.candidate for decision in ledger.read(Promotion) if decision.promoted]
    # a clean student stands in the place of the tainted one, whose weights may go like any other's
    promoted += [stands.digest] if (stands := current(ledger)) else []
    targeted = [made for made in rounds if made.arm == "targeted"]
    kept = set(promoted) if policy == "promoted" else {*promoted[-1:], *(r.checkpoint for r in targeted[-policy:])}
    # of either arm: a session that was killed between the twin and the sealed report still examines both
    newest = [] if ended else [made.checkpoint for made in {made.arm: made for made in rounds}.values()]
    return [made for made in rounds if made.checkpoint not in {*kept, *newest} and made.path not in gone]


async def tidy(desk: Desk, round: int, *, ended: bool = False, full: bool = False) -> None:
    """Remove the weights that may go, and record whose they were."""
    leaving = dispensable(desk.ledger, desk.scenario.keep, ended=ended, full=full)
    if not leaving:
        return

    async def work() -> Outcome:
        reason = "the disk budget was reached" if full else f"[keep] checkpoints = {desk.scenario.keep.checkpoints!r}"
        records = [_remove(made, round, desk, reason=reason) for made in leaving]
        return Outcome({"bytes": sum(r.bytes for r in records), "rounds": [r.number for r in records]}, records)

    # once removed they are dispensable no more, so every tidying has a number of its own
    name = f"tidy {1 + len(removals(desk.ledger))}"
    seen = await desk.effects.once(name, round, work, inputs={})
    desk.say("tidy", round=round, **seen)


async def make_room(desk: Desk, round: int) -> None:
    """Let the next step begin if the run's folder is within the disk budget, or can be made so.

    Raises:
        BudgetError: it cannot.
    """
    most = desk.account.purse.budget.disk
    if most is None or (used := files.size(desk.run)) < most:
        return
    if dispensable(desk.ledger, desk.scenario.keep, full=True):
        await tidy(desk, round, full=True)
        used = files.size(desk.run)
    desk.account.purse.check_disk(used)


def _remove(made: Round, round: int, desk: Desk, *, reason: str) -> Removal:
    model = desk.path(made.path)
    names = (
        [f"{model.name}/{name}" for name in checkpoint.files_of(model)] if not checkpoint.removed_from(model) else []
    )
    freed = files.thin(model.parent, names)
    return Removal(
        round=round, number=made.number, arm=made.arm, checkpoint=made.checkpoint, path=made.path, bytes=freed,
        reason=reason,
    )  # fmt: skip
