"""Withdraw a sample, a teacher or a judge from a run that nobody works on, with everything that came of it.

One effect, so that it happens once whatever is killed when. Rounds that were trained before keep their data on the
record; a step that was begun with data it would not have now is forgotten, and what it left running is ended.
"""

import asyncio
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

from ..memory.effects import Effects, Outcome
from ..memory.errors import RunError
from ..memory.ledger import Ledger
from ..memory.lock import Lock
from ..memory.retraction import What, due, retract
from ..training import lease
from . import standing
from .folder import begun

Json = dict[str, Any]


def withdraw(run: Path, what: What, name: str, *, reason: str) -> Json:
    """Record a retraction; give how many samples and which students it touches.

    Raises:
        RunError: not a run, or somebody works on it.
        LedgerError: there is nothing of that name.
    """
    _, session = begun(run)
    if session.only_probes:
        raise RunError(f"{run}: it only probed, so there is nothing to withdraw from it")
    with Lock(run), closing(Ledger(run / "ledger.sqlite")) as ledger:
        standing.owned(ledger, session)
        touched = retract(ledger, what, name, reason)

        async def work() -> Outcome:
            result: Json = {
                "retraction": touched.retraction.id,
                "samples": len(touched.withdrawals),
                "tainted": [taint.checkpoint for taint in touched.taints],
            }
            return Outcome(result, [touched.retraction, *touched.withdrawals, *touched.taints])

        _forget_steps(run, ledger)
        inputs = {"what": what, "name": touched.retraction.name}
        effects = Effects(ledger, run, session.id)
        done = asyncio.run(effects.once(f"retract {what} {touched.retraction.name}", 0, work, inputs=inputs))
        return {"what": what, "name": touched.retraction.name, **done, "due": due(ledger)}


def waits(run: Path) -> bool:
    """Whether a clean student has to be trained in a run."""
    with closing(Ledger(run / "ledger.sqlite", read_only=True, thorough=False)) as ledger:
        return due(ledger)


def _forget_steps(run: Path, ledger: Ledger) -> None:
    """Forget steps that were begun, and end and remove what they left."""
    for left in run.glob(f"staging/*/{lease.LEASE}"):
        lease.end(left.parent)
    for folder in run.glob("staging/*"):
        shutil.rmtree(folder)
    ledger.abandon()
