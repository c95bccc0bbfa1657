"""Samples of a session: a list that is filtered by round, skill, weakness and fate, a page at a time."""

from collections.abc import Mapping

from ...origin import COMPLETION
from ...reading import Run
from ...reviews import JOIN, KEPT, REASON
from ..difference import compare
from ..frame import Page, pager, plain
from ..markup import code, safe, table
from ..places import link, to, whole

SHOWN = 50
"""Samples on one page."""
FILTERS = {
    "round": " and s.round = ?",
    # the plus keeps SQLite from the index of subjects, which names half of all samples
    "arm": " and +s.subject = ?",
    "skill": " and json_extract(s.body, '$.task.skill') = ?",
    "weakness": " and json_extract(s.body, '$.weakness') = ?",
    "operator": " and json_extract(s.body, '$.origin.operator') = ?",
    "after": " and s.seq > ?",
}
"""What may be asked for, and how."""
_QUERY = f"""
select s.seq, s.id, s.round, json_extract(s.body, '$.task.skill'),
  substr(json_extract(s.body, '$.task.prompt'), 1, 601), substr({COMPLETION}, 1, 601),
  {KEPT}, {REASON}
from records s left join records f on f.kind = 'fate' and f.subject = s.id {JOIN} where """  # noqa: S608 - a constant of ours
_FOUND, _WALKED = "s.kind = 'sample'", "+s.kind = 'sample'"
"""Through an index where something narrows the list, and in the order of writing where nothing does."""


def page(run: Run, asked: Mapping[str, str]) -> Page:
    """List samples; `end` is `kept`, `rejected`, `undecided` or the beginning of a reason."""
    wanted = {name: asked[name] for name in (*FILTERS, "end") if asked.get(name)}
    body, last = listing(run, wanted)
    said = ", ".join(f"{name} {value}" for name, value in wanted.items() if name != "after")
    onward = pager("More samples", (to(run.name, "samples", **{**wanted, "after": last}) if last else None, "more"))
    lead = safe(f"Those with {said}." if said else "All of them, in the order they were written.")
    trail = [("/", "sessions"), (to(run.name), run.session.name)]
    head = f'<p class="about">{lead}</p>'
    return Page("Samples", [plain("samples", body, onward)], head=head, trail=trail, run=run.name)


def listing(run: Run, wanted: Mapping[str, str]) -> tuple[str, int | None]:
    """A table of samples, and the place after which the list goes on, if it does."""
    narrow = any(wanted.get(name) for name in ("round", "skill", "weakness"))
    query, values = _QUERY + (_FOUND if narrow else _WALKED), list[str | int]()
    for name, clause in FILTERS.items():
        if value := wanted.get(name):
            query += clause
            values.append((whole(value) or 0) if name in ("round", "after") else value)
    ending, more = _ending(wanted.get("end", ""))
    found = run.ledger.rows(query + ending + " order by s.seq limit ?", *values, *more, SHOWN + 1)
    rows = [
        [
            link(to(run.name, "samples", id), id[:8]),
            str(round),
            safe(skill),
            code(prompt),
            code(answer),
            fate(kept, reason),
        ]
        for _, id, round, skill, prompt, answer, kept, reason in found[:SHOWN]
    ]
    head = ["sample", "round", "skill", "prompt", "completion", "fate"]
    shown = table("Samples", head, rows, kind="texts list") if rows else '<p class="none">none</p>'
    return shown, int(found[SHOWN - 1][0]) if len(found) > SHOWN else None


def fate(kept: int | None, reason: str | None) -> str:
    """What became of a sample, in a word or two."""
    if kept is None:
        return '<span class="none">not decided</span>'
    return '<span class="yes">kept</span>' if kept else f'<span class="over">{safe((reason or "")[:200])}</span>'


def beside(left: str, right: str, names: tuple[str, str]) -> str:
    """Two texts side by side, with what differs marked."""
    sides = compare(left, right)
    return table("Compared", [safe(n) for n in names], [[sides.left, sides.right]], kind="texts pairwise")


def _ending(end: str) -> tuple[str, list[str | int]]:
    plain = {"": "", "kept": f" and {KEPT}", "rejected": f" and not {KEPT}", "undecided": " and f.id is null"}
    if end in plain:
        return plain[end], []
    return f" and not {KEPT} and substr({REASON}, 1, ?) = ?", [len(end), end]
