"""Failures and samples by likeness on one plane, as the session placed them at the end of every round."""

from collections.abc import Sequence
from math import dist
from typing import NamedTuple

from ..reading import Run
from ..records import Weakness
from .figures import steps
from .markup import NOTHING, code, fold, safe, section, several, table
from .places import link, to

OWN, OTHERS = 90, 60
"""Points drawn of what belongs to the weakness, and of what lies near it."""
LONGEST = 160
"""Characters of one text shown on a point."""
EDGE, HEIGHT = 5.0, 380
"""Room around the points in percent of the width, and the height in pixels."""
SHAPES = {
    "failure": "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0z",
    "sample": "M-4 -4h8v8h-8z",
}
"""Outlines about the point; shapes tell kinds apart without colour."""
PAGES = {"failure": "records", "sample": "samples"}


class Spot(NamedTuple):
    """One thing on the plane."""

    kind: str
    id: str
    skill: str
    weakness: str
    """That a sample was written against."""
    x: float
    y: float
    round: int


def near(run: Run, own: Weakness) -> str:
    """Draw what a weakness came from and was taught with, and what else lies near; nothing where nothing was placed."""
    spots = _spots(run)
    failures = set(own.failures)
    ours = [s for s in spots if s.weakness == own.id or s.id in failures]
    if not ours:
        return ""
    # ids are hashes, so in their order a cut takes as good a share of samples as of failures
    ours = sorted(ours, key=lambda s: s.id)[:OWN]
    middle = (sum(s.x for s in ours) / len(ours), sum(s.y for s in ours) / len(ours))
    held = {s.id for s in ours}
    others = sorted((s for s in spots if s.id not in held), key=lambda s: (dist(middle, (s.x, s.y)), s.id))
    shown = sorted([*ours, *others[:OTHERS]], key=lambda s: (s.x, s.y, s.id))
    lead = (
        "What is alike lies close together: ○ failures, ■ samples. Strong: its own. Pale: what else "
        "lies near, of any weakness and round. Across and up are the two directions in which the session's first "
        "vectors differ most."
    )
    texts = _texts(run, [s.id for s in shown])
    rows = [_row(run, s, s.id in held, texts.get(s.id, "")) for s in [*ours, *others[:OTHERS]]]
    head = ["what", "whose", "round", "skill", "text"]
    listed = table("Points of the map", head, rows, kind="texts list")
    drawn = _drawn(run, shown, held, texts, f"Map of {several(len(shown), 'point')} by likeness")
    said = '<p class="said" role="status"></p>'
    return section("map", "Near it in memory", lead, drawn, said, fold(f"The {several(len(rows), 'point')}", listed))


def _spots(run: Run) -> list[Spot]:
    found: list[Spot] = []
    for number in range(1, steps(run.ledger) + 1):
        points = (run.ledger.result("reflect", number) or {}).get("map", {}).get("points", [])
        found += [
            Spot(str(kind), str(id), str(skill), str(weakness), float(x), float(y), number)
            for kind, id, skill, weakness, x, y in points
            if kind in SHAPES
        ]
    return found


def _texts(run: Run, ids: Sequence[str]) -> dict[str, str]:
    """What each point says."""
    marks = ",".join("?" * len(ids))
    rows = run.ledger.rows(
        "select id, substr(json_extract(body, '$.task.prompt'), 1, 200), "  # noqa: S608 - marks alone
        "substr(coalesce(json_extract(body, '$.answer'), json_extract(body, '$.task.answer')), 1, 200) "
        f"from records where kind in ('attempt', 'sample') and id in ({marks})",
        *ids,
    )
    return {str(id): f"{prompt} → {answer}" for id, prompt, answer in rows}


def _row(run: Run, spot: Spot, own: bool, text: str) -> list[str]:
    return [
        link(to(run.name, PAGES[spot.kind], spot.id), f"{spot.kind} {spot.id[:8]}"),
        "its own" if own else NOTHING,
        str(spot.round),
        safe(spot.skill),
        code(text),
    ]


def _drawn(run: Run, spots: Sequence[Spot], own: set[str], texts: dict[str, str], title: str) -> str:
    left, right = min(s.x for s in spots), max(s.x for s in spots)
    low, high = min(s.y for s in spots), max(s.y for s in spots)
    marks: list[str] = []
    for i, spot in enumerate(spots):
        across = EDGE + (100 - 2 * EDGE) * ((spot.x - left) / (right - left) if right > left else 0.5)
        down = HEIGHT * (0.06 + 0.88 * ((high - spot.y) / (high - low) if high > low else 0.5))
        words = texts.get(spot.id, "")
        cut = words if len(words) <= LONGEST else f"{words[:LONGEST]} …"
        name = safe(f"{spot.kind}, round {spot.round}, {spot.skill}: {cut}")
        address = safe(to(run.name, PAGES[spot.kind], spot.id))
        marks.append(
            f'<a href="{address}" aria-label="{name}" tabindex="{-1 if i else 0}">'
            f'<svg x="{across:.2f}%" y="{down:.1f}" overflow="visible"><title>{name}</title>'
            f'<path class="{spot.kind}{" own" if spot.id in own else ""}" d="{SHAPES[spot.kind]}"/></svg></a>'
        )
    return (
        f'<svg class="chart map" role="group" aria-label="{safe(title)}" width="100%" height="{HEIGHT}">'
        f"{''.join(marks)}</svg>"
    )
