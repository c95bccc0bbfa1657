"""A session as one conversation that the Hub's trace viewer shows: what was asked for, and every step as a call.

Steps come in the order in which they were begun: a call names the step and its round, its result is what came of it,
and beside it stand the words it left, which are hypotheses, samples, judgements and decisions. What teachers and judges
were told and said in a step stands between the two.

Source: the Hub's Session Trace Simple Format, https://huggingface.co/docs/hub/session-traces-format
"""

import json
from collections.abc import Iterator
from pathlib import Path

from ...memory.reading import Run
from ...memory.records import Critique, Promotion, Sample, Share, Weakness
from ..reports.summary import Json
from .talk import Talk

HARNESS = "evolvent"
SHOWN = 8
"""Samples and refusals of a step that are written out; the others are counted, and are among the tables."""
_STEPS = "select rowid, name, round, status, result, seconds from effects order by rowid"


def write(run: Run, path: Path) -> int:
    """Write the session; give the number of its messages."""
    lines = [_head(run), *({"type": "message", "message": message} for message in _messages(run))]
    with path.open("w", encoding="utf-8", newline="\n") as file:
        # ASCII alone: no character of a model ends a line
        file.writelines(json.dumps(line, ensure_ascii=True) + "\n" for line in lines)
    return len(lines) - 1


def _head(run: Run) -> Json:
    name = f"{run.session.name}: {run.scenario.get('description') or run.name}"
    return {"type": "session", "harness": HARNESS, "id": run.trace.identity(), "name": name, "run": run.name}


def _messages(run: Run) -> Iterator[Json]:
    began, talk = _began(run), Talk(run)
    yield {"role": "user", "content": _asked(run)}
    for row, name, round, status, result, seconds in run.ledger.rows(_STEPS):
        call, time = f"step-{row}", began.get((str(name), int(round)))
        known = {} if time is None else {"timestamp": int(time * 1_000)}
        function = {"name": str(name), "arguments": json.dumps({"round": round})}
        yield {
            "role": "assistant", "content": _said(run, str(name), int(round)),
            "toolCalls": [{"id": call, "function": function}], **known,
        }  # fmt: skip
        if time is not None:
            yield from talk.between(time, time + (seconds or 0))
        came = {**_plain(json.loads(result) if result else {}), "status": status, "seconds": seconds}
        ended = {} if time is None else {"timestamp": int((time + (seconds or 0)) * 1_000)}
        yield {"role": "tool", "toolCallId": call, "content": json.dumps(came, ensure_ascii=False), **ended}
    yield {"role": "assistant", "content": f"The session is {run.status}."}


def _asked(run: Run) -> str:
    goal = run.goal
    guards = f" Keep {', '.join(goal.guards)} as good as they are." if goal.guards else ""
    return f"{run.scenario.get('description', '')}\n\nTeach the student {', '.join(goal.targets)}.{guards}".strip()


def _plain(result: Json) -> Json:
    """A result without the figures of every training step, which are among the tables."""
    return {key: value for key, value in result.items() if key != "metrics"}


def _began(run: Run) -> dict[tuple[str, int], float]:
    """When each step was begun last, by name and round, as the trace has it."""
    found: dict[tuple[str, int], float] = {}
    for some in run.trace.all():
        for span in some:
            if isinstance(round := span.attributes.get("round"), int):
                found[span.name, round] = span.started
    return found


def _said(run: Run, step: str, round: int) -> str:
    """The words a step left on the record."""
    teller = {
        "diagnose": _hypotheses,
        "allocate": _shares,
        "generate": _samples,
        "critique": _judgements,
        "decide": _decision,
    }.get(step.split(".")[0])
    return "\n".join(teller(run, round)) if teller else ""


def _hypotheses(run: Run, round: int) -> list[str]:
    return [f"{w.skill}: {w.hypothesis}" for w in run.ledger.read(Weakness, round=round)]


def _shares(run: Run, round: int) -> list[str]:
    return [f"{s.skill}: {s.samples:,} samples, {s.reason}" for s in run.ledger.read(Share, round=round)]


def _samples(run: Run, round: int) -> list[str]:
    found = [s for s in run.ledger.read(Sample, round=round) if s.arm == "targeted"]
    shown = [f"{s.task.prompt} → {s.task.answer}   ({s.teacher}, {s.task.skill})" for s in found[:SHOWN]]
    return [*shown, *_rest(len(found))]


def _judgements(run: Run, round: int) -> list[str]:
    refused = [c for c in run.ledger.read(Critique, round=round) if not c.accepted]
    shown = [f"refused by {c.judge}: {c.reason}" for c in refused[:SHOWN]]
    return [*shown, *_rest(len(refused))]


def _decision(run: Run, round: int) -> list[str]:
    return [f"{'promoted' if p.promoted else 'rejected'}: {p.reason}" for p in run.ledger.read(Promotion, round=round)]


def _rest(count: int) -> list[str]:
    return [f"… and {count - SHOWN:,} more"] if count > SHOWN else []
