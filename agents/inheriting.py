"""What a session takes in of the run it goes on from, as effects like any other: student, data and memory.

Samples keep their ids and are filed under round 0: they belong to no round of this session. They go through its rules,
since its exams hold other items than those they were held against before.
"""

import json
from collections import Counter
from pathlib import Path

from ..memory import files
from ..memory.effects import Outcome
from ..memory.errors import RunError
from ..memory.recall import Entry
from ..memory.records import Sample
from ..memory.trace import spent
from ..training import checkpoint
from .curating import sift
from .desk import BASE, Desk
from .earlier import MEMORIES, SAMPLES, STUDENT
from .folder import EARLIER, before

PART = "earlier"
"""Part of the vector memory that holds what was remembered before."""


async def inherit_student(desk: Desk) -> str:
    """Take the student in; give its digest, it is in its folder then.

    Raises:
        RunError: what the earlier run left is damaged.
    """
    folder = desk.path(EARLIER)
    if files.verify(folder) is None:
        raise RunError(f"{folder}: damaged or incomplete; restore it from a copy, or begin again with --from")

    async def prepare(target: Path) -> None:
        checkpoint.copy(folder / STUDENT, target)

    def read(target: Path) -> Outcome:
        return Outcome({"student": checkpoint.identify(target)})

    inputs = dict(before(desk.session))
    made = await desk.effects.folder("student", 0, prepare, read, target=desk.path(BASE), inputs=inputs)
    return str(made["student"])


async def inherit(desk: Desk) -> None:
    """Take data and memory in, once all is known that must not be trained on."""
    folder, inputs = desk.path(EARLIER), dict(before(desk.session))

    async def work() -> Outcome:
        samples = [Sample.read(line) for line in files.json_lines(folder / SAMPLES)]
        memories = [Entry(**json.loads(line)) for line in files.json_lines(folder / MEMORIES)]
        with spent("curation"):
            done = sift(samples, round=0, desk=desk, duplicates=desk.duplicates)
        desk.recall.remember(PART, memories)
        why = Counter(f.reason.split(":")[0] for f in done.fates if not f.kept)
        fates = [f.model_copy(update={"reason": f"kept from {inputs['run']}"}) if f.kept else f for f in done.fates]
        result = {"kept": len(done.kept), "rejected": dict(why), "memories": len(memories)}
        return Outcome(result, [*samples, *fates], filed=0)

    seen = await desk.effects.once("inherit", 0, work, inputs=inputs)
    desk.say("inherit", run=inputs["run"], **seen)
