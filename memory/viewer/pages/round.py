"""One round: the decision with its numbers and the test behind it, and the funnel from candidates to training."""

from collections import Counter
from collections.abc import Mapping

from ...blame import added
from ...errors import RunError
from ...exams import Flips, moved
from ...lineage import marks
from ...reading import Run
from ...records import Exam, Promotion, Round, Share
from ...reviews import JOIN, KEPT, REASON
from ...statistics import paired_interval
from .. import charts
from ..figures import lives, steps
from ..frame import Page, pulse
from ..marking import marked
from ..markup import NOTHING, fold, percent, points, safe, section, several, table
from ..operators import operators
from ..places import link, to, whole, wrap

LOGGED = {
    "step": "step",
    "loss": "loss",
    "learning_rate": "learning rate",
    "grad_norm": "gradient norm",
    "num_tokens": "tokens so far",
}
"""What a trainer logs, and what it is called here."""
SHOWN = 200
"""Weaknesses shown of one round; the pages of the session and of its skills have all of them."""

_ENDS = f"""
select {KEPT}, {REASON}, count(*) from records f join records s on s.kind = 'sample' and s.id = f.subject {JOIN}
where f.kind = 'fate' and f.round = ? group by 1, 2"""  # noqa: S608 - constants of ours


def page(run: Run, asked: Mapping[str, str]) -> Page:
    """Show a round.

    Raises:
        RunError: the session never came to it.
    """
    last = steps(run.ledger)
    number = whole(asked["round"]) or 0
    if not 1 <= number <= last:
        raise RunError(f"no round {asked['round']!r}; this session has got to round {last}")
    decision = next((p for p in run.ledger.read(Promotion, round=number)), None)
    exams = run.ledger.read(Exam)
    return Page(
        f"Round {number}",
        [
            _decision(decision, marks(run.ledger)),
            _skills(run, decision, exams),
            _funnel(run, number),
            _taught(run, number),
            operators(run, number),
            *_trained(run, number),
            *_seen(run, number),
        ],
        trail=[("/", "sessions"), (to(run.name), run.session.name)],
        run=run.name,
        pulse=pulse(run.name, run.status),
        before=to(run.name, "rounds", number - 1) if number > 1 else None,
        after=to(run.name, "rounds", number + 1) if number < last else None,
    )


def _decision(decision: Promotion | None, becoming: Mapping[str, str]) -> str:
    if decision is None:
        return section("decision", "Decision", "Nothing was decided in this round yet.")
    outcome = "Promoted" if decision.promoted else "Rejected"
    lead = f"<strong>{outcome}.</strong> {safe(decision.reason)}."
    rows = [
        ["items only the candidate got right", f"{decision.gained:,}"],
        ["items only the incumbent got right", f"{decision.lost:,}"],
        ["p, exact one-sided paired test", f"{decision.p_value:.3g}"],
        ["α, this round's share of the error budget", f"{decision.alpha:.3g}"],
        ["incumbent", marked(decision.incumbent, becoming)],
        ["candidate", marked(decision.candidate, becoming)],
    ]
    guards = [
        [
            safe(name),
            f"{100 * g.get('loss', 0):.2f}".replace("-", "−"),
            f"{100 * g.get('upper', 0):.2f}",
            f"{100 * g.get('margin', 0):.2f}",
            "✓ holds" if g.get("upper", 1) < g.get("margin", 0) else '<span class="over">× may have lost</span>',
        ]
        for name, g in decision.guards.items()
    ]
    head = ["guard", "loss", "at most", "margin", ""]
    below = table("Guards, in points", head, guards, kind="figures") if guards else ""
    return section("decision", "Decision", lead, table("The test", ["what", "value"], rows, kind="facts"), below)


def _skills(run: Run, decision: Promotion | None, exams: list[Exam]) -> str:
    if decision is None:
        return ""
    names = run.goal.targets + run.goal.guards
    found = [(name, flips) for name in names if (flips := moved(exams, decision, name))]
    if not found:
        return ""
    head = ["skill", "before", "after", "change", "gained", "lost", "p", ""]
    reach = max(0.01, *(abs(flips.change) for _, flips in found))
    rows = [_moved(run, name, flips, 1.1 * reach) for name, flips in found]
    lead = "Incumbent against candidate on the items the decision was made on, skill by skill, with 95 % intervals."
    sat = {e.student: e.id for e in exams if e.split == "select"}
    if decision.incumbent in sat and decision.candidate in sat:
        flips = to(run.name, "exams", before=sat[decision.incumbent], after=sat[decision.candidate])
        lead += f" {link(flips, 'Which items flipped')}"
    return section("skills", "What it did to the skills", lead, table("Skills", head, rows, kind="figures moves"))


def _moved(run: Run, name: str, flips: Flips, reach: float) -> list[str]:
    low, high = paired_interval(flips.gained, flips.lost, flips.items)
    drawn = charts.shift(flips.change, low, high, reach=reach, title=f"Change of {name}")
    return [
        link(to(run.name, "skill", name=name), name),
        percent(flips.before.count("1") / max(1, flips.items)),
        percent(flips.after.count("1") / max(1, flips.items)),
        f"<b>{points(flips.change)}</b>",
        f"{flips.gained:,}",
        f"{flips.lost:,}",
        f"{flips.p_value:.2g}",
        drawn,
    ]


def _funnel(run: Run, number: int) -> str:
    written = run.ledger.rows(
        "select count(*) from records where kind = 'sample' and round = ? and subject = 'targeted'", number
    )[0][0]
    ends = run.ledger.rows(_ENDS, number)
    kept = sum(count for end, _, count in ends if end)
    why: Counter[str] = Counter()
    for end, reason, count in ends:
        if not end:
            why[str(reason).split(":")[0]] += count
    refused = why.get("critique", 0)
    trained = next((r for r in run.ledger.read(Round, round=number) if r.arm == "targeted"), None)
    stages = [("candidates", written, None)]
    if ends:
        stages += [("verified", written - refused, None), ("kept", kept, "kept")]
    stages += [("trained on", trained.samples, "kept")] if trained else []
    widest = max((count for _, count, _ in stages), default=0) or 1
    rows = [_stage(run, number, name, count, end, widest) for name, count, end in stages]
    lost = [
        [
            link(to(run.name, "samples", round=number, end=reason), reason),
            f"{count:,}",
            percent(count / max(1, written)),
        ]
        for reason, count in why.most_common()
    ]
    lead = (
        "What was written, what a second way of working it confirmed, what was kept, and what the student learned from"
    )
    lead += ", earlier rounds included. " if trained else ". "
    lead += f"{several(sum(why.values()), 'candidate')} removed."
    removed = table("Removed, and why", ["removed for", "samples", "share"], lost, kind="figures") if lost else ""
    return section(
        "funnel",
        "From candidates to training",
        lead,
        table("Funnel", ["stage", "samples", ""], rows, kind="funnel"),
        removed,
    )


def _stage(run: Run, number: int, name: str, count: int, end: str | None, widest: int) -> list[str]:
    where = to(run.name, "samples", round=None if name == "trained on" else number, arm="targeted", end=end)
    bar = (
        f'<svg class="chart" role="img" aria-label="{count:,}" width="100%" height="18">'
        f'<rect class="final" x="0" y="3" width="{100 * count / widest:.2f}%" height="12"/></svg>'
    )
    return [wrap(where, safe(name)), f"{count:,}", bar]


def _taught(run: Run, number: int) -> str:
    given = {(s.skill, s.weakness): s for s in run.ledger.read(Share, round=number)}
    new = {(t.skill, t.weakness.id if t.weakness else None): t.samples for t in added(run.ledger, number)}
    words = {life.weakness.id: life.weakness.hypothesis for life in lives(run.ledger)}
    if not given and not new:
        return ""
    rows = [
        [
            safe(skill),
            link(to(run.name, "weaknesses", weakness), words.get(weakness, weakness)) if weakness else "practice",
            f"{share.samples:,}" if (share := given.get((skill, weakness))) else NOTHING,
            f"{new.get((skill, weakness), 0):,}",
            safe(share.reason) if share else NOTHING,
        ]
        for skill, weakness in sorted(given.keys() | new.keys(), key=str)[:SHOWN]
    ]
    head = ["skill", "against", "asked for", "kept", "why so many"]
    return section(
        "budget", "What was taught", "How the round's budget was split.", table("Budget", head, rows, kind="budget")
    )


def _trained(run: Run, number: int) -> list[str]:
    """How the loss went, and the figures beside it."""
    logged = (run.ledger.result("train targeted", number) or {}).get("metrics", [])
    losses = [(entry["step"], entry["loss"]) for entry in logged if "loss" in entry]
    if not losses:
        return []
    rows = [[_figure(entry.get(name)) for name in LOGGED] for entry in logged]
    below = fold(several(len(rows), "logged step"), table("Logged steps", list(LOGGED.values()), rows, kind="figures"))
    lead = "Loss over the optimiser steps of the round, as the trainer logged it."
    return [section("training", "How it trained", lead, charts.fall(losses, title="Loss"), below)]


def _figure(value: float | None) -> str:
    return NOTHING if value is None else f"{value:,.0f}" if value == round(value) else f"{value:.4g}"


def _seen(run: Run, number: int) -> list[str]:
    rows = [
        [
            link(to(run.name, "weaknesses", life.weakness.id), life.weakness.hypothesis or "unnamed"),
            f'<span class="state {o.state}">{o.state}</span>',
            f"{o.passed:,} of {o.tried:,}",
            safe(o.reason),
        ]
        for life in lives(run.ledger)
        for o in life.seen
        if o.round == number
    ][:SHOWN]
    if not rows:
        return []
    head = ["weakness", "state", "right", "why"]
    return [
        section(
            "weaknesses",
            "Weaknesses as they stood",
            "After this round's probes.",
            table("Weaknesses", head, rows, kind="weak"),
        )
    ]
