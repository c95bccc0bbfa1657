"""The judges of a session that may decide something: those that passed their audition, which each has once.

A judge that failed is not heard. Where too few are left nothing passes on opinion, and it is said what to do; what a
verifier can decide is not touched by that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...memory.display import visible
from ...memory.effects import Outcome
from ...memory.viewer.markup import percent, safe, table
from ..desk import Desk
from .golden import golden
from .panel import FEWEST

Json = dict[str, Any]

WAY_OUT = "name another model in [models.judge] or other prompts in teacher.judging, and start a new run"


@dataclass(frozen=True, slots=True)
class Jury:
    """Every judge of a session, with what is wrong with it; nothing where it is sound."""

    faults: Mapping[str, str]

    @property
    def sound(self) -> frozenset[str]:
        """Those that may decide."""
        return frozenset(judge for judge, fault in self.faults.items() if not fault)

    @property
    def lacking(self) -> str:
        """Why nothing can pass on opinion, and the way out; empty where enough judges are sound."""
        if len(self.sound) >= FEWEST:
            return ""
        said = "; ".join(f"{judge}: {fault}" for judge, fault in self.faults.items() if fault)
        passed = f"{len(self.sound)} of {len(self.faults)} judges passed their audition and {FEWEST} must"
        return f"{passed} ({said}); {WAY_OUT}"


async def seat(desk: Desk) -> Jury:
    """Give the jury of a session; the first time its judges are tried."""
    teacher = desk.parts.teacher

    async def work() -> Outcome:
        heard = await teacher.audition(golden(desk.splits, desk.parts.verifier), models=desk.models)
        return Outcome({"faults": {a.judge: "" if a.sound else a.reason for a in heard}}, heard)

    seen = await desk.effects.once("audition", 0, work, inputs={"teacher": teacher.describe()})
    return Jury(seen["faults"])


def jury_lines(found: Json) -> list[str]:
    """Judges that may not decide, for a person."""
    unsound = [a for a in found.get("judges") or [] if not a["sound"]]
    lines = [f"{visible(a['judge'])} does not gate: {visible(a['reason'])}" for a in unsound]
    lines += [f"way out: {WAY_OUT}"] if unsound else []
    return [f"{'judges' if i == 0 else '':7}  {line}" for i, line in enumerate(lines)]


def jury_table(found: Json) -> str:
    """Every judge's audition as a table of the report; nothing where none was held."""
    given = found.get("judges") or []
    if not given:
        return ""
    head = ["judge", "κ", "agreed", "no answer accepted", "long wrong accepted", "turned by order", "outcome"]
    rows = [
        [
            safe(a["judge"]),
            f"{a['kappa']:.2f} <small>at least {a['kappa_low']:.2f}</small>",
            *(_tally(a[name]) for name in ("agreed", "nulls", "swayed", "turned")),
            f"{'gates' if a['sound'] else 'does not gate'} <small>{safe(a['reason'])}</small>",
        ]
        for a in given
    ]
    return table("Auditions of the judges", head, rows, kind="figures")


def _tally(tally: Json) -> str:
    return f"{percent(tally['count'] / tally['of'], 0) if tally['of'] else '–'} <small>of {tally['of']:,}</small>"
