"""Lineages, moves and traces in words for a terminal; whatever a model wrote is made visible first."""

import json
from collections.abc import Iterator, Sequence

from ...memory.blame import Move
from ...memory.display import line
from ...memory.exams import Flips
from ...memory.lineage import Lineage
from ...memory.records import Attempt, Sample
from ...memory.spans import Span, Spans
from ...memory.viewer.markup import several

SHOWN = 5
"""Failures written out; the rest is counted."""
NAME = 34
"""Columns of a name in a tree, indent included."""


def of_sample(found: Lineage, run: str, *, origin: str = "") -> list[str]:
    """A sample from failure to score, one station a paragraph; `origin` is the run that this one went on from."""
    own = found.sample
    lines = [f"sample {own.id}  {line(own.task.skill)}  round {own.round}, {own.arm} arm  in {line(run)}"]
    asked = [f"  {line(part)}" for part in own.task.prompt.split("\n")] if own.task.talk else []
    lines += ["", *(["prompt", *asked] if asked else ["prompt     " + line(own.task.prompt)])]
    lines.append("completion " + line(own.completion))
    further = f"  an earlier run knows: evolvent explain {own.id} --run {line(origin)}"
    why = [further] if found.inherited else _why(found) or ["  drawn evenly; it answers no failure"]
    lines += ["", "why it was written", *why]
    lines += ["", "how it was written", *_origin(own), f"  {line(own.teacher)}: {line(own.recipe)}"]
    for critique in found.critiques:
        said = "accepted" if critique.accepted else "refused"
        lines.append(f"  {said} by {line(critique.judge)}: {line(critique.reason)}")
    for turn in (turn for debate in found.debates for turn in debate.turns):
        when = f"debate, turn {turn.turn}" if turn.turn else "before the debate"
        lines.append(f"  {when}: {line(turn.judge)} said {line(turn.verdict or 'nothing')} ({line(turn.reason)})")
    return [*lines, "", "what became of it", *_became(found), "", "what the exam did", *_examined(found)]


def of_skill(skill: str, moves: Sequence[Move], run: str) -> list[str]:
    """How a skill moved, round by round, and what was new in the data."""
    lines = [f"skill {line(skill)}  in {line(run)}"]
    if not moves:
        return [*lines, "  no round was examined yet"]
    for move in moves:
        decision = move.decision
        said = "promoted" if decision.promoted else "rejected"
        lines += ["", f"round {decision.round}  {said}  {_moved(move.flips)}"]
        for taught in move.taught:
            why = f"against {line(taught.weakness.hypothesis)}" if taught.weakness else "as practice"
            which = f"  (weakness {taught.weakness.id})" if taught.weakness else ""
            lines.append(f"  + {several(taught.samples, 'sample')} {why}{which}")
        if move.others:
            lines.append(f"  + {several(move.others, 'sample')} of other skills")
        lines.append(f"  {line(decision.reason)}")
    return lines


def of_names(names: Sequence[tuple[str, int, float, int]], run: str) -> list[str]:
    """Kinds of steps, longest first."""
    if not names:
        return [f"no step of {line(run)} has ended yet"]
    lines = [f"{'step':{NAME}} {'times':>8} {'seconds':>10} {'failed':>7}   {line(run)}"]
    return lines + [
        f"{line(n):{NAME}} {count:>8,} {seconds:>10.3f} {failed:>7,}" for n, count, seconds, failed in names
    ]


def of_tree(trace: Spans, tops: Sequence[Span], *, depth: int, most: int) -> Iterator[str]:
    """Steps below each other, indented, with their start after the first one's."""
    if not tops:
        yield "no step has ended yet"
        return
    since, shown = tops[0].started, 0
    for span, level in trace.tree(tops, depth=depth, most=most):
        shown += 1
        yield f"{span.id}  {span.started - since:>+9.3f} s  {'  ' * level}{of_span(span, id=False, indent=2 * level)}"
    if shown == most:
        yield f"… cut after {several(most, 'step')}; --most shows more, or name one of these steps"


def of_span(span: Span, *, id: bool = True, indent: int = 0) -> str:
    """One step in one line."""
    took = f"{span.seconds:>9.3f} s" if span.ended else "not ended  "
    status = "" if span.status == "ok" or not span.ended else f"  {line(span.status)}"
    known = f"  {line(json.dumps(span.attributes, ensure_ascii=False))}" if span.attributes else ""
    return f"{span.id + '  ' if id else ''}{line(span.name):{max(1, NAME - indent)}} {took}{status}{known}"


def _why(found: Lineage) -> list[str]:
    lines: list[str] = []
    if found.weakness:
        weakness = found.weakness
        state = found.life[-1].state if found.life else "open"
        lines.append(f"  weakness {weakness.id}, found in round {weakness.round}, now {state}")
        lines.append(f"    {line(weakness.hypothesis)}")
        lines += [f"    round {o.round}: {o.state}, {o.passed} of {o.tried} right" for o in found.life]
    lines += [_failure(attempt) for attempt in found.failures[:SHOWN]]
    if len(found.failures) > SHOWN:
        lines.append(f"  and {several(len(found.failures) - SHOWN, 'more failure')}")
    return lines


def _origin(sample: Sample) -> list[str]:
    if sample.origin is None:
        return []
    parents = [
        f"  from {parent.kind} {line(parent.id)}: {line(parent.prompt)} -> {line(parent.answer)}"
        for parent in sample.origin.parents
    ]
    read = [f"  beside document {sample.origin.document}, which the student does not see"]
    return [f"  operator {line(sample.origin.operator)}", *parents, *(read if sample.origin.document else [])]


def _failure(attempt: Attempt) -> str:
    return (
        f"  failure {attempt.id}: {line(attempt.task.prompt)} was answered {line(attempt.answer) or 'with nothing'}, "
        f"expected {line(attempt.task.answer)}"
    )


def _became(found: Lineage) -> list[str]:
    if found.fate is None:
        return ["  not decided yet: its round was not curated"]
    if found.review and found.fate.reason.startswith("review: "):
        instead = f"; now sample {found.review.edited}" if found.review.edited else ""
        return [f"  {line(found.review.said)}{instead}"]
    if not found.fate.kept:
        beside = f"; like sample {found.nearest.id}: {line(found.nearest.task.prompt)}" if found.nearest else ""
        return [f"  rejected: {line(found.fate.reason)}{beside}"]
    trained = [
        f"  round {r.number} trained on it: checkpoint {line(r.checkpoint)}, {line(r.path)}{_mark(found, r.checkpoint)}"
        for r in found.trained_in
    ]
    gone = [f"  {line(found.withdrawn)}"] if found.withdrawn else []
    said = [f"  {line(found.review.said)}"] if found.review else []
    return [f"  {line(found.fate.reason)}", *said, *gone, *(trained or ["  nothing was trained on it yet"])]


def _mark(found: Lineage, checkpoint: str) -> str:
    return f" ({found.marks[checkpoint]})" if checkpoint in found.marks else ""


def _examined(found: Lineage) -> list[str]:
    lines = [
        f"  round {e.decision.round}  {'promoted' if e.decision.promoted else 'rejected'}  {_moved(e.flips)}"
        for e in found.examined
    ]
    return lines or ["  no student that was trained on it was examined"]


def _moved(flips: Flips | None) -> str:
    if flips is None:
        return "the skill was not examined"
    before, after = flips.before.count("1") / max(1, flips.items), flips.after.count("1") / max(1, flips.items)
    return (
        f"{before:.1%} -> {after:.1%}  {100 * flips.change:+.1f} points "
        f"(gained {flips.gained}, lost {flips.lost} of {flips.items}; p {flips.p_value:.2g})"
    )
