"""Decisions of a person as files in a run, which its session takes into the ledger when it goes on.

One file a sample, `review/round-001/SAMPLE.json`, whole or not there; whoever decides again replaces it, until the
session has taken it in. `review/round-001.json` with `{"approved": true}` accepts whatever has no file of its own, and
with `false` it refuses the round. Nobody but the session writes to the ledger.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from . import files
from .errors import RunError, UsageError
from .queue import Entry, pending, queue
from .reading import Run
from .reviews import Action

LONGEST = 100_000
"""Characters a prompt, an answer or reasoning may have."""
_NAME = re.compile(r"([0-9a-f]{16})\.json")

Text = Annotated[str, Field(max_length=LONGEST)]


class Choice(BaseModel):
    """What a person decided of one sample."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    sample: str
    action: Action
    by: str = Field(default="a person", min_length=1, max_length=100)
    """Who decided."""
    reason: str = Field(default="", max_length=2_000)
    """Why; needed to reject."""
    prompt: Text | None = None
    """The new prompt of an edit; None keeps the old one, and so below."""
    answer: Text | None = None
    reasoning: Text | None = None

    @field_validator("prompt")
    @classmethod
    def _bare(cls, prompt: str | None) -> str | None:
        """Take what stands around a prompt for an accident of typing; around an answer it may matter."""
        return prompt if prompt is None else prompt.strip()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        texts = [t for t in (self.prompt, self.answer, self.reasoning) if t is not None]
        if (self.action == "edit") != bool(texts):
            raise ValueError("an edit gives a new prompt, answer or reasoning, and nothing else does")
        if any(text is not None and not text.strip() for text in (self.prompt, self.answer)):
            raise ValueError("a prompt and an answer say something; reject the sample instead")
        if self.action == "reject" and not self.reason.strip():
            raise ValueError("a rejection says why: give a reason")
        return self


class Standing(NamedTuple):
    """A round under review."""

    round: int
    entries: list[Entry]
    """Ranked."""
    choices: dict[str, Choice]
    """By sample, so far."""
    approved: bool | None
    """What was decided for all others; None where nothing was."""

    @property
    def undecided(self) -> list[Entry]:
        """What still waits, ranked."""
        return [] if self.approved is not None else [e for e in self.entries if e.sample.id not in self.choices]


def standing(run: Run) -> Standing:
    """See what waits for a person.

    Raises:
        RunError: nothing does, or a file of decisions is not of this round.
    """
    if not run.scenario.get("review"):
        raise RunError(f"{run.name}: its scenario asks nobody; begin a session with `--set review=true`")
    if (round := pending(run.ledger)) is None:
        raise RunError(f"{run.name}: nothing waits for a review now; the session is {run.status}")
    return stand(run.path, run.session.id, round, queue(run.ledger, round))


def stand(run: Path, session: str, round: int, entries: Sequence[Entry]) -> Standing:
    """Read the decisions on a round.

    Args:
        run: its folder.
        session: its session's id.
        round: the round.
        entries: its queue.

    Raises:
        RunError: a file is damaged, of another session, or of a sample that is not in the queue.
    """
    own = place(run, round)
    whole = own.with_suffix(".json")
    known = {entry.sample.id: entry for entry in entries}
    _not_elsewhere(run, own, whole)
    found: dict[str, Choice] = {}
    for path in sorted(own.glob("[!.]*")):
        found[path.stem] = _read(path, session, round, known)
    return Standing(round, list(entries), found, _approved(whole) if whole.exists() else None)


def decide(run: Run, choices: Sequence[Choice], *, seen: Standing | None = None) -> Standing:
    """Write decisions, replacing earlier ones on the same samples; either all or, where one is wrong, none.

    Args:
        run: the run.
        choices: the decisions.
        seen: what was there a moment ago, to spare ranking it again; the round has to be the same still.

    Raises:
        RunError: nothing waits for a review.
        UsageError: a decision on a sample that does not wait, or an edit that changes nothing or cannot be made.
    """
    now = seen if seen and pending(run.ledger) == seen.round else standing(run)
    known = {entry.sample.id: entry for entry in now.entries}
    for choice in choices:
        if choice.sample not in known:
            raise UsageError(f"sample {choice.sample!r} does not wait for a review in round {now.round} of {run.name}")
        if (wrong := fault(choice, known[choice.sample])) is not None:
            raise UsageError(f"sample {choice.sample}: {wrong}")
    own = place(run.path, now.round)
    own.mkdir(parents=True, exist_ok=True)
    for choice in choices:
        head = {"session": run.session.id, "round": now.round}
        files.write_json(own / f"{choice.sample}.json", head | choice.model_dump(mode="json", exclude_none=True))
    return now._replace(choices={**now.choices, **{choice.sample: choice for choice in choices}})


def place(run: Path, round: int) -> Path:
    """Folder of the decisions on a round."""
    return run / "review" / f"round-{round:03d}"


def parse(given: object, *, where: str, by: str | None = None) -> Choice:
    """Read one decision.

    Args:
        given: JSON.
        where: it comes from, for the message.
        by: who decided, where it does not say so itself.

    Raises:
        UsageError: it is none.
    """
    try:
        return Choice.model_validate({**({"by": by} if by else {}), **given} if isinstance(given, dict) else given)
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(map(str, first["loc"]))
        raise UsageError(f"{where}: not a decision{f' ({at})' if at else ''}: {first['msg']}") from None


def fault(choice: Choice, entry: Entry) -> str | None:
    """Say why a decision cannot be made of this sample, or None."""
    if choice.action != "edit":
        return None
    task, origin = entry.sample.task, entry.sample.origin
    if choice.prompt is not None and task.talk is not None:
        return "the prompt of a conversation cannot be edited; edit its answer, or reject it"
    if choice.reasoning is not None and not (origin and origin.reasoning):
        return "it has no reasoning to edit; edit its answer, or reject it"
    now = (task.prompt, task.answer, origin.reasoning if origin else "")
    then = (choice.prompt, choice.answer, choice.reasoning)
    if all(new is None or new == old for new, old in zip(then, now, strict=True)):
        return "the edit changes nothing; accept it"
    return None


def _read(path: Path, session: str, round: int, known: Mapping[str, Entry]) -> Choice:
    named = _NAME.fullmatch(path.name)
    try:
        if named is None or path.is_symlink():
            raise ValueError("it is not a file that a review writes")
        body: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if (body.pop("session"), body.pop("round")) != (session, round):
            raise ValueError("it was written for another session or round")
        choice = parse(body, where="inside")
        if choice.sample != named[1] or choice.sample not in known:
            raise ValueError(f"sample {choice.sample!r} does not wait for a review here")
        if (wrong := fault(choice, known[choice.sample])) is not None:
            raise ValueError(wrong)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, UsageError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else (str(error).splitlines() or ["unreadable"])[0]
        raise RunError(
            f"{path}: cannot be taken in ({reason}); delete it, then decide with `evolvent review`"
        ) from None
    return choice


def _approved(path: Path) -> bool:
    try:
        approved = json.loads(path.read_text(encoding="utf-8"))["approved"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        approved = None
    if not isinstance(approved, bool):
        raise RunError(f'{path}: write {{"approved": true}} or {{"approved": false}}')
    return approved


def _not_elsewhere(run: Path, *places: Path) -> None:
    for path in (run / "review", *places):
        if path.is_symlink():
            raise RunError(f"{path}: is a link; a review is read only from the run's own files")


def counted(choices: Collection[Choice]) -> dict[Action, int]:
    """How many of each kind."""
    actions: tuple[Action, ...] = ("accept", "edit", "reject")
    return {action: sum(choice.action == action for choice in choices) for action in actions}
