"""A few samples made for real, each with all that was asked and said, before a session is paid for; nothing is kept.

Nobody has looked at a student yet, so samples are for no weakness, and every judge is heard without an audition.
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..memory.display import visible
from ..memory.inference import Model, Reply, Request, Role
from ..memory.records import Critique, Fate, Sample, Share
from .curating import sift
from .desk import Desk
from .judging.checking import check
from .nodes.critique import opined
from .operating import gather
from .planning import Plan
from .reports.watcher import Nobody
from .showing import Said, said_line, verdicts

Json = dict[str, Any]
STAMP = "preview"
ROUND = 1


@dataclass
class Heard:
    """A model, and all that was asked of it."""

    role: Role
    model: Model
    said: list[tuple[Request, Reply]] = field(default_factory=list)

    async def ask(self, requests: Sequence[Request]) -> list[Reply]:
        """Ask, and take note."""
        replies = await self.model.ask(requests)
        self.said += zip(requests, replies, strict=True)
        return replies

    def close(self) -> None:
        """The desk closes the model itself."""


@dataclass(frozen=True, slots=True)
class Made:
    """One sample as it came to be; no sample where the teacher wrote none."""

    skill: str
    calls: Sequence[tuple[Role, Request, Reply]]
    """Everything asked of models, in order."""
    sample: Sample | None = None
    verdicts: Sequence[Said] = ()
    """Of the verifier, on the sample's own reference."""
    critique: Critique | None = None
    fate: Fate | None = None

    def facts(self) -> Json:
        """The record as JSON."""
        asked = [
            {"role": role, "system": r.system, "prompt": r.prompt, **_replied(reply)} for role, r, reply in self.calls
        ]
        sample = self.sample.model_dump(mode="json") if self.sample else None
        critique = (
            self.critique.model_dump(mode="json", include={"judge", "accepted", "reason"}) if self.critique else None
        )
        return {
            "event": "preview",
            "skill": self.skill,
            "calls": asked,
            "sample": sample,
            "verdicts": [said._asdict() for said in self.verdicts],
            "critique": critique,
            "fate": self.fate.model_dump(mode="json", include={"kept", "reason"}) if self.fate else None,
        }

    def lines(self) -> list[str]:
        """The record as text, everything said in full."""
        shown: list[str] = []
        for role, request, reply in self.calls:
            shown += _block(f"{role} is told", request.system) if request.system else []
            shown += _block(f"{role} is asked", request.prompt)
            said = _replied(reply)
            shown += _block("reply", said["reply"]) if said["reply"] is not None else [f"no reply: {said['reason']}"]
        if self.sample is None or self.critique is None or self.fate is None:
            return [*shown, "no sample came of it"]
        shown += _block("question", self.sample.task.prompt)
        shown += _block("answer", self.sample.completion)
        shown += [f"recipe: {self.sample.recipe}"] if not self.calls else []
        shown += [f"verdict: {said_line(said)}" for said in self.verdicts]
        word = "accepted" if self.critique.accepted else "refused"
        shown.append(f"critique: {word} by {visible(self.critique.judge)}: {visible(self.critique.reason)}")
        shown.append(f"fate: {visible(self.fate.reason)}")
        return shown


async def preview(plan: Plan, count: int, *, skills: Sequence[str]) -> list[Made]:
    """Have samples made, criticised and sifted, one after the other, in a folder that is then removed.

    Args:
        plan: the checked scenario.
        count: how many.
        skills: what they are for, in turn.

    Raises:
        UnavailableError: a model is not there.
        BudgetError: the scenario's budget is spent.
    """
    with tempfile.TemporaryDirectory(prefix="evolvent-preview-") as folder:
        desk = Desk.create(
            Path(folder), plan.scenario, plan.parts, plan.session(), toml=plan.toml, stamp=STAMP, watcher=Nobody()
        )
        try:
            # a student that somebody brings is not put in place for this
            desk.reader = plan.reader
            heard: dict[Role, Heard] = {role: Heard(role, model) for role, model in desk.models.items()}
            desk.models = heard
            duplicates = desk.no_duplicates()
            made: list[Made] = []
            for number in range(1, count + 1):
                share = Share(
                    round=ROUND, skill=skills[(number - 1) % len(skills)], weakness=None, samples=1, reason=STAMP
                )
                calls, sample = await _written(desk, share, number, heard)
                if sample is None:
                    made.append(Made(share.skill, calls))
                    continue
                judged, critique = await _judged(desk, sample, heard)
                refused = {} if critique.accepted else {sample.id: f"critique: {critique.reason}"}
                (fate,) = sift([sample], round=ROUND, desk=desk, duplicates=duplicates, refused=refused).fates
                said = await verdicts(plan.parts.verifier, sample.task, sample.task.answer, models=heard)
                made.append(Made(share.skill, [*calls, *judged, *_taken(heard)], sample, said, critique, fate))
            return made
        finally:
            desk.close()


Calls = list[tuple[Role, Request, Reply]]


async def _written(desk: Desk, share: Share, number: int, heard: Mapping[Role, Heard]) -> tuple[Calls, Sample | None]:
    """Have one sample written; each is another attempt, so that none repeats another."""
    material = gather(desk.parts.operators, None, (), desk.ledger)
    written = await desk.parts.teacher.write(
        share, None, 1, desk.splits, attempt=number, material=material, models=heard
    )  # fmt: skip
    return _taken(heard), next(iter(written), None)


async def _judged(desk: Desk, sample: Sample, heard: Mapping[Role, Heard]) -> tuple[Calls, Critique]:
    """What programs say of a sample, and where they say nothing the judges."""
    (decided,) = await check([sample], desk)
    if decided is not None:
        return _taken(heard), decided
    teacher = desk.parts.teacher
    (opinion,) = await teacher.judge([sample], sound=teacher.judges, models=heard)
    return _taken(heard), opined(sample, opinion)


def _taken(heard: Mapping[Role, Heard]) -> Calls:
    """All that was asked since this was called last."""
    calls: Calls = [(one.role, request, reply) for one in heard.values() for request, reply in one.said]
    for one in heard.values():
        one.said.clear()
    return calls


def _replied(reply: Reply) -> Json:
    answer = reply.completion
    if answer is None:
        return {"reply": None, "reason": reply.reason}
    return {
        "reply": answer.text,
        **({"reasoning": answer.reasoning} if answer.reasoning else {}),
        "tokens": answer.tokens,
    }


def _block(about: str, text: str) -> list[str]:
    """A text in full, under what it is."""
    return [f"{about}:", *(f"    {one}" for one in visible(text).splitlines() or [""])]
