"""One sample: from the failure it answers to what the exam of its skill did once a student was trained on it."""

from collections.abc import Mapping

from ...lineage import Lineage, lineage
from ...reading import Run
from ..frame import Page
from ..marking import marked
from ..markup import NOTHING, code, percent, points, safe, section, several, table
from ..places import link, to
from ..talking import turns
from .samples import beside
from .weakness import SHOWN, failure


def page(run: Run, asked: Mapping[str, str]) -> Page:
    """Show a sample with its lineage both ways.

    Raises:
        LedgerError: there is none with this id.
    """
    found = lineage(run.ledger, asked["id"])
    own = found.sample
    head = (
        f'<p class="meta"><span>{link(to(run.name, "skill", name=own.task.skill), own.task.skill)}</span> '
        f"<span>{link(to(run.name, 'rounds', own.round), f'round {own.round}') if own.round else 'no round'}</span> "
        f"<span>{own.arm} arm</span> <span>{code(own.id)}</span></p>{_chain(run, found)}"
    )
    body = [
        _text(found),
        _why(run, found),
        _how(run, found),
        _fate(run, found),
        _training(run, found),
        _exam(run, found),
    ]
    trail = [("/", "sessions"), (to(run.name), run.session.name), (to(run.name, "samples"), "samples")]
    return Page(f"Sample {own.id[:8]}", body, head=head, trail=trail, run=run.name)


def _chain(run: Run, found: Lineage) -> str:
    """The whole story in one line of stations."""
    own, promoted = found.sample, found.promoted_in
    last = promoted[-1] if promoted else None
    effect = next((e.flips for e in found.examined if e.decision == last), None)
    kept = found.fate.kept if found.fate else None
    stations = [
        (f"{several(len(found.failures), 'failure')}", bool(found.failures), "#why"),
        ("weakness", found.weakness is not None, "#why"),
        (own.teacher, True, "#how"),
        ("critique", any(c.accepted for c in found.critiques), "#how"),
        ("not decided" if kept is None else "kept" if kept else "rejected", bool(kept), "#fate"),
        (f"{several(len(found.trained_in), 'training round')}", bool(found.trained_in), "#training"),
        (f"promoted in round {last.round}" if last else "not promoted", last is not None, "#exam"),
        (f"{points(effect.change)} points" if effect else "no effect seen", effect is not None, "#exam"),
    ]
    items = "".join(
        f'<li class="{"reached" if there else "missed"}"><a href="{place}">{safe(name)}</a></li>'
        for name, there, place in stations
    )
    return f'<ol class="chain" aria-label="From failure to effect">{items}</ol>'


def _text(found: Lineage) -> str:
    task = found.sample.task
    asked = turns(task.talk) if task.talk else [["prompt", code(task.prompt)]]
    rows = [*asked, ["completion", code(found.sample.completion)]]
    rows.append(["features", ", ".join(map(code, task.features)) or NOTHING])
    return section("text", "What it says", "", table("Text", ["part", "text"], rows, kind="facts"))


def _why(run: Run, found: Lineage) -> str:
    weakness = found.weakness
    if found.inherited:
        origin = code(str(run.session.settings.get("from", {}).get("dir", "")))
        return section("why", "Why it was written", f"An earlier run wrote it and knows: {origin}.")
    if weakness is None:
        return section("why", "Why it was written", "It answers no failure: it was drawn to keep a skill in practice.")
    state = found.life[-1].state if found.life else "open"
    lead = (
        f"Against {link(to(run.name, 'weaknesses', weakness.id), weakness.hypothesis or 'an unnamed weakness')}, "
        f'found in round {weakness.round}, now <span class="state {state}">{state}</span>.'
    )
    rows = [failure(run, attempt) for attempt in found.failures[:SHOWN]]
    head = ["failure", "prompt", "the student said", "expected"]
    return section("why", "Why it was written", lead, table("Failures it answers", head, rows, kind="texts"))


def _how(run: Run, found: Lineage) -> str:
    rows = [["teacher", code(found.sample.teacher)], *_origin(run, found), ["recipe", code(found.sample.recipe)]]
    rows += [
        [f"critique by {safe(c.judge)}", f"{'accepted' if c.accepted else 'refused'}: {code(c.reason)}"]
        for c in found.critiques
    ]
    return section(
        "how", "How it was written", "", table("Making", ["part", "text"], rows, kind="facts"), _debate(found)
    )


def _debate(found: Lineage) -> str:
    """What judges who disagreed said, turn by turn."""
    rows = [
        [f"{turn.turn}" if turn.turn else "before", safe(turn.judge), safe(turn.verdict) or NOTHING, code(turn.reason)]
        for debate in found.debates
        for turn in debate.turns
    ]
    if not rows:
        return ""
    head = ["turn", "judge", "verdict", "reason"]
    return f"<h3>The judges disagreed and talked</h3>{table('Debate of the judges', head, rows, kind='texts')}"


def _origin(run: Run, found: Lineage) -> list[list[str]]:
    """Operator and parents, where an operator made it."""
    if (origin := found.sample.origin) is None:
        return []
    rows = [["operator", link(to(run.name, "samples", operator=origin.operator), origin.operator)]]
    for parent in origin.parents:
        here = parent.kind == "failure" and not found.inherited
        named = link(to(run.name, "records", parent.id), "failure") if here else parent.kind
        named = link(to(run.name, "samples", parent.id), "sample") if parent.kind == "sample" else named
        rows.append([f"made from a {named}", f"{code(parent.prompt)} → {code(parent.answer)}"])
    read = [["read beside it", f"document {code(origin.document)}, which the student does not see"]]
    return [*rows, *(read if origin.document else [])]


def _fate(run: Run, found: Lineage) -> str:
    fate = found.fate
    if fate is None:
        return section("fate", "What became of it", "Its round was not curated yet.")
    lead = "<strong>Kept.</strong>" if fate.kept else f"<strong>Rejected.</strong> {safe(fate.reason)}."
    lead += f" The scorer gave it {fate.score:.4g}." if fate.score is not None else ""
    lead += _reviewed(run, found)
    lead += f" <strong>{safe(found.withdrawn[:1].upper() + found.withdrawn[1:])}.</strong>" if found.withdrawn else ""
    if found.nearest is None:
        return section("fate", "What became of it", lead)
    near = f"It is like sample {link(to(run.name, 'samples', found.nearest.id), found.nearest.id[:8])}."
    shown = beside(found.sample.task.prompt, found.nearest.task.prompt, ("this sample", "the other"))
    return section("fate", "What became of it", f"{lead} {near}", shown)


def _reviewed(run: Run, found: Lineage) -> str:
    """What a person decided, where that is not the whole reason already."""
    if (review := found.review) is None:
        return ""
    if review.edited:
        return f" It is now {link(to(run.name, 'samples', review.edited), f'sample {review.edited[:8]}')}."
    return f" {safe(review.said.capitalize())}." if review.action == "accept" else ""


def _training(run: Run, found: Lineage) -> str:
    rows = [
        [
            link(to(run.name, "rounds", r.number), f"round {r.number}"),
            f"{r.samples:,}",
            f"{r.steps:,}",
            f"{r.loss:.3f}",
            marked(r.checkpoint, found.marks),
        ]
        for r in found.trained_in
    ]
    if not rows:
        return section("training", "Where it was trained", "Nothing was trained on it.")
    head = ["round", "samples", "steps", "loss", "checkpoint"]
    return section("training", "Where it was trained", "", table("Training", head, rows, kind="training"))


def _exam(run: Run, found: Lineage) -> str:
    rows = [
        [
            link(to(run.name, "rounds", e.decision.round), f"round {e.decision.round}"),
            '<b class="yes">promoted</b>' if e.decision.promoted else '<b class="no">rejected</b>',
            percent(e.flips.before.count("1") / max(1, e.flips.items)) if e.flips else NOTHING,
            percent(e.flips.after.count("1") / max(1, e.flips.items)) if e.flips else NOTHING,
            f"<b>{points(e.flips.change)}</b>" if e.flips else NOTHING,
            f"{e.flips.gained:,}" if e.flips else NOTHING,
            f"{e.flips.lost:,}" if e.flips else NOTHING,
            f"{e.flips.p_value:.2g}" if e.flips else NOTHING,
        ]
        for e in found.examined
    ]
    if not rows:
        return section("exam", "What the exam did", "No student that was trained on it was examined.")
    skill = found.sample.task.skill
    named = link(to(run.name, "skill", name=skill), skill)
    lead = (
        f"Score of {named} whenever a student that was trained on this sample, "
        "and on all others of its round, sat the exam. One sample's own share of it cannot be told apart."
    )
    head = ["round", "decision", "before", "after", "points", "gained", "lost", "p"]
    return section("exam", "What the exam did", lead, table("Exam", head, rows, kind="figures"))
