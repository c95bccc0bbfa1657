"""The approval queue in a terminal: one sample at a time for a person, whole lists for a program."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from .options import RUNS, Json, RunPath, RunsDir, find, known_name

if TYPE_CHECKING:
    from ...memory.choices import Choice, Standing
    from ...memory.queue import Entry
    from ...memory.reading import Run
    from ...memory.reviews import Action

app = typer.Typer(add_completion=False)
MOST = 4_000
"""Characters of a prompt or completion shown for review."""
KEYS = "[a]ccept  [e]dit  [r]eject  [s]kip  [q]uit"


@app.command()
def review(
    run: RunPath,
    runs_dir: RunsDir = RUNS,
    accept_all: Annotated[bool, typer.Option("--accept-all", help="Accept whatever is not decided yet.")] = False,
    decisions: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Take decisions from a file of JSON lines; - is standard input.")
    ] = None,
    by: Annotated[str | None, typer.Option(help="Who decides; without it the name this machine knows you by.")] = None,
    json_: Json = False,
) -> None:
    """Decide on the samples that wait for you, those first that teach the most about the rest."""
    from ...memory import choices
    from ...memory.reading import Run

    who = by or known_name()
    with Run.load(find(run, runs_dir)) as opened:
        now = choices.standing(opened)
        if decisions is not None:
            now = choices.decide(opened, _given(decisions, who), seen=now)
        if accept_all:
            now = choices.decide(opened, [_choice(e, "accept", who) for e in now.undecided], seen=now)
        if json_:
            for entry in now.entries:
                typer.echo(json.dumps(_facts(entry, now), ensure_ascii=True))
            return
        if decisions is None and not accept_all:
            now = _ask(opened, now, who)
        typer.echo(_end(opened, now))


def _ask(run: "Run", now: "Standing", by: str) -> "Standing":
    """Show what waits until everything is decided or the person has enough."""
    from ...memory import choices
    from ...memory.errors import UsageError

    waiting = now.undecided
    for number, entry in enumerate(waiting, 1):
        typer.echo("\n".join(["", f"{number} of {len(waiting)}", *_lines(run, entry)]))
        while True:
            try:
                choice = _answer(entry, by)
                if choice is None:
                    return now
                now = choices.decide(run, [choice], seen=now) if choice != "skip" else now
            except UsageError as error:
                typer.echo(f"  {error}")
                continue
            break
    return now


def _answer(entry: "Entry", by: str) -> "Choice | Literal['skip'] | None":
    """What the person decides of a sample; `skip` to leave it, None to stop."""
    while True:
        key = _line(f"{KEYS} > ")
        key = "q" if key is None else key.strip().lower()[:1]
        if key == "q":
            return None
        if key == "s":
            return "skip"
        if key == "a":
            return _choice(entry, "accept", by)
        if key == "r":
            return _choice(entry, "reject", by, reason=_line("  why > ") or "")
        if key == "e":
            return _edited(entry, by)


def _edited(entry: "Entry", by: str) -> "Choice":
    """A sample's texts one by one; an empty line keeps one, and `\\n` begins a new line in it."""
    parts = ["answer"] if entry.sample.task.talk else ["prompt", "answer"]
    parts += ["reasoning"] if entry.sample.origin and entry.sample.origin.reasoning else []
    said = {part: _line(f"  {part} (nothing keeps it) > ") or "" for part in parts}
    texts = {part: text.replace("\\n", "\n") for part, text in said.items() if text}
    return _choice(entry, "edit", by, reason=_line("  why (may be empty) > ") or "", **texts)


def _choice(entry: "Entry", action: "Action", by: str, **more: str) -> "Choice":
    from ...memory.choices import parse

    return parse({"sample": entry.sample.id, "action": action, "by": by, **more}, where="this answer")


def _line(prompt: str) -> str | None:
    """One line of standard input; None at its end."""
    typer.echo(prompt, nl=False)
    sys.stdout.flush()
    text = sys.stdin.readline()
    if not text or not sys.stdin.isatty():
        typer.echo("")
    return text.rstrip("\r\n") if text else None


def _given(path: Path, by: str) -> "list[Choice]":
    """Decisions from a file of JSON lines."""
    from ...memory.choices import parse
    from ...memory.errors import UsageError

    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: decisions cannot be read ({error}); give a file of JSON lines") from None
    found: list[Choice] = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                given = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise UsageError(f"{path}, line {number}: not JSON ({error})") from None
            found.append(parse(given, where=f"{path}, line {number}", by=by))
    return found


def _lines(run: "Run", entry: "Entry") -> Iterator[str]:
    """A sample as a person sees it, with everything that cannot be seen made visible."""
    from ...memory.display import line
    from ...memory.records import Weakness

    own = entry.sample
    yield f"sample     {own.id}  {line(own.task.skill)}  {_worth(entry)}"
    if own.weakness:
        yield f"against    {line(run.ledger.get(Weakness, own.weakness).hypothesis)}"
    yield f"prompt     {line(own.task.prompt, most=MOST)}"
    yield f"completion {line(own.completion, most=MOST)}"
    for critique in entry.critiques:
        said = "accepted" if critique.accepted else "refused"
        yield f"{said:10} by {line(critique.judge)}: {line(critique.reason)}"


def _worth(entry: "Entry") -> str:
    return f"good with chance {entry.chance:.2f}, {entry.information:.3f} bits expected"


def _facts(entry: "Entry", now: "Standing") -> dict[str, Any]:
    own = entry.sample
    choice = now.choices.get(own.id)
    return {
        "sample": own.id,
        "round": now.round,
        "skill": own.task.skill,
        "weakness": own.weakness,
        "prompt": own.task.prompt,
        "answer": own.task.answer,
        "completion": own.completion,
        "critiques": [{"judge": c.judge, "accepted": c.accepted, "reason": c.reason} for c in entry.critiques],
        "chance": round(entry.chance, 6),
        "density": round(entry.density, 6),
        "information": round(entry.information, 6),
        "decision": choice.model_dump(mode="json", exclude_none=True, exclude={"sample"}) if choice else None,
    }


def _end(run: "Run", now: "Standing") -> str:
    from ...memory.choices import counted

    counts = counted([*now.choices.values()])
    lines = [
        f"round {now.round}: {counts['accept']:,} accepted, {counts['edit']:,} edited, {counts['reject']:,} rejected, "
        f"{len(now.undecided):,} waiting"
    ]
    verb = "review" if now.undecided else "resume"
    return "\n".join([*lines, f"next     evolvent {verb} {run.path}"])
