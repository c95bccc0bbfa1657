"""Every side effect happens exactly once, whatever is killed when.

An effect has a key (session, round, step and a digest of its inputs; never a clock or a random number). Its life:
intent written, work done, folder sealed and published, records and result committed in one transaction. A step that
runs again after a crash finds its key committed and gets the stored result; or finds a sealed folder and adopts it;
or finds somebody at work in its folder and waits for the end; or starts over from nothing.
"""

import shutil
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import fsum
from pathlib import Path
from typing import Any

from . import crash, files
from .ledger import Ledger
from .records import Record
from .stopping import STOP
from .trace import reading, span

CLOCK = "clock "
"""Begin of the names under which the ledger keeps what every process spent its time on."""


@dataclass(slots=True)
class Outcome:
    """What an effect made: a small result for the graph's state, and records for the ledger."""

    result: dict[str, Any] = field(default_factory=dict[str, Any])
    records: Sequence[Record] = ()
    filed: int | None = None
    """Round the records are filed under, where that is not their own."""


class Effects:
    """Runs steps exactly once against one ledger."""

    def __init__(self, ledger: Ledger, run: Path, session: str) -> None:
        self.ledger = ledger
        self.run = run
        self.session = session
        self._process = f"{CLOCK}{len(ledger.metas(CLOCK)) + 1:04d}"

    def clock(self) -> dict[str, str]:
        """What this process has spent its time on so far, as a fact for the ledger."""
        seconds = reading()
        return {self._process: files.canonical(seconds)} if seconds else {}

    def key(self, name: str, round: int, inputs: Mapping[str, Any]) -> str:
        """Key of an effect: same session, step and inputs give the same key."""
        return files.digest([self.session, name, round, dict(inputs)], length=32)

    async def once(
        self, name: str, round: int, work: Callable[[], Awaitable[Outcome]], *, inputs: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Do work that only makes records, or give what it gave before."""
        key = self.key(name, round, inputs)
        if (done := self._begin(key, name, round)) is not None:
            return done
        since = time.perf_counter()
        with span(name, round=round) as step:
            outcome = await work()
            step.update({k: v for k, v in outcome.result.items() if isinstance(v, str | int | float)})
        return self._end(key, outcome, time.perf_counter() - since)

    async def folder(
        self,
        name: str,
        round: int,
        work: Callable[[Path], Awaitable[None]],
        read: Callable[[Path], Outcome],
        *,
        target: Path,
        inputs: Mapping[str, Any],
        keep: Callable[[Path], bool] | None = None,
    ) -> dict[str, Any]:
        """Do work that fills a folder, and record it.

        Args:
            name: the step.
            round: its round.
            work: fills the folder it is given; it must not touch anything else.
            read: gives result and records from the finished folder; it also runs when a folder is adopted.
            target: where the folder goes.
            inputs: all that the work depends on, as JSON.
            keep: whether the work can go on with what an earlier process left in its folder; without it, or where it
                cannot, the work starts over from nothing.
        """
        key = self.key(name, round, inputs)
        if (done := self._begin(key, name, round)) is not None:
            return done
        since = time.perf_counter()
        # what lacks files that were removed to save disk is made again, not adopted
        sealed = (
            files.verify(target) is not None and (target / ".effect").read_text() == key and not files.removed(target)
        )
        if not sealed:
            staging = self.run / "staging" / key
            if keep is None or not keep(staging):
                shutil.rmtree(staging, ignore_errors=True)
                staging.mkdir(parents=True)
            with span(name, round=round):
                await work(staging)
            (staging / ".effect").write_text(key)
            crash.point("train.before_seal")
            files.seal(staging)
            crash.point("effect.before_publish")
            files.publish(staging, target)
            crash.point("effect.after_publish")
        return self._end(key, read(target), time.perf_counter() - since)

    def _begin(self, key: str, name: str, round: int) -> dict[str, Any] | None:
        STOP.heed()
        known = self.ledger.effect(key)
        if known is not None and known[0] == "committed":
            return dict(known[1])
        crash.point("effect.before_intent")
        self.ledger.intend(key, name, round)
        crash.point("effect.after_intent")
        return None

    def _end(self, key: str, outcome: Outcome, seconds: float) -> dict[str, Any]:
        crash.point("effect.before_commit")
        self.ledger.commit(key, outcome.result, outcome.records, seconds, meta=self.clock(), filed=outcome.filed)
        crash.point("effect.after_commit")
        return outcome.result


def wall_seconds(ledger: Ledger) -> float:
    """Wall time of all earlier processes of a session, as far as it was written down."""
    return fsum(fsum(files.read_json(text).values()) for text in ledger.metas(CLOCK).values())
