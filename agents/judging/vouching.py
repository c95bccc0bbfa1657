"""The judges behind a verifier, tried before anything hangs on their word: where one is unsound there is no session.

Judges of samples can be left out, and what they do not accept is not taught. A verifier decides what is weak and who is
promoted, so it is the whole panel that was named, or nothing.
"""

from collections.abc import Sequence

from ...memory.auditions import Audition
from ...memory.effects import Outcome
from ...memory.errors import EvolventError
from ...memory.inference import Models
from ...memory.records import Verdict
from ...scenarios.verifier import Verifier
from ..desk import Desk
from .audition import measure
from .golden import CLEARLY, Item, Trial, golden
from .panel import Word


async def vouch(desk: Desk) -> None:
    """Try every judge that the verifier asks, once a session.

    Raises:
        EvolventError: one is not sound; nothing was decided.
        UnavailableError: one could not be read.
    """
    verifier = desk.parts.verifier
    if not verifier.asks:
        return

    async def work() -> Outcome:
        items, turned = golden(desk.splits, verifier), verifier.panel(turned=True)
        heard = [
            await tried(name, judge, turned[name], items, models=desk.models)
            for name, judge in verifier.panel().items()
        ]
        return Outcome({"faults": {a.judge: "" if a.sound else a.reason for a in heard}}, heard)

    seen = await desk.effects.once("audition of the verifier", 0, work, inputs={"verifier": verifier.describe()})
    faults = [f"{judge}: {fault}" for judge, fault in seen["faults"].items() if fault]
    if faults or not seen["faults"]:
        raise EvolventError(
            f"verifier {verifier.name!r} may not decide, since its judges are not sound "
            f"({'; '.join(faults) or 'it names none'}); name another model in [models.judge], or other prompts or "
            "criteria in [verifier], and start a new run"
        )


async def tried(name: str, judge: Verifier, turned: Verifier, items: Sequence[Item], *, models: Models) -> Audition:
    """Have one judge grade answers whose verdict is known.

    Args:
        name: its name in the record.
        judge: a verifier that asks nobody else.
        turned: the same, which sees an answer before its question or the reverse.
        items: from `golden`.
        models: who may be asked.
    """
    tasks = {item.place: item.task for item in items if item.trial == "right"}
    words: dict[tuple[Trial, int], Word] = {}
    for grader, turns in ((judge, False), (turned, True)):
        shown = [item for item in items if (item.trial == "turned") == turns]
        asked, answers = [tasks[item.place] for item in shown], [item.task.answer for item in shown]
        verdicts = await grader.judged(asked, answers, models=models)
        words |= {(i.trial, i.place): _word(verdict) for i, verdict in zip(shown, verdicts, strict=True)}
    return measure(name, items, words)


def _word(verdict: Verdict) -> Word:
    """A grade as a judge of samples would say it."""
    return "perfect" if verdict.passed else "bad" if verdict.score < CLEARLY else "acceptable"
