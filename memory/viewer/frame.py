"""What every page has: a head, where it stands, its sections, and no script or style of its own."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from .markup import safe
from .places import link, to

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title} · evolvent</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/page.css">
<link rel="stylesheet" href="/assets/view.css">
<script src="/assets/view.js" defer></script>
</head>
<body{live}>
<a class="skip" href="#content">Skip to the content</a>
<header class="bar"><nav aria-label="Where you are"><ol>{crumbs}</ol></nav>{tools}</header>
<main id="content"><header><h1>{heading}</h1>{head}</header>{body}</main>
<footer class="keys"><p>{keys}</p>{note}</footer>
</body>
</html>
"""
KEYS = (
    "<kbd>/</kbd> search &nbsp; <kbd>[</kbd> <kbd>]</kbd> previous, next &nbsp; "
    "<kbd>u</kbd> up &nbsp; <kbd>↑</kbd> <kbd>↓</kbd> <kbd>→</kbd> <kbd>←</kbd> steps of a trace"
)


@dataclass(frozen=True, slots=True)
class Page:
    """One page before it is framed; every text but the body and the head is plain."""

    title: str
    body: Sequence[str]
    """Sections, HTML."""
    head: str = ""
    """What stands under the title, HTML."""
    trail: Sequence[tuple[str, str]] = field(default=())
    """Pages above it: address and name."""
    run: str | None = None
    """Name of the run it belongs to."""
    pulse: str | None = None
    """Address that answers otherwise once the page has something new to show; None where nothing will change."""
    before: str | None = None
    after: str | None = None
    """Addresses of its neighbours."""
    note: str = ""
    """What stands at its foot, HTML."""


def frame(page: Page) -> str:
    """Give the whole page as HTML."""
    trail = [("/", "evolvent"), *page.trail]
    crumbs = "".join(f"<li>{link(address, name)}</li>" for address, name in trail)
    return _PAGE.format(
        title=safe(page.title),
        heading=safe(page.title),
        live=f' data-pulse="{safe(page.pulse)}"' if page.pulse else "",
        crumbs=f'{crumbs}<li aria-current="page">{safe(page.title)}</li>' if page.trail or page.run else crumbs,
        tools=_tools(page),
        head=page.head,
        body="".join(page.body),
        keys=KEYS,
        note=f"<p>{page.note}</p>" if page.note else "",
    )


def _tools(page: Page) -> str:
    """Neighbours and the search, at the right of the bar."""
    parts = [
        f'<a rel="{rel}" href="{safe(address)}" aria-label="{name}">{sign}</a>'
        for rel, address, name, sign in (
            ("prev", page.before, "previous", "‹"),
            ("next", page.after, "next", "›"),
        )
        if address
    ]
    if page.run:
        parts.append(
            f'<form role="search" action="{safe(to(page.run, "trace"))}"><input type="search" name="q" maxlength="200" '
            'placeholder="Search this session" aria-label="Search this session"></form>'
        )
    return f'<div class="tools">{"".join(parts)}</div>'


def pulse(run: str, status: str) -> str | None:
    """Address of a run's pulse while it goes on or waits for a person; None once it has ended."""
    return to(run, "pulse") if status in ("running", "waiting") else None


def plain(anchor: str, *body: str) -> str:
    """A section that needs no title of its own, being all there is on the page."""
    return f'<section id="{anchor}">{"".join(body)}</section>'


def pager(caption: str, *links: tuple[str | None, str]) -> str:
    """Links to other parts of a long list; those without an address are left out."""
    shown = "".join(f"<li>{link(address, name)}</li>" for address, name in links if address)
    return f'<nav class="pager" aria-label="{safe(caption)}"><ul>{shown}</ul></nav>' if shown else ""
