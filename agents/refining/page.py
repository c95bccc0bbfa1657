"""The report of a curation: what was lost and why, and how what is left differs from what there was."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ...memory.viewer import charts
from ...memory.viewer.markup import code, percent, safe, section, several, table
from ...training.curation.pool import Pool
from ..reports.report import framed
from .refine import Fallen, Refined
from .rows import Line
from .shift import GROUPS, QUANTILES, Figures, distance

PLACES = {"lost": "What was lost", "shift": "What changed", "scores": "Scores", "rows": "Rows", "again": "Do it again"}
SHOWN = 3
"""Rows shown of every reason, and at either end of the scores."""
WHEN = ("before", "after")
CUT = 240
"""Characters of a row that are shown."""


def page(
    name: str, done: Refined, before: tuple[Pool, Figures], after: tuple[Pool, Figures], foot: Mapping[str, str]
) -> str:
    """Give the page.

    Args:
        name: of the data set.
        done: what became of it.
        before: rows that could be read, and what they are like.
        after: rows that were kept.
        foot: where this came from, plain text by what it is.
    """
    total = len(done.kept) + len(done.fallen)
    head = (
        f'<p class="kicker">evolvent <span>curation</span></p><h1>{safe(name)}</h1>'
        f'<p class="score"><span>{total:,}</span> <i aria-label="to">→</i> <span>{len(done.kept):,}</span></p>'
        f'<p class="under">{percent(_share(len(done.kept), total))} of {several(total, "row")} kept, '
        f"{len(done.changed):,} of them changed on the way</p>"
    )
    places = {anchor: title for anchor, title in PLACES.items() if anchor != "scores" or done.scores}
    body = _lost(done, total) + _shift(before, after) + (_scores(done) if done.scores else "") + _rows(done)
    rows = [[safe(what), code(which)] for what, which in foot.items()]
    return framed(
        name, head=head, places=places, body=body, foot=table("Where this came from", ["what", "which"], rows)
    )


def reasons(fallen: Iterable[Fallen]) -> Counter[str]:
    """How many rows were lost to what, by the first words of the reason."""
    return Counter(one.reason.split(":")[0] for one in fallen)


def _share(part: int, whole: int) -> float:
    return part / max(1, whole)


def _lost(done: Refined, total: int) -> str:
    why = reasons(done.fallen)
    rows = [[safe(reason), f"{count:,}", percent(_share(count, total))] for reason, count in why.most_common()]
    lead = "Every row that is not kept is in the file of rejected rows, with its reason."
    below = table("Lost, and why", ["reason", "rows", "share"], rows, kind="figures") if rows else "<p>Nothing.</p>"
    return section("lost", PLACES["lost"], lead, below)


def _shift(before: tuple[Pool, Figures], after: tuple[Pool, Figures]) -> str:
    (whole, was), (part, now) = before, after
    rows = [
        ["rows that could be read", f"{was.rows:,}", f"{now.rows:,}"],
        *_lengths("question", was.question, now.question),
        *_lengths("answer", was.answer, now.answer),
        ["distinct pairs of words", percent(was.pairs), percent(now.pairs)],
        ["compression ratio", f"{was.ratio:.2f}", f"{now.ratio:.2f}"],
        ["cosine to the nearest other row", f"{was.alike:.3f}", f"{now.alike:.3f}"],
    ]
    far = [distance(a, b) for a, b in ((whole.prompts, part.prompts), (whole.answers, part.answers))]
    lead = (
        f"Lengths in characters. The distributions of lengths differ by at most {100 * far[0]:.1f} points for "
        f"questions and {100 * far[1]:.1f} for answers (Kolmogorov-Smirnov)."
    )
    below = [table("Before and after", ["", "before", "after"], rows, kind="figures")]
    if len(was.skills) > 1:
        below += [_groups(was.skills, now.skills)]
    return section("shift", PLACES["shift"], lead, *below)


def _lengths(what: str, was: Sequence[float], now: Sequence[float]) -> list[list[str]]:
    if not was:
        return []
    at = [f"{q:.0%}" for q in QUANTILES]
    shown = [" · ".join(f"{length:,.0f}" for length in lengths) if lengths else "none" for lengths in (was, now)]
    return [[f"length of the {what} at {' · '.join(at)}", *shown]]


def _groups(was: Mapping[str, int], now: Mapping[str, int]) -> str:
    names = list(was)[:GROUPS]
    totals = [max(1, sum(counts.values())) for counts in (was, now)]
    shares = {name: (was[name] / totals[0], now.get(name, 0) / totals[1]) for name in names}
    drawn = "".join(_stacked({name: pair[i] for name, pair in shares.items()}, when) for i, when in enumerate(WHEN))
    rows = [
        [safe(name or "none"), f"{was[name]:,}", percent(share[0]), f"{now.get(name, 0):,}", percent(share[1])]
        for name, share in shares.items()
    ]
    return drawn + table("Groups", ["group", "before", "share", "after", "share"], rows, kind="figures")


def _stacked(shares: Mapping[str, float], when: str) -> str:
    return f'<p class="under">{when}</p>{charts.stack([*shares.items()], title=f"Shares {when}")}'


def _scores(done: Refined) -> str:
    kept = [done.scores[line.number] for line in done.kept if line.number in done.scores]
    lost = [one.score for one in done.fallen if one.score is not None]
    rows = [
        [name, f"{len(scores):,}", *(f"{q:.4g}" for q in np.quantile(scores, QUANTILES))]
        for name, scores in (("kept", kept), ("left out by the selector", lost))
        if scores
    ]
    head = ["rows", "count", *(f"{q:.0%}" for q in QUANTILES)]
    return section(
        "scores", PLACES["scores"], "Higher is better to train on.", table("Scores", head, rows, kind="figures")
    )


def _rows(done: Refined) -> str:
    by_reason: dict[str, list[Fallen]] = defaultdict(list)
    for one in done.fallen:
        by_reason[one.reason.split(":")[0]].append(one)
    rows = [_row(one.line, one.reason, one.score) for found in by_reason.values() for one in found[:SHOWN]]
    ranked = sorted(done.kept, key=lambda line: -done.scores.get(line.number, 0.0))
    ends = ranked if len(ranked) <= 2 * SHOWN else ranked[:SHOWN] + ranked[-SHOWN:]
    rows += [_row(line, "kept", done.scores.get(line.number)) for line in ends]
    lead = "Some rows of every reason, and kept ones with the highest and the lowest scores."
    return section("rows", PLACES["rows"], lead, table("Rows", ["line", "row", "score", "what became of it"], rows))


def _row(line: Line, reason: str, score: float | None) -> list[str]:
    text: Any = dict(line.values) if line.row is None else f"{line.row.question}\n{line.row.answer}"
    said = str(text)
    return [
        f"{line.number:,}",
        code(said if len(said) <= CUT else f"{said[: CUT - 1]}…"),
        "" if score is None else f"{score:.4g}",
        safe(reason),
    ]
