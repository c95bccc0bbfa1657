"""One weakness: what was thought, the failures behind it, what was tried, and how it went."""

from collections.abc import Mapping, Sequence

from ...reading import Run
from ...records import Attempt, Observation, Prediction, Share, Weakness
from ...statistics import wilson
from .. import charts
from ..charts import Point
from ..difference import compare
from ..frame import Page, pager
from ..map import near
from ..markup import code, percent, safe, section, several, table, within
from ..places import link, to, whole
from .samples import listing

SHOWN = 20
"""Failures on one page."""


def page(run: Run, asked: Mapping[str, str]) -> Page:
    """Show a weakness.

    Raises:
        LedgerError: there is none with this id.
    """
    own = run.ledger.get(Weakness, asked["id"])
    seen = run.ledger.read(Observation, subject=own.id)
    state = seen[-1].state if seen else "open"
    rule = " <i>and</i> ".join(map(code, own.rule)) or "the whole skill"
    head = (
        f'<p class="meta"><span class="state {state}">{state}</span> '
        f"<span>{link(to(run.name, 'skill', name=own.skill), own.skill)}</span> "
        f"<span>found in {link(to(run.name, 'rounds', own.round), f'round {own.round}')}</span> "
        f"<span>p {own.p_value:.2g} corrected</span></p><p class='about'>Rule: {rule}</p>"
    )
    body = [_life(run, seen), _foresight(run, own), _failures(run, own, asked.get("from", "")), near(run, own)]
    trail = [("/", "sessions"), (to(run.name), run.session.name)]
    return Page(
        own.hypothesis or "unnamed weakness",
        [*body, _tried(run, own), _samples(run, own)],
        head=head,
        trail=trail,
        run=run.name,
    )


def _life(run: Run, seen: Sequence[Observation]) -> str:
    if not seen:
        return section("life", "Its life", "Nobody has looked at it since it was found.")
    drawn = [Point(o.passed / o.tried, *wilson(o.passed, o.tried), True, f"round {o.round}") for o in seen if o.tried]
    rows = [
        [
            link(to(run.name, "rounds", o.round), f"round {o.round}"),
            f'<span class="state {o.state}">{o.state}</span>',
            f"{o.passed:,} of {o.tried:,}",
            safe(o.reason),
            ", ".join(_remembered(run, id) for id in o.recalled),
        ]
        for o in seen
    ]
    chart = charts.curve(drawn, title="Pass rate under its rule by round", height=200) if drawn else ""
    lead = "Share of fresh probes under its rule that were answered right, in percent, round by round."
    head = ["round", "state", "right", "why", "remembered"]
    return section("life", "Its life", lead, chart, table("States", head, rows, kind="weak"))


def _remembered(run: Run, id: str) -> str:
    """A weakness that came to mind; one of an earlier run has no page here."""
    here = run.ledger.rows("select 1 from records where kind = 'weakness' and id = ?", id)
    return link(to(run.name, "weaknesses", id), id[:8]) if here else safe(id[:8])


def _foresight(run: Run, own: Weakness) -> str:
    tested = [p for p in run.ledger.read(Prediction, subject=own.id) if p.tried]
    if not tested:
        return ""
    last = tested[-1]
    seen = Point(last.passed / last.tried, *wilson(last.passed, last.tried))
    lead = (
        f"Before it was believed, it foresaw {percent(last.foreseen)} right; {last.passed:,} of "
        f"{several(last.tried, 'fresh probe')} were, {within(seen.low, seen.high)} %."
    )
    return section(
        "foresight", "Foreseen and seen", lead, f'<div class="narrow">{charts.foresight(last.foreseen, seen)}</div>'
    )


def _failures(run: Run, own: Weakness, start: str) -> str:
    first = whole(start) or 0
    shown = [run.ledger.get(Attempt, id) for id in own.failures[first : first + SHOWN]]
    rows = [failure(run, attempt) for attempt in shown]
    lead = f"{several(len(own.failures), 'failure')} it was inferred from; what differs is marked."
    place = to(run.name, "weaknesses", own.id)
    more = pager(
        "More failures",
        (f"{place}?from={max(0, first - SHOWN)}#failures" if first else None, "earlier"),
        (f"{place}?from={first + SHOWN}#failures" if first + SHOWN < len(own.failures) else None, "more"),
    )
    head = ["failure", "prompt", "the student said", "expected"]
    return section("failures", "The failures", lead, table("Failures", head, rows, kind="texts"), more)


def failure(run: Run, attempt: Attempt) -> list[str]:
    """Cells of one failure: its record, the prompt, what was said and what was expected."""
    sides = compare(attempt.answer, attempt.task.answer)
    return [
        link(to(run.name, "records", attempt.id), attempt.id[:8]),
        code(attempt.task.prompt),
        sides.left,
        sides.right,
    ]


def _tried(run: Run, own: Weakness) -> str:
    given = [s for s in run.ledger.read(Share, subject=own.skill) if s.weakness == own.id]
    rows = [
        [link(to(run.name, "rounds", s.round), f"round {s.round}"), f"{s.samples:,}", safe(s.reason)] for s in given
    ]
    shown = table("Budget by round", ["round", "samples asked for", "why so many"], rows, kind="tried")
    return section("tried", "What was tried", "", shown) if rows else ""


def _samples(run: Run, own: Weakness) -> str:
    shown, last = listing(run, {"weakness": own.id})
    more = pager("More samples", (to(run.name, "samples", weakness=own.id, after=last) if last else None, "more"))
    return section("samples", "What it was taught", "", shown, more)
