"""A clean student in place of a tainted one: the promoted round once more, without what was withdrawn.

It takes the place once it is not inferior: on the select items and on every guard the loss against the tainted student
(and on guards against the first one) stays below the gate's margin, each by a bound. The sealed report is not opened
for it: where it was opened before, its figures stay those of the tainted student, and every report says so.
"""

from ..memory.effects import Outcome
from ..memory.ledger import Ledger
from ..memory.records import Round
from ..memory.retention import removals
from ..memory.retraction import Current, Replacement, Retraction, current, due, tainted, withdrawn
from ..training.exam import examine
from .comparing import guards, target
from .desk import BASE, Desk
from .evaluating import evaluate
from .rounds import train_round

NOTHING = "nothing is left to train on"


async def retrain(desk: Desk) -> None:
    """Train, examine and compare a clean student where the one that stands is tainted and none was tried yet."""
    now = current(desk.ledger)
    if now is None or not due(desk.ledger):
        return
    number = desk.ledger.count(Retraction)
    gone = withdrawn(desk.ledger)
    samples = [s for s in desk.kept(until=now.promoted.number) if s.id not in gone]

    if samples:
        start = start_of(desk.ledger, now.promoted) if desk.parts.trainer.start == "promoted" else BASE
        at = now.promoted.number
        made = await train_round(desk, number, samples, arm="clean", start=start, student=start, at=at)
        desk.say("train", round=now.promoted.number, **{k: made[k] for k in ("samples", "steps", "loss", "seconds")})
        await _examine(desk, number, made["path"], made["checkpoint"])
        clean, path = str(made["checkpoint"]), str(made["path"])
    else:
        clean, path = "", ""

    async def decide() -> Outcome:
        found = _compare(desk, number, now, clean, path, len(samples))
        return Outcome({"replaced": found.replaced, "reason": found.reason}, [found])

    seen = await desk.effects.once("replace", number, decide, inputs={"tainted": now.digest, "clean": clean})
    desk.say("replace", round=now.promoted.number, **seen)


def start_of(ledger: Ledger, promoted: Round) -> str:
    """Folder of the last student before a round that is not tainted and still has its weights."""
    made = {r.checkpoint: r for r in ledger.read(Round, subject="targeted")}
    bad, gone = tainted(ledger), removals(ledger)
    digest = promoted.start
    while digest in made:
        if digest not in bad and made[digest].path not in gone:
            return made[digest].path
        digest = made[digest].start
    return BASE


async def _examine(desk: Desk, number: int, path: str, student: str) -> None:
    async def work() -> Outcome:
        engine = desk.parts.engine.open(desk.path(path))
        sat = [
            await examine(
                engine, desk.items(split), desk.parts.verifier, split=split, round=number, arm="clean",
                longest=desk.longest, models=desk.models,
            )
            for split in ("select", "guard")
        ]  # fmt: skip
        engine.close()
        records = [record for each in sat for record in each.records]
        return Outcome({"exams": [each.exam.id for each in sat]}, records)

    await desk.effects.once("examine clean", number, work, inputs={"student": student})
    await evaluate(desk, path, round=number, student=student, clean=True)


def _compare(desk: Desk, number: int, now: Current, clean: str, path: str, samples: int) -> Replacement:
    """Whether the clean student is not inferior, with the figures."""
    bounds: dict[str, dict[str, float]] = {}
    if clean:
        bounds = desk.gate.bounds(target(desk, now.digest, clean, always=True), guards(desk, now.digest, clean))
    over = {name: b for name, b in bounds.items() if b["upper"] >= b["margin"]}
    worse = "; ".join(
        f"{name} may have lost up to {100 * b['upper']:.2f} points, margin {100 * b['margin']:.2f}"
        for name, b in over.items()
    )
    return Replacement(
        round=now.promoted.number,
        retractions=number,
        tainted=now.digest,
        clean=clean,
        path=path,
        samples=samples,
        replaced=bool(clean) and not over,
        reason=NOTHING if not clean else worse or "not inferior: every loss is below the margin",
        bounds=bounds,
    )
