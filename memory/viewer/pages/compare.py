"""Two sessions side by side: what was set otherwise, what came of it, and what was decided."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ...exams import ends, rate
from ...reading import Run
from ...records import Exam, Promotion
from .. import charts
from ..figures import Overview, overview
from ..frame import Page
from ..markup import NOTHING, between, code, duration, percent, points, safe, section, table
from ..places import Library, link, to

SHOWN = 200
"""Settings shown at most."""


def page(library: Library, asked: Mapping[str, str]) -> Page:
    """Compare the sessions `a` and `b`.

    Raises:
        RunError: one of them is not there.
    """
    with Run.load(library.find(asked.get("a", ""))) as a, Run.load(library.find(asked.get("b", ""))) as b:
        pair = (a, b)
        body = [_figures(pair), _skills(pair), _decisions(pair), _settings(pair)]
        head = f'<p class="about">{link(to(a.name), a.name)} and {link(to(b.name), b.name)}</p>'
    return Page("Two sessions", body, head=head, trail=[("/", "sessions")])


Pair = tuple[Run, Run]


def _figures(pair: Pair) -> str:
    found = [overview(run) for run in pair]
    facts: list[tuple[str, Sequence[str]]] = [
        ("status", [safe(o.status) for o in found]),
        ("before → after", [_score(o) for o in found]),
        ("gain in points", [_gain(o) for o in found]),
        ("rounds, promoted", [f"{o.rounds}, {o.promoted}" for o in found]),
        ("samples kept, written", [f"{o.kept:,}, {o.written:,}" for o in found]),
        ("wall time", [duration(o.seconds) if o.seconds else NOTHING for o in found]),
        ("seed", [str(o.seed) for o in found]),
        ("curve", [_spark(o) for o in found]),
    ]
    shown = table("Figures", ["", *_names(pair)], [[name, *values] for name, values in facts], kind="versus")
    return section("figures", "What came of them", "", shown)


def _score(found: Overview) -> str:
    change = found.change
    return f"{percent(change.before)} → <b>{percent(change.after)}</b> {change.split}" if change else NOTHING


def _gain(found: Overview) -> str:
    change = found.change
    return f"{points(change.after - change.before)} {between(*change.interval)}" if change else NOTHING


def _spark(found: Overview) -> str:
    drawn = charts.curve(found.curve, title=f"Score of {found.name}", height=60, letters=False) if found.curve else ""
    return drawn or NOTHING


def _skills(pair: Pair) -> str:
    last = [ends(run.ledger.read(Exam), run.ledger.read(Promotion)) for run in pair]
    exams = [found[1] if found else None for found in last]
    skills = sorted({skill for exam in exams if exam for skill in exam.scores})
    rows: list[list[str]] = []
    for skill in skills:
        rates = [rate(exam, skill) if exam else None for exam in exams]
        change = None if rates[0] is None or rates[1] is None else rates[1] - rates[0]
        rows.append([safe(skill), *(percent(r) for r in rates), f"<b>{points(change)}</b>"])
    lead = "Pass rate of each session's last student on its own select items, which are the same only for equal seeds."
    head = ["skill", *_names(pair), "difference"]
    return section("skills", "Skills", lead, table("Skills", head, rows, kind="figures")) if rows else ""


def _decisions(pair: Pair) -> str:
    found = [{p.round: p for p in run.ledger.read(Promotion)} for run in pair]
    rounds = sorted(found[0].keys() | found[1].keys())
    rows = [
        [f"round {n}", *(_decision(run, each.get(n)) for run, each in zip(pair, found, strict=True))] for n in rounds
    ]
    shown = table("Decisions", ["", *_names(pair)], rows, kind="versus")
    return section("decisions", "Decisions", "", shown) if rows else ""


def _decision(run: Run, decision: Promotion | None) -> str:
    if decision is None:
        return NOTHING
    outcome = "promoted" if decision.promoted else "rejected"
    gained = f"+{decision.gained:,} −{decision.lost:,}, p {decision.p_value:.2g}"
    return f"{link(to(run.name, 'rounds', decision.round), outcome)} <small>{gained}</small>"


def _settings(pair: Pair) -> str:
    one, other = (flat(run.scenario) for run in pair)
    rows = [
        [safe(key), _setting(one.get(key)), _setting(other.get(key))]
        for key in sorted(one.keys() | other.keys())
        if one.get(key) != other.get(key)
    ]
    if not rows:
        return section("settings", "Settings", "Both were begun with the same scenario.")
    shown = table("Settings", ["setting", *_names(pair)], rows[:SHOWN], kind="versus")
    return section("settings", "Settings", "What the resolved scenarios say otherwise.", shown)


def _setting(value: str | None) -> str:
    return NOTHING if value is None else code(value)


def _names(pair: Pair) -> list[str]:
    return [safe(run.name) for run in pair]


def flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Settings by their dotted path, as JSON."""
    found: dict[str, str] = {}
    for key, value in settings.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            found |= flat(value, f"{path}.")
        else:
            found[path] = json.dumps(value, ensure_ascii=False)
    return found
