"""A table of weaknesses flowing through their states, a page at a time."""

from collections.abc import Sequence

from ..reading import Run
from .figures import Life
from .frame import pager
from .markup import NOTHING, safe, table
from .places import link, to, whole

SHOWN = 100
"""Weaknesses on one page."""
LOOKS = 30
"""States of a weakness shown in a row, the latest."""


def listing(run: Run, found: Sequence[Life], start: str, *parts: str, **query: str) -> str:
    """Show some weaknesses and links to the others.

    Args:
        run: where they are.
        found: all of them.
        start: which comes first, as it was asked for.
        parts: of the page's address, below the run's.
        query: of the page's address.
    """
    first = whole(start) or 0
    shown = found[first : first + SHOWN]
    rows = [_row(run, life, _aimed(run, life.weakness.id)) for life in shown]
    head = ["hypothesis", "skill", "state", "through its rounds", "right at last", "samples"]

    def page(start: int) -> str:
        return to(run.name, *parts, **{**query, "from": start}) + "#weaknesses"

    earlier = page(max(0, first - SHOWN)) if first else None
    later = page(first + SHOWN) if first + SHOWN < len(found) else None
    return table("Weaknesses", head, rows, kind="weak") + pager(
        "More weaknesses", (earlier, "earlier"), (later, "later")
    )


def _aimed(run: Run, weakness: str) -> int:
    """Samples written against a weakness; counted in an index, without reading one."""
    query = "select count(*) from records where kind = 'sample' and json_extract(body, '$.weakness') = ?"
    return int(run.ledger.rows(query, weakness)[0][0])


def _row(run: Run, life: Life, samples: int) -> list[str]:
    last = life.seen[-1] if life.seen else None
    looks = life.seen[-LOOKS:]
    flow = "".join(
        f'<i class="{o.state}" title="round {o.round}: {o.state}, {o.passed} of {o.tried} right"></i>' for o in looks
    )
    return [
        link(to(run.name, "weaknesses", life.weakness.id), life.weakness.hypothesis or "unnamed"),
        safe(life.weakness.skill),
        f'<span class="state {life.state}">{life.state}</span>',
        f'<span class="flow" role="img" aria-label="{", ".join(o.state for o in looks)}">{flow}</span>',
        f"{last.passed:,} of {last.tried:,}" if last and last.tried else NOTHING,
        f"{samples:,}",
    ]
