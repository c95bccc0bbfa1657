"""Two exams item by item: what flipped, either way, and whether that is more than chance."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ...errors import EvolventError, RunError
from ...exams import Flips, flips
from ...reading import Run
from ...records import Exam, Split, Task
from ..answered import Answered
from ..frame import Page, pager
from ..markup import code, fold, percent, points, safe, section, several, table
from ..places import link, to, whole

ACROSS = 100
"""Items in one line."""
DRAWN = 1_000
"""Items drawn of one skill; a longer exam is only counted."""
SHOWN = 50
"""Items written out at once."""
FLIPPED = ("lost", "gained")
MOODS = {"gained": "yes", "lost": "over"}
Tasks = Callable[[Path, Split], Sequence[Task]]
"""Gives the items of a split of a run, in the order of its exams."""
SIDE, GAP = 9, 1
"""Of an item's square, in pixels."""
KINDS = {"00": "wrong", "11": "right", "01": "gained", "10": "lost"}
WORDS = {"wrong": "wrong both times", "right": "right both times", "gained": "gained", "lost": "lost"}


def page(run: Run, asked: Mapping[str, str], tasks: Tasks | None = None) -> Page:
    """Compare two exams of one split; without names the first and the latest on select.

    Args:
        run: where they are.
        asked: `before` and `after` name exams, `skill` shows one alone, `from` pages its items.
        tasks: gives the items of a split, if they can be drawn again.

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
    shown = [f for f in found if asked.get("skill") in (None, "", f.skill)]
    drawn, missing = _drawn(run, before.split, tasks)
    place = {"before": before.id, "after": after.id}
    answers = Answered.read(run.ledger, before, after)
    body = [_choice(run, exams, answers, missing), _counts(run, found)]
    for each in shown:
        own = [task for task in drawn if task.skill == each.skill]
        first = (whole(asked.get("from")) or 0) if asked.get("skill") else 0
        texts = _texts(run, each, own, place, first, answers) if len(own) == each.items else _numbers(each)
        body.append(_items(each, texts))
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
    arm = {"control": ", control arm", "clean": ", trained again without what was withdrawn"}.get(exam.arm, "")
    return f"{exam.split}, {who}{arm}, student {exam.student[:8]}"


def _drawn(run: Run, split: Split, tasks: Tasks | None) -> tuple[Sequence[Task], str]:
    """The items of a split, or why there are none."""
    if tasks is None:
        return [], ""
    try:
        return tasks(run.path, split), ""
    except (EvolventError, OSError, ValueError, KeyError) as error:
        return [], f"What the items say is not known: {error}."


def _choice(run: Run, exams: Sequence[Exam], answers: Answered, missing: str) -> str:
    def options(chosen: Exam) -> str:
        return "".join(
            f'<option value="{safe(e.id)}"{" selected" if e.id == chosen.id else ""}>{safe(_name(e))}</option>'
            for e in exams
        )

    lead = (
        "What flipped stands below with both answers side by side; of each skill the first hundred wrong answers of an "
        "exam are kept. "
        if answers.known
        else "Of these exams it is kept which items were right, and not what was said. "
    )
    lead += safe(missing)
    form = (
        f'<form class="filter" action="{safe(to(run.name, "exams"))}"><label>before <select name="before">'
        f"{options(answers.before)}</select></label>"
        f'<label>after <select name="after">{options(answers.after)}</select></label>'
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


def _kinds(found: Flips) -> list[str]:
    return [KINDS[a + b] for a, b in zip(found.before, found.after, strict=True)]


def _items(found: Flips, below: str) -> str:
    """Every item of a skill as a square, and below them those that flipped."""
    kinds = _kinds(found)
    key = " ".join(f'<span class="item {kind}"></span> {WORDS[kind]} {kinds.count(kind):,}' for kind in WORDS)
    lead = f'<span class="legend">{key}</span>'
    return section(f"items-{safe(found.skill)}", safe(found.skill), lead, _squares(found, kinds), below)


def _squares(found: Flips, kinds: Sequence[str]) -> str:
    if len(kinds) > DRAWN:
        return ""
    size = SIDE + GAP
    width, height = size * min(ACROSS, len(kinds)), size * -(-len(kinds) // ACROSS)
    said = f"{found.skill}: {found.gained} gained, {found.lost} lost of {found.items}"
    squares = "".join(_square(i, kind) for i, kind in enumerate(kinds))
    return (
        f'<svg class="items" role="img" aria-label="{safe(said)}" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">{squares}</svg>'
    )


def _numbers(found: Flips) -> str:
    """Which items flipped, where nobody knows what they say."""
    kinds = _kinds(found)
    rows = [[kind, ", ".join(str(i + 1) for i, k in enumerate(kinds) if k == kind) or "none"] for kind in FLIPPED]
    return fold("The items that flipped", table(f"Items of {found.skill}", ["which", "numbers"], rows, kind="facts"))


def _texts(
    run: Run, found: Flips, tasks: Sequence[Task], place: Mapping[str, str], first: int, answers: Answered
) -> str:
    """What the items that flipped say, the lost ones first: they are what a promotion costs."""
    kinds = _kinds(found)
    flipped = [(i, kind) for kind in FLIPPED for i, k in enumerate(kinds) if k == kind]
    if not flipped:
        return ""
    rows = [
        [
            str(i + 1),
            f'<span class="{MOODS[kind]}">{kind}</span>',
            code(tasks[i].prompt),
            code(tasks[i].answer),
            *(answers.sides(tasks[i], i) if answers.known else ()),
        ]
        for i, kind in flipped[first : first + SHOWN]
    ]
    head = ["item", "", "prompt", "expected", *(("said before", "said after") if answers.known else ())]
    shown = table(f"Items of {found.skill}", head, rows, kind="texts list")
    where = {**place, "skill": found.skill}
    links = pager(
        "More items",
        (to(run.name, "exams", **{**where, "from": max(0, first - SHOWN)}) if first else None, "earlier"),
        (to(run.name, "exams", **{**where, "from": first + SHOWN}) if first + SHOWN < len(flipped) else None, "more"),
    )
    return fold(f"The {several(len(flipped), 'item')} that flipped", shown + links, opened=first > 0)


def _square(i: int, kind: str) -> str:
    x, y = (SIDE + GAP) * (i % ACROSS), (SIDE + GAP) * (i // ACROSS)
    name = f"<title>item {i + 1}: {kind}</title>"
    return f'<rect class="{kind}" x="{x}" y="{y}" width="{SIDE}" height="{SIDE}">{name}</rect>'
