"""The sections of the report, in the order a reader asks: what happened, where, why, at what cost."""

from collections.abc import Callable
from itertools import groupby
from typing import Any

from ...memory.viewer import charts
from ...memory.viewer.charts import Point
from ...memory.viewer.discovered import discovered
from ...memory.viewer.markup import (
    NOTHING,
    between,
    code,
    duration,
    fold,
    percent,
    points,
    safe,
    section,
    several,
    table,
    within,
)
from ..judging.jury import jury_table
from .aftermath import aftermath_section
from .bill import bill_table
from .operators import operator_section

Json = dict[str, Any]

OPENED = 4
"""Weaknesses whose examples are shown unfolded."""
STEPS = (0.1, 0.3, 0.5, 0.75, 0.95)
"""Pass rates at which a cell of the heat map takes the next shade."""
SIGNS = {"mastered": "✓ mastered", "failing": "× failing", "undecided": "~ undecided"}
"""Verdicts of probing; the sign tells them apart without colour."""


def curve(found: Json) -> str:
    """Macro select score over the rounds, and one small chart per skill."""
    rows = [row for row in found.get("curve") or [] if row["rate"] is not None]
    if not rows:
        return section("curve", "Learning curve", "No exam was taken yet.")
    macro = charts.curve([_point(r, r) for r in rows], title="Macro select score by round")
    skills = sorted({skill for row in rows for skill in row["skills"]})
    small = "".join(_small(skill, rows, found.get("learnable") or skills) for skill in skills)
    lead = (
        "Macro score on the select items, in percent, with 95 % intervals. Filled and joined: promoted. "
        "Hollow: a candidate that was turned down, hung on the student it would have replaced."
    )
    head = ["round", "candidate", "macro", "interval", *map(safe, skills)]
    body = [
        [str(r["round"]), _outcome(r), percent(r["rate"]), within(r["low"], r["high"])]
        + [percent(r["skills"][s]["rate"]) if s in r["skills"] else NOTHING for s in skills]
        for r in rows
    ]
    figures = fold("The same as a table", table("Select score by round", head, body, kind="figures"))
    return section("curve", "Learning curve", lead, macro, f'<div class="small">{small}</div>', figures)


def _small(skill: str, rows: list[Json], learnable: list[str]) -> str:
    given = [_point(r["skills"][skill], r) for r in rows if r["skills"].get(skill, {}).get("rate") is not None]
    if not given:
        return ""
    kept = [p for p in given if p.promoted] or given
    aside = "" if skill in learnable else ' <small class="none">not learnable</small>'
    chart = charts.curve(given, title=f"Select score of {skill} by round", height=74, letters=False)
    figure = f"{100 * kept[0].rate:.0f} → {100 * kept[-1].rate:.0f} %"
    return f"<figure><figcaption><b>{safe(skill)}</b>{aside} <span>{figure}</span></figcaption>{chart}</figure>"


def _point(share: Json, row: Json | None = None) -> Point:
    if row is None:
        return Point(share["rate"], share["low"], share["high"])
    return Point(
        share["rate"],
        share["low"],
        share["high"],
        row["promoted"],
        f"round {row['round']}" if row["round"] else "start",
    )


def _outcome(row: Json) -> str:
    return "first student" if row["round"] == 0 else "promoted" if row["promoted"] else "rejected"


def skills(found: Json) -> str:
    """Skills that the teacher found, where it did."""
    return discovered(found.get("found") or [])


def heat(found: Json) -> str:
    """Probed pass rate, verdict and samples given, by skill and round."""
    given = found.get("heat") or {}
    if not given.get("rounds"):
        return section("skills", "Skills under probing", "Nothing was probed yet.")
    head = ["skill", *(f"round {safe(r)}" for r in given["rounds"])]
    rows = [[safe(skill), *map(_cell, cells)] for skill, cells in given["skills"].items()]
    lead = (
        "Share of fresh probes answered right in each round, the verdict of the sequential test, and the samples "
        "the skill was given afterwards; those of guards are replay."
    )
    return section("skills", "Skills under probing", lead, table("Pass rate by round", head, rows, kind="heat"))


def _cell(cell: Json) -> str:
    samples = f"<small>+{cell['samples']:,} samples</small>" if cell["samples"] else ""
    if cell["rate"] is None:
        return f'<div class="cell unprobed">{NOTHING}{samples}</div>'
    shade = sum(cell["rate"] >= step for step in STEPS)
    verdict = SIGNS.get(cell["verdict"], safe(cell["verdict"]))
    return (
        f'<div class="cell shade-{shade}"><b>{percent(cell["rate"], 0)}</b> of {cell["tried"]:,}'
        f"<small>{verdict}</small>{samples}</div>"
    )


def weaknesses(found: Json) -> str:
    """A card for every weakness: what was thought, what was seen, what was taught."""
    given = found.get("weaknesses") or []
    if not given:
        return section("weaknesses", "Weaknesses", "None was found: the student solves what the scenario asks.")
    lead = "What the agents thought was wrong, tested on fresh probes before it was believed, and what became of it."
    error = (found.get("predictions") or {}).get("error")
    if error is not None:
        tested, kept = found["predictions"]["tested"], found["predictions"]["kept"]
        lead += (
            f" {several(tested, 'hypothesis', 'hypotheses')} tested, {kept:,} kept; "
            f"the foreseen pass rates were off by {100 * error:.1f} points on average."
        )
    return section("weaknesses", "Weaknesses", lead, *(_card(w, i < OPENED) for i, w in enumerate(given)))


def _card(weakness: Json, opened: bool) -> str:
    rule = " <i>and</i> ".join(code(feature) for feature in weakness["rule"]) or "the whole skill"
    chance = f", p {weakness['p_value']:.2g} corrected" if weakness["rule"] else ""
    state = safe(weakness["state"])
    return (
        f'<article><h3>{safe(weakness["hypothesis"])} <span class="state {state}">{state}</span></h3>'
        f'<p class="facts">{safe(weakness["skill"])}, rule: {rule}{chance}; found in round {weakness["round"]}, '
        f"{several(weakness['samples'], 'sample')} kept</p>"
        f'<div class="course">{_life(weakness["life"])}{_foreseen(weakness)}</div>'
        f"{fold('Failures, and what was taught', _examples(weakness), opened=opened)}</article>"
    )


def _life(life: list[Json]) -> str:
    """Draw the states; runs of one state become one step, so that a hundred rounds stay readable."""
    steps: list[str] = []
    for state, group in groupby(life, key=lambda o: o["state"]):
        seen = list(group)
        first, last = seen[0]["round"], seen[-1]["round"]
        rounds = f"round {first}" if first == last else f"rounds {first}–{last}"
        right = " → ".join(dict.fromkeys(_right(o) for o in (seen[0], seen[-1])))
        steps.append(
            f'<li class="{safe(state)}" title="{safe(seen[-1]["reason"])}"><b>{safe(state)}</b>'
            f"<small>{rounds}</small><small>{right}</small></li>"
        )
    return f'<ol class="life" aria-label="Life of the weakness">{"".join(steps)}</ol>'


def _right(observation: Json) -> str:
    return f"{observation['passed']} of {observation['tried']} right" if observation["tried"] else "not looked at"


def _foreseen(weakness: Json) -> str:
    seen, foreseen = weakness["seen"], weakness["foreseen"]
    if not seen or seen["rate"] is None or foreseen is None:
        return '<p class="none">no prediction was tested</p>'
    return (
        f'<div class="foresight">{charts.foresight(foreseen, _point(seen))}<small><b class="stroke">❙</b> foreseen '
        f'{percent(foreseen)} <b class="spot">●</b> seen {percent(seen["rate"])} {within(seen["low"], seen["high"])} '
        f"on {several(seen['tried'], 'fresh probe')}</small></div>"
    )


def _examples(weakness: Json) -> str:
    failures = [[code(f["prompt"]), code(f["answer"]), code(f["expected"])] for f in weakness["failures_shown"]]
    taught = [[code(s["prompt"]), code(s["completion"])] for s in weakness["samples_shown"]]
    left = table("The failures", ["prompt", "the student said", "expected"], failures, kind="texts")
    right = table("What it was taught", ["prompt", "completion"], taught, kind="texts")
    none = '<p class="none">nothing</p>'
    return (
        f'<div class="pair"><div><h4>The failures</h4>{left if failures else none}</div>'
        f"<div><h4>What it was taught</h4>{right if taught else none}</div></div>"
    )


def decisions(found: Json) -> str:
    """Every round's test and its numbers."""
    given = found.get("decisions") or []
    if not given:
        return section("decisions", "Decisions", "No candidate was examined.")
    lead = (
        "A candidate replaces the student when it gains on paired select items with p at most α, α being the round's "
        "share of the error budget, and when no guard may have lost as much as its margin. Gained and lost are the "
        "items it scored higher and lower on."
    )
    head = ["round", "outcome", "gained", "lost", "p", "α", "guards: loss, bound, margin", "reason"]
    rows = [
        [
            str(d["round"]),
            f'<b class="{"yes" if d["promoted"] else "no"}">{"promoted" if d["promoted"] else "rejected"}</b>',
            f"{d['gained']:,}",
            f"{d['lost']:,}",
            f"{d['p_value']:.2g}{_test(d.get('test'))}",
            f"{d['alpha']:.3g}",
            "".join(_guard(n, g, (d.get("guard_tests") or {}).get(n)) for n, g in d["guards"].items()) or NOTHING,
            safe(d["reason"]),
        ]
        for d in given
    ]
    return section("decisions", "Decisions", lead, table("Decision of every round", head, rows, kind="decisions"))


def _test(test: str | None) -> str:
    """Mark figures of the bootstrap; the others are of exact tests or score intervals."""
    return " <small>bootstrap</small>" if test == "bootstrap" else ""


def _guard(name: str, guard: Json, test: str | None) -> str:
    held = guard["upper"] < guard["margin"]
    loss, upper, margin = (f"{100 * guard[key]:.2f}".replace("-", "−") for key in ("loss", "upper", "margin"))
    return (
        f'<span class="guard{"" if held else " over"}">{"✓" if held else "×"} {safe(name)} '
        f"<small>{loss}, at most {upper} of {margin}</small>{_test(test)}</span>"
    )


def sealed(found: Json) -> str:
    """Per-skill pass rates on the sealed report: before, after, and the control arm."""
    change = found.get("report")
    if not change:
        return section("sealed", "Sealed report", "Still sealed: it is opened once, when the session has finished.")
    control = (found.get("control") or {}).get("skills") or {}
    guards = found.get("guards") or {}
    graded = any(each["before"].get("graded") or each["after"].get("graded") for each in change["skills"].values())
    lead = "Mean scores (bootstrap intervals where graded)" if graded else "Pass rates"
    lead += ' on items no agent has seen, with 95 % intervals: <span class="key base"></span> before, '
    lead += '<span class="key final"></span> after'
    lead += ', <span class="key control"></span> the control arm.' if control else "."
    head = ["skill", "0 to 100 %", "before", "after", *(["control"] if control else []), "change"]
    rows = [
        _sealed(skill, skill in guards, each, (control.get(skill) or {}).get("uniform"), bool(control))
        for skill, each in change["skills"].items()
    ]
    return section("sealed", "Sealed report", lead, table("Sealed report by skill", head, rows, kind="figures bars"))


def _sealed(skill: str, guard: bool, each: Json, uniform: float | None, controlled: bool) -> list[str]:
    name = safe(skill) + (" <small>guard</small>" if guard else "")
    chart = charts.bars(_point(each["before"]), _point(each["after"]), uniform)
    rates = [percent(each["before"]["rate"]), percent(each["after"]["rate"])]
    return [name, chart, *rates, *([percent(uniform)] if controlled else []), points(each["change"])]


def control(found: Json) -> str:
    """What evenly drawn data of the same amount would have done."""
    given = found.get("control")
    if not given:
        return section("control", "Control arm", "No control arm was trained, so targeting is not judged.")
    verdict = safe(given["verdict"])
    lead = (
        f"<strong>{verdict[:1].upper()}{verdict[1:]}.</strong> Compared is {safe(given['compared'])}. Its twin was "
        f"trained on data drawn evenly over the skills. The difference is {points(given['difference'])} points "
        f"{between(given['low'], given['high'])}."
    )
    chart = charts.difference(
        given["difference"],
        given["low"],
        given["high"],
        title="Macro score of the targeted arm minus the control arm, in points, with its 95 % interval",
        less="evenly drawn is better",
        more="targeted is better",
    )
    rows = [
        ["targeted arm", percent(given["targeted"])],
        ["control arm", percent(given["uniform"])],
        ["samples of the targeted arm", f"{given['targeted_samples']:,}"],
        ["samples of the control arm", f"{given['samples']:,} of {given['data']['written']:,} drawn"],
        ["training steps of the targeted arm", f"{given['targeted_steps']:,}"],
        ["training steps of the control arm", f"{given['steps']:,}"],
        ["probe answers charged to targeting", f"{given['probes_charged']:,}"],
        ["samples of the targeted arm if probes are charged", f"{given['samples_with_probes']:,}"],
        ["to bear in mind", safe(given["note"])],
    ]
    return section("control", "Control arm", lead, chart, table("Control arm", ["what", "value"], rows, kind="facts"))


def cost(found: Json) -> str:
    """Samples and their fates, and where the time went."""
    samples: Json = found.get("samples") or {"written": 0, "kept": 0, "rejected": {}}
    written, wall = samples["written"], found.get("wall_seconds") or 0
    fates = [("kept", samples["kept"]), *((why, count) for why, count in samples["rejected"].items())]
    shares: dict[str, float] = found.get("shares") or {}
    spent = sorted(shares.items(), key=lambda item: -item[1])
    lead = f"{several(written, 'sample')} written, {samples['kept']:,} kept; {duration(wall)} of wall time in "
    lead += f"{several(found.get('processes') or 0, 'process', 'processes')}."
    parts: list[str] = []
    if written:
        named = [safe(name if name == "kept" else f"rejected: {name}") for name, _ in fates]
        rows = [[_key(i) + named[i], f"{c:,}", percent(c / written)] for i, (_, c) in enumerate(fates)]
        parts += ["<h3>Samples</h3>", charts.stack([(n, c / written) for n, c in fates], title="Fates of samples")]
        parts.append(table("Fates of samples", ["fate", "samples", "share"], rows, kind="figures"))
        if near := samples.get("near_exams"):
            parts.append(f"<p>{several(near, 'kept sample')} written like an item of an exam, with another key.</p>")
    if reviews := found.get("reviews"):
        by = safe(", ".join(reviews["by"]))
        parts.append(
            f"<p>Reviewed by {by}: {reviews['accept']:,} accepted, {reviews['edit']:,} edited, "
            f"{reviews['reject']:,} rejected.</p>"
        )
    parts.append(operator_section(found))
    if spent:
        rows = [[_key(i) + safe(w), duration(share * wall), percent(share)] for i, (w, share) in enumerate(spent)]
        parts += ["<h3>Wall time</h3>", charts.stack(spent, title="Where the wall time went")]
        parts.append(table("Wall time", ["work", "time", "share"], rows, kind="figures"))
    if found.get("cost"):
        rows = [[safe(name.replace("_", " ")), f"{count:,}"] for name, count in found["cost"].items()]
        parts += ["<h3>Counts</h3>", table("Counts", ["what", "count"], rows, kind="figures")]
    if paid := bill_table(found):
        parts += ["<h3>Models</h3>", paid]
    if tried := jury_table(found):
        parts += ["<h3>Judges</h3>", tried]
    return section("cost", "Samples and cost", lead, *parts)


def _key(i: int) -> str:
    return f'<span class="key part-{charts.shade(i)}"></span> '


ALL: tuple[Callable[[Json], str], ...] = (
    curve, skills, heat, weaknesses, decisions, sealed, aftermath_section, control, cost
)  # fmt: skip
"""In the order of the page."""
PROBE = (skills, heat, weaknesses, cost)
"""Those of a session that only probed."""
