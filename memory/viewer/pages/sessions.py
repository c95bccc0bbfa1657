"""All sessions: status, score before and after, samples, time, and the curve in small."""

import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path

from ...errors import EvolventError
from ...reading import Run
from ..charts import curve
from ..figures import Overview, overview
from ..frame import Page, pager, plain
from ..markup import NOTHING, between, duration, percent, points, safe, several, table
from ..places import Library, to, whole, wrap

SHOWN = 50
"""Sessions on one page."""
ORDERS: dict[str, Callable[[Overview], tuple[float, str]]] = {
    "newest": lambda o: (0, o.name),
    "gain": lambda o: (o.change.after - o.change.before if o.change else -1, o.name),
    "score": lambda o: (o.change.after if o.change else -1, o.name),
    "samples": lambda o: (o.kept, o.name),
    "time": lambda o: (o.seconds, o.name),
}
"""What sessions may be sorted by, most first."""


def page(library: Library, asked: Mapping[str, str]) -> Page:
    """List sessions; `q` filters, `sort` orders, `from` pages."""
    text, order = asked.get("q", "").lower(), asked.get("sort", "newest")
    start = whole(asked.get("from")) or 0
    folders = library.all()
    # newest first is the order of the names, so only what is shown has to be opened
    simple = order not in ORDERS or order == "newest"
    opened = [row(p) for p in (folders[start : start + SHOWN] if simple and not text else folders)]
    found = [o for o in opened if not text or text in " ".join(map(str, o[:3])).lower()]
    if not simple:
        found.sort(key=lambda o: ORDERS[order](o[3]) if o[3] else (-2.0, o[0]), reverse=True)
    shown = found if simple and not text else found[start : start + SHOWN]
    total = len(folders) if simple and not text else len(found)
    lead = f"{several(total, 'session')}{' in ' + str(library.root) if library.root else ''}."
    head = ["session", "status", "before → after", "gain", "rounds", "samples", "time", "curve"]
    body = table("Sessions", head, [cells for _, _, cells, _ in map(_cells, shown)], kind="figures sessions")
    more = f"/?q={safe(text)}&sort={safe(order)}&from="
    pages = pager(
        "More sessions",
        (f"{more}{max(0, start - SHOWN)}" if start else None, "newer"),
        (f"{more}{start + SHOWN}" if start + SHOWN < total else None, "older"),
    )
    empty = '<p class="none">None yet; begin one with <code>evolvent run scenarios/arithmetic.toml</code>.</p>'
    return Page(
        "Sessions",
        [plain("sessions", _form(text, order), body if shown else empty, pages, _compare(shown))],
        head=f'<p class="about">{safe(lead)}</p>',
        pulse="/pulse",
    )


Row = tuple[str, str, str, Overview | None]
"""Name, scenario, status, and the figures if they can be read."""


def row(folder: Path) -> Row:
    """Sum up one session; one that is damaged says so and hides no other."""
    try:
        with Run.load(folder) as run:
            found = overview(run)
            return found.name, found.scenario, found.status, found
    except (EvolventError, OSError, ValueError, KeyError, TypeError, sqlite3.DatabaseError) as error:
        return folder.name, str(error).splitlines()[0], "damaged", None


def _cells(row: Row) -> tuple[str, str, list[str], None]:
    name, scenario, status, found = row
    where = wrap(to(name), f"<b>{safe(name)}</b>")
    if found is None:
        return name, status, [f"{where}<small>{safe(scenario)}</small>", _status(status), *[NOTHING] * 6], None
    limited = f' <span class="stamp">LIMITED to {found.limit}</span>' if found.limit else ""
    change = found.change
    score = f"{percent(change.before)} → <b>{percent(change.after)}</b>" if change else NOTHING
    gain = f"{points(change.after - change.before)} <small>{between(*change.interval)}</small>" if change else NOTHING
    spark = curve(found.curve, title=f"Score of {name}", height=34, letters=False) if found.curve else NOTHING
    return (
        name,
        status,
        [
            f"{where}<small>{safe(scenario)}, seed {found.seed}{limited}</small>",
            _status(status),
            f"{score}<small>{'sealed report' if change.split == 'report' else 'select'}</small>" if change else score,
            gain,
            f"{found.rounds}<small>{found.promoted} promoted</small>",
            f"{found.kept:,}<small>of {found.written:,}</small>",
            duration(found.seconds) if found.seconds else NOTHING,
            spark,
        ],
        None,
    )


def _status(status: str) -> str:
    return f'<span class="status {safe(status.split(":")[0])}">{safe(status)}</span>'


def _form(text: str, order: str) -> str:
    options = "".join(f"<option{' selected' if o == order else ''}>{o}</option>" for o in ORDERS)
    return (
        f'<form class="filter" role="search"><input type="search" name="q" value="{safe(text)}" maxlength="200" '
        'placeholder="Filter by name, scenario or status" aria-label="Filter sessions">'
        f'<label>sorted by <select name="sort">{options}</select></label><button>show</button></form>'
    )


def _compare(shown: list[Row]) -> str:
    """Choose two of the sessions on the page."""
    if len(shown) < 2:
        return ""

    def options(chosen: int) -> str:
        return "".join(
            f"<option{' selected' if i == chosen else ''}>{safe(name)}</option>" for i, (name, *_) in enumerate(shown)
        )

    return (
        f'<form class="filter" action="/compare"><label>compare <select name="a">{options(1)}</select></label>'
        f'<label>with <select name="b">{options(0)}</select></label><button>show</button></form>'
    )
