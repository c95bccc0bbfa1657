"""Logs of a model in use as rows with a reference: what users corrected, and what they liked.

Nobody knows the right answer to what was disliked and never corrected, so no exam can be held on it and nothing is
taught from it: such rows are counted and left out. So are answers that one user liked and another disliked.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from ..memory.errors import PartError
from ..memory.files import canonical
from .conversation import converse
from .rows import FEATURES, cut, lacks, lines
from .source import same

Thumb = Literal["up", "down", ""]
"""What a user thought of an answer; empty where nobody said."""
REFERENCE = "reference"
"""Column that rows get for the answer that counts as right."""
SPELLINGS: Mapping[Thumb, tuple[str, ...]] = {
    "up": (
        "up", "thumb up", "thumbs up", "thumbsup", "like", "liked", "upvote", "upvoted", "positive", "good", "helpful",
        "yes", "true", "1", "1.0", "+1", "👍",
    ),
    "down": (
        "down", "thumb down", "thumbs down", "thumbsdown", "dislike", "disliked", "downvote", "downvoted", "negative",
        "bad", "unhelpful", "not helpful", "no", "false", "-1", "-1.0", "👎",
    ),
    "": ("", "none", "null", "nan", "neutral", "unrated"),
}  # fmt: skip
"""How feedback is written, in lower case and with spaces for `_` and `-`."""


class Fields(NamedTuple):
    """Which column of a log holds what."""

    prompt: str
    messages: str
    response: str
    feedback: str
    correction: str
    key: str
    """Empty where the question says which rows are the same task."""
    tools: str
    prose: bool
    """Whether questions are prose, which is the same however it is punctuated."""
    up: tuple[str, ...] = ()
    """More spellings."""
    down: tuple[str, ...] = ()


class Settled(NamedTuple):
    """A log as read."""

    rows: list[tuple[int, dict[str, Any]]]
    """Those with a reference, one a task, by line."""
    read: int
    """Rows there are."""
    left: Mapping[str, int]
    """Rows that are no tasks, by the reason."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One answer that was given, and what was said of it."""

    line: int
    values: dict[str, Any]
    task: str
    response: str
    thumb: Thumb
    correction: str


@dataclass(frozen=True, slots=True)
class Log:
    """Reads the rows of a log that have a reference."""

    fields: Fields
    changed: int
    """When the file was written; it is read again when that changes."""

    def __call__(self, path: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """Give line numbers, from 1, and rows with their reference.

        Raises:
            PartError: a row is none of a log, or none has a reference.
        """
        found = settle(path, self.changed, self.fields)
        if not found.rows:
            raise PartError(
                f"{path}: none of its {found.read:,} rows has a reference, which a liked answer is and a text in "
                f"{self.fields.correction!r}: {said(found)}"
            )
        yield from found.rows


def thumb(value: object, *, up: tuple[str, ...] = (), down: tuple[str, ...] = ()) -> Thumb | None:
    """Read what a user thought; None where the spelling is not known.

    Args:
        value: as the log has it.
        up: more spellings of it.
        down: likewise.
    """
    text = "" if value is None else str(value).strip()
    if text in up or text in down:
        return "up" if text in up else "down"
    plain = text.casefold() if text[:1] in "+-" else text.casefold().replace("_", " ").replace("-", " ").strip(": ")
    return next((known for known, spellings in SPELLINGS.items() if plain in spellings), None)


@lru_cache(maxsize=4)
def settle(path: str, changed: int, fields: Fields) -> Settled:
    """Read a log and say what every task's reference is.

    A correction goes before a liked answer, and of several the last one counts.
    """
    del changed
    entries = [_entry(path, line, values, fields) for line, values in lines(path)]
    if entries and not any({fields.feedback, fields.correction} & set(entry.values) for entry in entries):
        raise PartError(f"{path} {lacks(fields.feedback, entries[0].values)}; name it in source.feedback")
    left: Counter[str] = Counter()
    thumbs: dict[tuple[str, str], set[Thumb]] = {}
    for entry in entries:
        thumbs.setdefault((entry.task, entry.response), set()).add(entry.thumb)
    best: dict[str, Entry] = {}
    for entry in entries:
        contested = {"up", "down"} <= thumbs[entry.task, entry.response]
        if reason := "" if entry.correction else "both liked and disliked" if contested else _WITHOUT[entry.thumb]:
            left[reason] += 1
            continue
        other = best.get(entry.task)
        if other is not None:
            left["of a question that another row answers"] += 1
        if other is None or bool(entry.correction) >= bool(other.correction):
            best[entry.task] = entry
    rows = [(entry.line, _referred(entry, fields)) for entry in best.values()]
    return Settled(rows, len(entries), dict(left))


_WITHOUT: Mapping[Thumb, str] = {"up": "", "down": "disliked and not corrected", "": "without feedback"}
"""Why a row without a correction has no reference, by its feedback."""


def said(settled: Settled) -> str:
    """Say what was left out, the most frequent reason first."""
    ordered = sorted(settled.left.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count:,} {reason}" for reason, count in ordered) or "it is empty"


def _entry(path: str, line: int, values: dict[str, Any], fields: Fields) -> Entry:
    where = f"{path}:{line}"
    given = values.get(fields.feedback)
    if (liked := thumb(given, up=fields.up, down=fields.down)) is None:
        raise PartError(
            f"{where}: {fields.feedback!r} is {cut(given)}, which says neither up nor down; add it to source.up or "
            "source.down"
        )
    better = values.get(fields.correction)
    question, response = _asked(where, values, fields)
    if response is None:
        raise PartError(f"{where} {lacks(fields.response, values)}; name it in source.response")
    return Entry(
        line=line,
        values=values,
        task=str(values.get(fields.key)) if fields.key else same(question, prose=fields.prose),
        response=str(response).strip(),
        thumb=liked,
        correction="" if better is None or better is False else str(better).strip(),
    )


def _asked(where: str, values: Mapping[str, Any], fields: Fields) -> tuple[str, object]:
    """The question as a text, and what was answered: a conversation's last turn where there is no column of it."""
    response = values.get(fields.response)
    if (prompt := values.get(fields.prompt)) is not None:
        return str(prompt), response
    turns = values.get(fields.messages)
    if not isinstance(turns, list) or not turns:
        raise PartError(f"{where} {lacks(fields.prompt, values)}, and no turns in {fields.messages!r}")
    if response is None and isinstance(turns[-1], dict) and turns[-1].get("role") == "assistant":
        turns, response = turns[:-1], canonical(turns[-1])
    # any answer will do to have the question read as it will be asked
    asked = converse(where, [*turns, {"role": "assistant", "content": "?"}], values.get(fields.tools))
    return asked.prompt, response


def _referred(entry: Entry, fields: Fields) -> dict[str, Any]:
    """The row with its reference, and with feedback in one spelling."""
    features = [f"feedback {entry.thumb}"] if entry.thumb else []
    features += ["corrected"] if entry.correction else []
    given = entry.values.get(FEATURES) or []
    # what is no list is refused where rows are read
    tagged: object = [*given, *features] if isinstance(given, list) else given
    row = {**entry.values, fields.feedback: entry.thumb, FEATURES: tagged}
    if row.get(fields.prompt) is not None:
        return {**row, REFERENCE: entry.correction or entry.values[fields.response]}
    row.pop(fields.prompt, None)
    turns, response = entry.values[fields.messages], entry.values.get(fields.response)
    if response is None and not entry.correction:
        return row
    before = turns if response is not None else turns[:-1]
    return {**row, fields.messages: [*before, {"role": "assistant", "content": entry.correction or response}]}
