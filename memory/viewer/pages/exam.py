"""Two exams item by item: what flipped, either way, and whether that is more than chance."""

from collections.abc import Mapping, Sequence

from ...errors import RunError
from ...exams import Flips, flips
from ...reading import Run
from ...records import Exam
from ..frame import Page
from ..markup import percent, points, safe, section, table
from ..places import link, to

ACROSS = 100
"""Items in one line."""
DRAWN = 1_000
"""Items drawn of one skill; a longer exam is only counted."""
SIDE, GAP = 9, 1
"""Of an item's square, in pixels."""
KINDS = {"00": "wrong", "11": "right", "01": "gained", "10": "lost"}
WORDS = {"wrong": "wrong both times", "right": "right both times", "gained": "gained", "lost": "lost"}


def page(run: Run, asked: Mapping[str, str]) -> Page:
    """Compare two exams of one split; without names the first and the latest on select.

    Raises:
        RunError: an exam that is not there, or two of different splits.
    """
    exams = run.ledger.read(Exam)
    if not exams:
        raise RunError("no exam was taken yet; look again when the first round has been examined")
    select = [e for e in exams if e.split == "select"] or exams
    before, after = _pick(exams, asked.get("before"), select[0]), _pick(exams, asked.get("after"), select[-1])
    if before.split != after.split:
        raise RunError(f"one exam is on {before.split}, the other on {after.split}; only the same items compare")
    found = flips(before, after)
    body = [_choice(run, exams, before, after), _counts(run, found), *(_items(f) for f in found)]
    head = f'<p class="about">{safe(_name(before))} → {safe(_name(after))}</p>'
    trail = [("/", "sessions"), (to(run.name), run.session.name)]
    return Page("Exam flips", body, head=head, trail=trail, run=run.name)


def _pick(exams: Sequence[Exam], id: str | None, otherwise: Exam) -> Exam:
    if not id:
        return otherwise
    found = next((e for e in exams if e.id == id), None)
    if found is None:
        raise RunError(f"no exam {id!r} in this run")
    return found


def _name(exam: Exam) -> str:
    who = "first student" if exam.round == 0 and exam.split != "report" else f"round {exam.round}"
    arm = ", control arm" if exam.arm == "control" else ""
    return f"{exam.split}, {who}{arm}, student {exam.student[:8]}"


def _choice(run: Run, exams: Sequence[Exam], before: Exam, after: Exam) -> str:
    def options(chosen: Exam) -> str:
        return "".join(
            f'<option value="{safe(e.id)}"{" selected" if e.id == chosen.id else ""}>{safe(_name(e))}</option>'
            for e in exams
        )

    lead = (
        "An exam keeps which items a student got right, not what it said: a greedy answer that is not the reference is "
        "wrong, whatever it was. Answers to probes stand beside their references on the pages of weaknesses."
    )
    form = (
        f'<form class="filter" action="{safe(to(run.name, "exams"))}"><label>before <select name="before">'
        f'{options(before)}</select></label><label>after <select name="after">{options(after)}</select></label>'
        "<button>compare</button></form>"
    )
    return section("choice", "Which exams", lead, form)


def _counts(run: Run, found: Sequence[Flips]) -> str:
    rows = [
        [
            link(to(run.name, "skill", name=f.skill), f.skill),
            percent(f.before.count("1") / max(1, f.items)),
            percent(f.after.count("1") / max(1, f.items)),
            f"<b>{points(f.change)}</b>",
            f"{f.gained:,}",
            f"{f.lost:,}",
            f"{f.items:,}",
            f"{f.p_value:.2g}",
        ]
        for f in found
    ]
    head = ["skill", "before", "after", "points", "gained", "lost", "items", "p"]
    shown = table("Flips by skill", head, rows, kind="figures") if rows else '<p class="none">no item is in both</p>'
    return section("counts", "By skill", "p is exact, one-sided, for so large a change in its direction.", shown)


def _items(found: Flips) -> str:
    kinds = [KINDS[a + b] for a, b in zip(found.before, found.after, strict=True)]
    if len(kinds) > DRAWN:
        return ""
    key = " ".join(f'<span class="item {kind}"></span> {WORDS[kind]} {kinds.count(kind):,}' for kind in WORDS)
    lines = -(-len(kinds) // ACROSS)
    squares = "".join(_square(i, kind) for i, kind in enumerate(kinds))
    gained = [str(i + 1) for i, kind in enumerate(kinds) if kind == "gained"]
    lost = [str(i + 1) for i, kind in enumerate(kinds) if kind == "lost"]
    said = f"{found.skill}: {len(gained)} gained, {len(lost)} lost of {found.items}"
    size = SIDE + GAP
    chart = (
        f'<svg class="items" role="img" aria-label="{safe(said)}" width="{size * min(ACROSS, len(kinds))}" '
        f'height="{size * lines}" viewBox="0 0 {size * min(ACROSS, len(kinds))} {size * lines}">{squares}</svg>'
    )
    listed = table(
        f"Items of {found.skill} that flipped",
        ["which", "numbers"],
        [["gained", ", ".join(gained) or "none"], ["lost", ", ".join(lost) or "none"]],
        kind="facts",
    )
    folded = f"<details><summary>The numbers of the items</summary>{listed}</details>"
    return section(f"items-{safe(found.skill)}", safe(found.skill), f'<span class="legend">{key}</span>', chart, folded)


def _square(i: int, kind: str) -> str:
    x, y = (SIDE + GAP) * (i % ACROSS), (SIDE + GAP) * (i // ACROSS)
    name = f"<title>item {i + 1}: {kind}</title>"
    return f'<rect class="{kind}" x="{x}" y="{y}" width="{SIDE}" height="{SIDE}">{name}</rect>'
