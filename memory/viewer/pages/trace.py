"""The trace: steps as a tree with a waterfall, one step with its parts, and a search across all text."""

import json
import time
from collections.abc import Mapping

from ...reading import Run
from ...spans import Span
from ..finding import records
from ..frame import Page, pager, pulse
from ..markup import NOTHING, code, safe, section, several, table
from ..places import link, to, whole
from ..waterfall import DEPTH, SHOWN, Scale, more, rows, scale, steps, took

PARTS = 100
"""Parts of one step on one page."""
LONGEST = 200
"""Characters searched for; the rest is left out."""
FEW = 200_000
"""Spans up to which kinds of steps are summed up; it takes a look at every one."""


def page(run: Run, asked: Mapping[str, str]) -> Page:
    """Show the whole trace, or what a search finds."""
    text = asked.get("q", "").strip()[:LONGEST]
    trail = [("/", "sessions"), (to(run.name), run.session.name)]
    if text:
        body = [_records(run, text, asked.get("records", "")), _spans(run, text, asked.get("steps", ""))]
        return Page(f"Search: {text}", body, trail=[*trail, (to(run.name, "trace"), "trace")], run=run.name)
    tops = run.trace.roots()
    beat = pulse(run.name, run.status)
    if len(tops) == 1:
        ended = f"{several(run.trace.count(), 'step')} have ended."
        around = "" if tops[0].ended else " The one around them has not ended."
        body = [_parts(run, tops[0], asked.get("from", ""), ended + around)]
        return Page("Trace", [*body, _kinds(run)], trail=trail, run=run.name, pulse=beat)
    walked = list(run.trace.tree(tops, depth=1, most=SHOWN))
    shown = (
        steps(rows(run.name, run.trace, walked, scale(tops))) if tops else '<p class="none">no step has ended yet</p>'
    )
    going = sum(not top.ended for top in tops)
    lead = f"{several(run.trace.count(), 'step')} have ended, in {several(len(tops), 'process', 'processes')}"
    lead += f", of which {going:,} {'has' if going == 1 else 'have'} not." if going else "."
    return Page("Trace", [section("steps", "Steps", lead, shown), _kinds(run)], trail=trail, run=run.name, pulse=beat)


def span(run: Run, asked: Mapping[str, str]) -> Page:
    """Show one step: what is known of it, and its parts.

    Raises:
        RunError: there is none with this id.
    """
    own = run.trace.get(asked["id"])
    trail = [("/", "sessions"), (to(run.name), run.session.name), (to(run.name, "trace"), "trace")]
    trail += [(to(run.name, "trace", above.id), above.name) for above in run.trace.above(own)]
    return Page(own.name, [_facts(own), _parts(run, own, asked.get("from", ""), "")], trail=trail, run=run.name)


def parts(run: Run, asked: Mapping[str, str]) -> str:
    """Parts of a step as list items, to be put below it."""
    level = whole(asked.get("level")) or 0
    across = Scale(_number(asked.get("start")), _number(asked.get("end")))
    found = [(part, 0) for part in run.trace.children(asked["id"], limit=PARTS)]
    total = run.trace.parts([asked["id"]])[asked["id"]]
    rest = more(run.name, asked["id"], total - len(found), level=level) if total > len(found) else ""
    return steps(rows(run.name, run.trace, found, across, level=level) + rest)


def _parts(run: Run, own: Span, start: str, lead: str) -> str:
    first = whole(start) or 0
    total = run.trace.parts([own.id])[own.id]
    if not total:
        return section("steps", "Parts", "It has no parts.")
    across = scale([own])
    tops = run.trace.children(own.id, limit=PARTS, offset=first)
    # everything at once where it fits, otherwise one level to open by hand
    walked = list(run.trace.tree(tops, depth=DEPTH, most=SHOWN))
    if len(walked) >= SHOWN or total > PARTS:
        walked = [(part, 0) for part in tops]
        across = scale(tops)
    place = to(run.name, "trace", own.id)
    others = pager(
        "More parts",
        (f"{place}?from={max(0, first - PARTS)}" if first else None, "earlier"),
        (f"{place}?from={first + PARTS}" if first + PARTS < total else None, "later"),
    )
    said = f"{lead} {several(total, 'part')}, by time of their start, over {took(across.end - across.start)}."
    return section("steps", "Steps", safe(said.strip()), steps(rows(run.name, run.trace, walked, across)), others)


def _facts(own: Span) -> str:
    began = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(own.started))
    facts = [["step", code(own.id)], ["began", began], ["took", took(own.seconds) if own.ended else "not ended"]]
    facts.append(["status", f'<span class="{"yes" if own.status == "ok" else "over"}">{safe(own.status)}</span>'])
    facts += [[safe(key), _value(value)] for key, value in own.attributes.items()]
    return section("facts", "What is known", "", table("Facts", ["what", "value"], facts, kind="facts"))


def _value(value: object) -> str:
    return code(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _kinds(run: Run) -> str:
    if run.trace.count() > FEW:
        return ""
    found = [
        [
            link(to(run.name, "trace", q=name), name),
            f"{count:,}",
            took(seconds),
            took(seconds / count),
            f'<span class="over">{failed:,}</span>' if failed else NOTHING,
        ]
        for name, count, seconds, failed in run.trace.names()
    ]
    head = ["kind", "times", "together", "on average", "failed"]
    lead = "Times overlap: a step holds its parts."
    return section("kinds", "Kinds of steps", lead, table("Kinds", head, found, kind="figures")) if found else ""


def _spans(run: Run, text: str, before: str) -> str:
    found = run.trace.search(text, before=whole(before))
    listed = [
        [
            link(to(run.name, "trace", s.id), s.name),
            took(s.seconds),
            safe(s.status),
            code(json.dumps(s.attributes, ensure_ascii=False)),
        ]
        for s in found.spans
    ]
    shown = table("Steps found", ["step", "took", "status", "attributes"], listed, kind="texts list")
    others = pager("More steps", (to(run.name, "trace", q=text, steps=found.rest) if found.rest else None, "search on"))
    return section("steps", "In steps", "Latest first.", shown if listed else '<p class="none">none here</p>', others)


def _records(run: Run, text: str, before: str) -> str:
    found, rest = records(run.ledger, text, before=whole(before))
    listed = [[link(to(run.name, *f.page), f"{f.kind} {f.id[:8]}"), str(f.round or ""), code(f.excerpt)] for f in found]
    shown = table("Records found", ["record", "round", "where"], listed, kind="texts list")
    others = pager("More records", (to(run.name, "trace", q=text, records=rest) if rest else None, "search on"))
    return section(
        "records",
        "In records",
        "Prompts, answers, reasons; latest first.",
        shown if listed else '<p class="none">none here</p>',
        others,
    )


def _number(text: str | None) -> float:
    try:
        return float(text or 0)
    except ValueError:
        return 0.0
