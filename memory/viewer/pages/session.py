"""One session: where it stands, its curve, its skills, its weaknesses, its rounds, and what it cost."""

from collections import Counter
from collections.abc import Mapping

from ...categories import Category
from ...exams import gain, macro
from ...reading import Run
from ...records import Exam, Probe, Promotion, Round, Share
from .. import charts
from ..discovered import discovered
from ..figures import Curated, change, curations, curve, doing, lives, seconds
from ..frame import Page, pulse
from ..marking import warning
from ..markup import NOTHING, between, duration, percent, points, safe, section, several, table
from ..operators import operators
from ..places import link, to, wrap
from ..weaknesses import listing

STEPS = (0.1, 0.3, 0.5, 0.75, 0.95)
"""Pass rates at which a cell of the heat map takes the next shade."""
SIGNS = {"mastered": "✓ mastered", "failing": "× failing", "undecided": "~ undecided"}
"""Verdicts of probing; the sign tells them apart without colour."""


def page(run: Run, asked: Mapping[str, str]) -> Page:
    """Show a session as it stands; `from` pages its weaknesses."""
    exams, promotions = run.ledger.read(Exam), run.ledger.read(Promotion)
    body = [
        _curve(run, exams, promotions),
        _found(run),
        _heat(run),
        _weaknesses(run, asked.get("from", "")),
        _rounds(run, promotions),
        operators(run),
    ]
    body += [_sealed(run, exams), _budget(run), _cost(run)]
    return Page(
        run.session.name,
        body,
        head=_head(run, exams, promotions),
        trail=[("/", "sessions")],
        run=run.name,
        pulse=pulse(run.name, run.status),
    )


def _head(run: Run, exams: list[Exam], promotions: list[Promotion]) -> str:
    limit = run.session.limit
    stamp = f' <strong class="stamp">LIMITED to {limit}: not a result</strong>' if limit else ""
    found = change(run, exams, promotions)
    where = "on the sealed report, opened once" if found and found.split == "report" else "on select; report is sealed"
    score = (
        f'<p class="score"><span>{percent(found.before)}</span> <i aria-label="to">→</i> '
        f'<span>{percent(found.after)}</span></p><p class="under">{points(found.after - found.before)} points, '
        f"95 % interval {between(*found.interval)}; macro score {where}</p>"
        if found
        else '<p class="score none">no score yet</p>'
    )
    return (
        f'<div id="head"><p class="about">{safe(str(run.scenario.get("description", "")).strip())}</p>'
        f'<p class="meta"><span class="status {safe(run.status)}">{safe(run.status)}</span> '
        f"<span>seed {run.session.seed}</span> <span>{safe(run.name)}</span> {_doing(run)}"
        f"{link(to(run.name, 'trace'), 'trace')} {link(to(run.name, 'exams'), 'exam flips')} "
        f"{link(to(run.name, 'samples'), 'samples')}{_review(run)}{stamp}</p>{score}{warning(run.ledger)}</div>"
    )


def _review(run: Run) -> str:
    """The way to the queue, where the scenario asks a person."""
    return f" {link(to(run.name, 'review'), 'review')}" if run.scenario.get("review") else ""


def _doing(run: Run) -> str:
    step = doing(run.ledger)
    if step is None or run.status == "finished":
        return ""
    name, round, done = step
    said = f"{'did' if done else 'does' if run.status == 'running' else 'was at'} {name}"
    return f"<span>{safe(said)}{f', round {round}' if round else ''}</span> "


def _curve(run: Run, exams: list[Exam], promotions: list[Promotion]) -> str:
    drawn = curve(run, exams, promotions)
    if not drawn:
        return section("curve", "Learning curve", "No exam was taken yet.")
    lead = (
        "Score on the select items over the learnable skills, in percent, with 95 % intervals. Filled: promoted. "
        "Hollow: a candidate that was turned down, hung on the student it would have replaced."
    )
    return section("curve", "Learning curve", lead, charts.curve(drawn, title="Select score by round"))


def _found(run: Run) -> str:
    """Skills that the teacher found, where the scenario names none."""
    found = [{**vars(c), "tasks": len(c.keys)} for c in run.ledger.read(Category)]
    return discovered(found, run.ledger.result("discover", 0))


def _heat(run: Run) -> str:
    probes = {(p.skill, p.round): p for p in run.ledger.read(Probe)}
    rounds = sorted({round for _, round in probes})
    if not rounds:
        return section("skills", "Skills", "Nothing was probed yet.")
    given: Counter[tuple[str, int]] = Counter()
    for share in run.ledger.read(Share):
        given[share.skill, share.round] += share.samples
    skills = sorted({skill for skill, _ in probes})
    head = ["skill", *(wrap(to(run.name, "rounds", r), f"round {r}") for r in rounds)]
    rows = [[_skill(run, skill), *(_cell(probes.get((skill, r)), given[skill, r]) for r in rounds)] for skill in skills]
    lead = "Share of fresh probes answered right, the verdict of the sequential test, and the samples given afterwards."
    return section("skills", "Skills", lead, table("Pass rate by skill and round", head, rows, kind="heat"))


def _skill(run: Run, skill: str) -> str:
    aside = "guard" if skill in run.goal.guards else "" if skill in run.goal.learnable else "not learnable"
    return link(to(run.name, "skill", name=skill), skill) + (f"<small>{aside}</small>" if aside else "")


def _cell(probe: Probe | None, given: int) -> str:
    samples = f"<small>+{given:,} samples</small>" if given else ""
    if probe is None or not probe.tried:
        return f'<div class="cell unprobed">{NOTHING}{samples}</div>'
    rate = probe.passed / probe.tried
    shade = sum(rate >= step for step in STEPS)
    return (
        f'<div class="cell shade-{shade}"><b>{percent(rate, 0)}</b> of {probe.tried:,}'
        f"<small>{SIGNS[probe.verdict]}</small>{samples}</div>"
    )


def _weaknesses(run: Run, start: str) -> str:
    found = lives(run.ledger)
    if not found:
        return section("weaknesses", "Weaknesses", "None was found yet.")
    states = Counter(life.state for life in found)
    lead = ", ".join(f"{count:,} {state}" for state, count in states.most_common()) + "."
    return section("weaknesses", "Weaknesses", lead, listing(run, found, start))


def _rounds(run: Run, promotions: list[Promotion]) -> str:
    trained = {r.number: r for r in run.ledger.read(Round, subject="targeted")}
    decided = {p.round: p for p in promotions}
    curated = dict(curations(run.ledger))
    numbers = sorted(trained.keys() | decided.keys() | curated.keys())
    if not numbers:
        return section("rounds", "Rounds", "No round has been curated yet.")
    head = ["round", "decision", "gained", "lost", "p", "α", "written", "kept", "trained on", "loss"]
    rows = [_round(run, n, trained.get(n), decided.get(n), curated.get(n)) for n in numbers]
    lead = "A candidate replaces the student only when an exact paired test says so and no guard may have lost."
    return section("rounds", "Rounds", lead, table("Rounds", head, rows, kind="figures rounds"))


def _round(run: Run, n: int, trained: Round | None, decided: Promotion | None, curated: Curated | None) -> list[str]:
    outcome = NOTHING
    if decided:
        outcome = '<b class="yes">promoted</b>' if decided.promoted else '<b class="no">rejected</b>'
    return [
        wrap(to(run.name, "rounds", n), f"round {n}"),
        outcome,
        f"{decided.gained:,}" if decided else NOTHING,
        f"{decided.lost:,}" if decided else NOTHING,
        f"{decided.p_value:.2g}" if decided else NOTHING,
        f"{decided.alpha:.3g}" if decided else NOTHING,
        f"{curated.kept + sum(curated.rejected.values()):,}" if curated else NOTHING,
        f"{curated.kept:,}" if curated else NOTHING,
        f"{trained.samples:,}" if trained else NOTHING,
        f"{trained.loss:.3f}" if trained else NOTHING,
    ]


def _sealed(run: Run, exams: list[Exam]) -> str:
    opened = run.ledger.result("report opening", 0) or {}
    by_id = {e.id: e for e in exams}
    found = {name: by_id[entry["exam"]] for name, entry in opened.items() if entry["exam"] in by_id}
    if not found:
        return section("sealed", "Sealed report", "Still sealed: it is opened once, when the session has finished.")
    skills = sorted({s for exam in found.values() for s in exam.scores})
    rows = [
        [_skill(run, s), *(percent(e.scores[s].passed / max(1, e.scores[s].tried)) for e in found.values())]
        for s in skills
    ]
    lead = "Pass rates on items no agent has seen, of the first student, the last, and the twin trained on even data."
    if "final" in found and "base" in found:
        flips = to(run.name, "exams", before=found["base"].id, after=found["final"].id)
        lead += f" {link(flips, 'Which items flipped')}"
    shown = table("Sealed report", ["skill", *found], rows, kind="figures slim")
    return section("sealed", "Sealed report", lead, shown, _against(run, found))


def _against(run: Run, found: Mapping[str, Exam]) -> str:
    """The last student against the twin that was trained on as many samples drawn evenly."""
    if "final" not in found or "control" not in found:
        return ""
    means = [macro(found[name], run.goal.learnable) for name in ("final", "control")]
    if means[0] is None or means[1] is None:
        return ""
    low, high = gain(found["control"], found["final"], run.goal.learnable)
    said = "targeting helped" if low > 0 else "targeting did worse" if high < 0 else "no measurable difference"
    title = "Macro score of the targeted arm minus the control arm, in points"
    drawn = charts.difference(
        means[0] - means[1], low, high, title=title, less="evenly drawn is better", more="targeted is better"
    )
    return f'<h3>Targeted against evenly drawn: {said}</h3><div class="slim">{drawn}</div>'


def _budget(run: Run) -> str:
    given: Counter[str] = Counter()
    for share in run.ledger.read(Share):
        given[share.skill] += share.samples
    total = sum(given.values())
    if not total:
        return ""
    rows = [
        [f'<span class="key part-{charts.shade(i)}"></span> {_skill(run, s)}', f"{n:,}", percent(n / total)]
        for i, (s, n) in enumerate(given.most_common())
    ]
    drawn = charts.stack([(s, n / total) for s, n in given.most_common()], title="Budget by skill")
    lead = f"{several(total, 'sample')} asked for, by skill; guards get replay."
    return section(
        "budget", "Budget", lead, drawn, table("Budget", ["skill", "samples", "share"], rows, kind="figures slim")
    )


def _cost(run: Run) -> str:
    spent = {work: s for work, s in seconds(run.ledger).items() if s > 0}
    total = sum(spent.values())
    if not total:
        return ""
    rows = [
        [f'<span class="key part-{charts.shade(i)}"></span> {safe(w)}', duration(s), percent(s / total)]
        for i, (w, s) in enumerate(spent.items())
    ]
    drawn = charts.stack([(w, s / total) for w, s in spent.items()], title="Wall time by kind of work")
    lead = f"{duration(total)} of wall time, each second booked to one kind of work."
    return section(
        "cost", "Time", lead, drawn, table("Wall time", ["work", "time", "share"], rows, kind="figures slim")
    )
