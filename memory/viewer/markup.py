"""Text, figures and tables as HTML. Everything that comes from data goes through `safe`: model text is never markup."""

import html
from collections.abc import Iterable, Sequence

from ..display import visible

LONGEST = 600
"""Characters shown of one text; the ledger has the rest."""
NOTHING = '<span class="none">–</span>'
"""Stands where there is no figure."""


def safe(value: object) -> str:
    """Give any value as text that is never markup, in content and in quoted attributes."""
    return html.escape(visible(str(value)))


def code(value: object) -> str:
    """Give a model's text letter by letter; long text is cut and says so."""
    text = str(value)
    if not text:
        return '<span class="none">empty</span>'
    shown = "".join(_marked(c) for c in text[:LONGEST])
    rest = f' <span class="none">… {len(text) - LONGEST:,} more characters</span>' if len(text) > LONGEST else ""
    return f"<code>{shown}</code>{rest}"


def percent(rate: float | None, digits: int = 1) -> str:
    """Give a share as `59.3 %`, or a dash."""
    return NOTHING if rate is None else f"{100 * rate:.{digits}f} %"


def points(change: float | None) -> str:
    """Give a difference of shares in points, with its sign."""
    if change is None:
        return NOTHING
    figure = f"{100 * change:+.1f}"
    return "0.0" if figure in ("+0.0", "-0.0") else figure.replace("-", "−")


def between(low: float, high: float) -> str:
    """Give an interval of differences, in points."""
    return f"[{points(low)}, {points(high)}]"


def within(low: float, high: float) -> str:
    """Give an interval of shares, in percent."""
    return f"[{100 * low:.1f}, {100 * high:.1f}]"


def several(count: int, noun: str, plural: str = "") -> str:
    """Give a count with its noun: `1 round`, `1,200 samples`."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def duration(seconds: float) -> str:
    """Give wall time in the two units that matter."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], *, kind: str = "") -> str:
    """Build a table from cells that are HTML already; the first cell of a row heads it.

    Args:
        caption: plain text, for those who hear the table.
        head: column heads, HTML; a column without one has an empty string.
        rows: cells, HTML.
        kind: class; `figures` sets every column but the first flush right.
    """
    heads = "".join(f'<th scope="col">{cell}</th>' if cell else "<td></td>" for cell in head)
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>' for first, *rest in rows
    )
    name = safe(caption)
    return (
        f'<div class="scroll" role="region" aria-label="{name}" tabindex="0"><table class="{kind}">'
        f"<caption>{name}</caption><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def fold(summary: str, body: str, *, opened: bool = False) -> str:
    """Put something one click away."""
    return f"<details{' open' if opened else ''}><summary>{summary}</summary>{body}</details>"


def section(anchor: str, title: str, lead: str, *body: str) -> str:
    """Build a section of the page; `lead` says in a sentence what it shows."""
    return f'<section id="{anchor}"><h2>{title}</h2><p class="lead">{lead}</p>{"".join(body)}</section>'


def _marked(c: str) -> str:
    shown = visible(c)
    return html.escape(c) if shown == c else f"<mark>{shown}</mark>"
