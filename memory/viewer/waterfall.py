"""Steps of a trace below each other, each with a bar where its time lies; places are percentages of the time shown."""

from collections.abc import Iterable
from typing import NamedTuple

from .. import conventions
from ..spans import Span, Spans
from .markup import duration, safe
from .places import to

SHOWN = 200
"""Steps on one page."""
DEPTH = 3
"""Levels shown at first, where they fit."""
DEEPEST = 12
"""Levels that are indented; what lies deeper stands below the last."""
THIN = 0.2
"""Least width of a bar, in percent: what took no time still has a place."""


class Scale(NamedTuple):
    """The stretch of time a page shows, in seconds since 1970."""

    start: float
    end: float

    def place(self, span: Span) -> tuple[float, float]:
        """Where a bar begins and how wide it is, in percent."""
        whole = max(self.end - self.start, 1e-9)
        left = min(max(100 * (span.started - self.start) / whole, 0.0), 100.0)
        return left, max(min(100 * span.seconds / whole, 100.0 - left), THIN)


def scale(spans: Iterable[Span]) -> Scale:
    """The stretch that holds all of some steps; empty where there are none."""
    ends = [(s.started, s.started + s.seconds) for s in spans]
    return Scale(min((a for a, _ in ends), default=0.0), max((b for _, b in ends), default=0.0))


def rows(run: str, trace: Spans, walked: list[tuple[Span, int]], across: Scale, *, level: int = 0) -> str:
    """Steps as list items; those whose parts are not shown can be opened.

    Args:
        run: name of the run.
        trace: where their parts are counted.
        walked: steps with their levels, in the order shown.
        across: time that the bars are drawn over.
        level: added to all levels.
    """
    counts = trace.parts([span.id for span, _ in walked])
    shown = {span.parent for span, _ in walked}
    return "".join(_row(run, span, depth + level, counts[span.id], span.id in shown, across) for span, depth in walked)


def more(run: str, span: str, count: int, *, level: int) -> str:
    """A last item that leads to the parts that are not shown."""
    level = min(level, DEEPEST)
    return (
        f'<li class="level-{level}" data-level="{level}"><a class="step" href="{safe(to(run, "trace", span))}">'
        f'<span class="name"><span class="twist"></span>{count:,} more</span></a></li>'
    )


def took(seconds: float) -> str:
    """Wall time, in milliseconds where it is short."""
    return f"{1000 * seconds:.1f} ms" if seconds < 0.1 else duration(seconds)


def steps(items: str) -> str:
    """The list around the items."""
    return f'<ol class="steps">{items}</ol>'


def _row(run: str, span: Span, level: int, parts: int, opened: bool, across: Scale) -> str:
    level = min(level, DEEPEST)
    address = to(run, "trace", span.id)
    left, width = across.place(span)
    failed = span.ended and span.status != "ok"
    kind = "failed" if failed else "whole" if span.ended else "unended"
    time = took(span.seconds) if span.ended else "not ended"
    more = f'<span class="count">{parts:,}</span>' if parts else ""
    facts = ", ".join(
        f"{conventions.words(k)} {v}" for k, v in span.attributes.items() if str(v) not in span.name.split()
    )
    status = f' <span class="failed">{safe(span.status)}</span>' if failed else ""
    fetch = to(run, "trace", span.id, "parts", level=level + 1, start=repr(across.start), end=repr(across.end))
    state = f' data-parts="{safe(fetch)}" data-open="{"yes" if opened else "no"}"' if parts else ""
    return (
        f'<li class="level-{level}" data-level="{level}"><a class="step" href="{safe(address)}"{state}>'
        f'<span class="name"><span class="twist"></span><b>{safe(span.name)}</b>{more}{status} '
        f"<small>{safe(facts)}</small></span>"
        f'<svg class="time" role="img" aria-label="{safe(time)}" width="100%" height="14">'
        f'<rect class="{kind}" x="{left:.3f}%" y="3" width="{width:.3f}%" height="8" rx="1.5"/></svg>'
        f'<span class="took">{time}</span></a></li>'
    )
