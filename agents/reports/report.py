"""The report: one page of a session, which needs no network, no script and nothing beside it.

It is built from the summary alone, and a part the summary lacks is left out or said to be missing. What did not help is
said in the same size as what did.
"""

import shlex
from collections.abc import Mapping
from importlib import resources
from string import Template
from typing import Any

from ...memory import viewer
from ...memory.viewer.markup import between, code, duration, percent, points, safe, several, table
from . import sections
from .aftermath import verdict

Json = dict[str, Any]

PLACES = {
    "curve": "Curve",
    "skills": "Skills",
    "weaknesses": "Weaknesses",
    "decisions": "Decisions",
    "sealed": "Sealed report",
    "control": "Control",
    "cost": "Cost",
    "again": "Run it again",
}
"""Anchors of the page's sections, in order."""
PROBED = ("skills", "weaknesses", "cost", "again")
"""Those of a session that only probed."""


def render(found: Json) -> str:
    """Give the page."""
    return framed(
        f"{found.get('scenario', '?')}: {found.get('run', '?')}",
        head=_head(found),
        places=_places(found),
        body="".join(part(found) for part in (sections.PROBE if "probe" in found else sections.ALL)),
        foot=_foot(found),
    )


def framed(title: str, *, head: str, places: Mapping[str, str], body: str, foot: str) -> str:
    """Put a report into its page.

    Args:
        title: plain text.
        head: what it came to, as HTML.
        places: anchors of its sections and what they are called, in order; the last one is the foot.
        body: the sections.
        foot: where it came from.
    """
    page = Template(
        (resources.files(__package__ or "evolvent.agents.reports") / "report.html").read_text(encoding="utf-8")
    )
    return page.substitute(
        title=safe(title),
        style=(resources.files(viewer) / "assets" / "page.css").read_text(encoding="utf-8"),
        first=next(iter(places)),
        again=list(places.values())[-1],
        head=head,
        links="".join(f'<li><a href="#{anchor}">{name}</a></li>' for anchor, name in places.items()),
        body=body,
        foot=foot,
    )


def _places(found: Json) -> dict[str, str]:
    return {anchor: PLACES[anchor] for anchor in (PROBED if "probe" in found else PLACES)}


def _head(found: Json) -> str:
    limited = found.get("limited")
    stamp = f'<strong class="stamp">LIMITED to {safe(limited)}: not a result</strong>' if limited else ""
    return (
        f'<p class="kicker">evolvent <span>session report</span></p><h1>{safe(found.get("scenario", "?"))}</h1>'
        f'<p class="about">{safe(found.get("description", ""))}</p>'
        f'<p class="meta"><span class="status">{safe(found.get("status", "?"))}</span> '
        f"<span>seed {safe(found.get('seed', '?'))}</span> <span>{safe(found.get('run', '?'))}</span> {stamp}</p>"
        f"{_failure(found)}{_warned(found)}"
        f'{_looked(found) if "probe" in found else _judged(found)}<p class="bill">{_bill(found)}</p>'
    )


def _warned(found: Json) -> str:
    """What was withdrawn after the student was made, before anybody reads its scores."""
    said = verdict(found)
    return f'<p class="under"><strong>{safe(said)}</strong></p>' if said else ""


def _looked(found: Json) -> str:
    """What a session that only probed came to."""
    weak = found.get("weaknesses") or []
    skills = len({w["skill"] for w in weak})
    said = f"{several(len(weak), 'weakness', 'weaknesses')} in {several(skills, 'skill')}"
    return (
        f'<p class="score">{said}</p><p class="under">probed only: nothing was taught, the report stays sealed; '
        f"to teach: {code(found['probe']['next'])}</p>"
    )


def _judged(found: Json) -> str:
    """What a session that taught came to."""
    verdicts = f"{_student(found)}{_control(found)}{_guards(found)}{_evaluations(found)}"
    return f'{_score(found)}<dl class="verdicts">{verdicts}</dl>{_select(found)}'


def _failure(found: Json) -> str:
    reason = found.get("reason")
    return f'<p class="bill">It failed: {safe(reason)}</p>' if reason else ""


def _score(found: Json) -> str:
    """The one number, in large: the sealed report if it was opened, the promotion exam's score otherwise."""
    sealed = found.get("report")
    change = sealed or found.get("select")
    if not change:
        return '<p class="score none">no score yet</p>'
    where = "macro score on the sealed report, opened once" if sealed else "macro score on select; the report is sealed"
    return (
        f'<p class="score"><span>{percent(change["before"])}</span> <i aria-label="to">→</i> '
        f"<span>{percent(change['after'])}</span></p>"
        f'<p class="under">{points(change["change"])} points, 95 % interval {between(change["low"], change["high"])}; '
        f"{where}</p>"
    )


def _verdict(mood: str, subject: str, statement: str, why: str) -> str:
    return f'<div class="{mood}"><dt>{subject}</dt><dd><strong>{statement}</strong> {why}</dd></div>'


def _student(found: Json) -> str:
    promoted, rounds = found.get("promoted") or [], found.get("rounds") or 0
    which = f" (round {', '.join(map(str, promoted))})" if promoted else ""
    tried = f"{len(promoted)} of {several(rounds, 'candidate')} promoted{which}."
    change = found.get("report")
    if not change:
        status = safe(found.get("status", "?"))
        return _verdict("open", "Student", "Not known yet.", f"The session is {status} and its report sealed. {tried}")
    if not promoted:
        return _verdict("bad", "Student", "It did not change.", f"{tried} It ends as the model it began with.")
    if change["low"] > 0:
        return _verdict("good", "Student", "It got better.", tried)
    if change["high"] < 0:
        return _verdict("bad", "Student", "It got worse.", tried)
    return _verdict("bad", "Student", "It did not get measurably better.", tried)


def _control(found: Json) -> str:
    control = found.get("control")
    if not control:
        why = "No twin was trained on evenly drawn data, so nothing says whether targeting earned its keep."
        return _verdict("open", "Control", "Not compared.", why)
    mood = "good" if control["low"] > 0 and control["promoted"] else "bad"
    statement = safe(control["verdict"])
    why = (
        f"{percent(control['targeted'])} after {_training(control, 'targeted_')} against "
        f"{percent(control['uniform'])} for a twin after {_training(control)} drawn evenly: "
        f"{points(control['difference'])} points {between(control['low'], control['high'])}; "
        f"compared is {safe(control['compared'])}; {safe(control['note'])}."
    )
    return _verdict(mood, "Control", f"{statement[:1].upper()}{statement[1:]}.", why)


def _training(control: Json, arm: str = "") -> str:
    return f"{several(control[f'{arm}samples'], 'sample')} and {several(control[f'{arm}steps'], 'step')}"


def _guards(found: Json) -> str:
    guards = found.get("guards") or {}
    if not guards:
        return _verdict("open", "Guards", "Not judged.", "No guard skill was examined in the sealed report.")
    said = ", ".join(f"{safe(s)} {points(g['change'])} {between(g['low'], g['high'])}" for s, g in guards.items())
    worse = [safe(skill) for skill, guard in guards.items() if guard["worse"]]
    if worse:
        return _verdict("bad", "Guards", f"Significantly worse: {', '.join(worse)}.", f"{said} points.")
    return _verdict("good", "Guards", "None is significantly worse.", f"{said} points.")


def _evaluations(found: Json) -> str:
    """What the user's own evaluations say of the first student and of the last one."""
    evaluations = found.get("evaluations") or {}
    if not evaluations:
        return ""
    said = "; ".join(
        f"{safe(name)} {percent(e['before'])} → {percent(e['after'])}, {points(e['change'])} points "
        f"{between(e['low'], e['high'])} on {several(e['items'], 'item')}"
        for name, e in evaluations.items()
    )
    worse = [safe(name) for name, e in evaluations.items() if e["worse"]]
    if worse:
        return _verdict("bad", "Evaluations", f"Worse, if within the margin: {', '.join(worse)}.", f"{said}.")
    return _verdict("good", "Evaluations", "None is significantly worse.", f"{said}.")


def _select(found: Json) -> str:
    change = found.get("select")
    if not change or not found.get("report"):
        return ""
    return (
        f'<p class="bill">select {percent(change["before"])} → {percent(change["after"])}, '
        f"{points(change['change'])} points {between(change['low'], change['high'])}; "
        "promotions were decided on these items, so the sealed report is the one to quote</p>"
    )


def _bill(found: Json) -> str:
    cost, samples = found.get("cost") or {}, found.get("samples") or {}
    return ", ".join(
        [
            several(found.get("rounds") or 0, "round"),
            f"{samples.get('kept', 0):,} of {several(samples.get('written', 0), 'sample')} kept",
            several(cost.get("probe_answers", 0), "probe answer"),
            several(cost.get("training_steps", 0), "training step"),
            duration(found.get("wall_seconds") or 0),
        ]
    )


def _foot(found: Json) -> str:
    directory = shlex.quote(str(found.get("dir", "?")))
    resume = code(f"evolvent resume {directory}")
    ways = {"running": {}, "finished": {"go on (gives the result)": resume}}
    facts = {
        "run directory": code(found.get("dir", "?")),
        "seed": code(found.get("seed", "?")),
        "training set": code(found["dataset_hash"]) if found.get("dataset_hash") else "none: nothing was promoted",
        **({"went on from": code(found["from"]["dir"])} if found.get("from") else {}),
        "run it again": code(found.get("command", "?")),
        **ways.get(str(found.get("status")), {"go on": resume}),
        "write this page again": code(f"evolvent report {directory}"),
    }
    return table("Where this came from", ["what", "which"], facts.items(), kind="facts")
