"""One skill: which rounds moved it, up or down, and the samples that were new in each."""

from collections.abc import Mapping

from ...blame import Move, Taught, blame
from ...reading import Run
from ...statistics import wilson
from .. import charts
from ..charts import Point
from ..figures import lives
from ..frame import Page
from ..markup import NOTHING, points, section, several, table
from ..places import link, to, wrap
from ..weaknesses import listing


def page(run: Run, asked: Mapping[str, str]) -> Page:
    """Say what moved a skill.

    Raises:
        UsageError: no such skill.
    """
    name = asked.get("name", "")
    moves = blame(run.ledger, name, run.goal.targets + run.goal.guards)
    part = "a guard: it must not get worse" if name in run.goal.guards else "taught"
    body = [_curve(name, moves), _moves(run, moves), _weaknesses(run, name, asked.get("from", ""))]
    trail = [("/", "sessions"), (to(run.name), run.session.name)]
    return Page(name, body, head=f'<p class="about">{part}</p>', trail=trail, run=run.name)


def _curve(name: str, moves: list[Move]) -> str:
    seen = [(move, move.flips) for move in moves if move.flips]
    if not seen:
        return section("curve", "Score", "It was not examined yet.")
    drawn = [_point(seen[0][1].before, "start", promoted=True)]
    drawn += [_point(f.after, f"round {m.decision.round}", promoted=m.decision.promoted) for m, f in seen]
    lead = "Pass rate on the items decisions are made on, in percent, with 95 % intervals. Hollow: turned down."
    return section("curve", "Score", lead, charts.curve(drawn, title=f"Pass rate of {name} by round"))


def _point(results: str, name: str, *, promoted: bool) -> Point:
    passed, tried = results.count("1"), len(results)
    return Point(passed / max(1, tried), *wilson(passed, tried), promoted, name)


def _moves(run: Run, moves: list[Move]) -> str:
    rows = [_move(run, move) for move in moves]
    head = ["round", "decision", "change", "gained", "lost", "p", "new samples"]
    lead = "Each candidate against the student it would have replaced, and what was new in its data."
    return section("moves", "What moved it", lead, table("Moves", head, rows, kind="blame")) if rows else ""


def _move(run: Run, move: Move) -> list[str]:
    flips, round = move.flips, move.decision.round
    reasons = [_reason(run, round, taught) for taught in move.taught]
    reasons += [f'<span class="none">{several(move.others, "sample")} of other skills</span>'] if move.others else []
    return [
        wrap(to(run.name, "rounds", round), f"round {round}"),
        '<b class="yes">promoted</b>' if move.decision.promoted else '<b class="no">rejected</b>',
        f"<b>{points(flips.change)}</b>" if flips else NOTHING,
        f"{flips.gained:,}" if flips else NOTHING,
        f"{flips.lost:,}" if flips else NOTHING,
        f"{flips.p_value:.2g}" if flips else NOTHING,
        "<br>".join(reasons) or NOTHING,
    ]


def _reason(run: Run, round: int, taught: Taught) -> str:
    count = several(taught.samples, "sample")
    if taught.weakness is None:
        return wrap(to(run.name, "samples", round=round, skill=taught.skill), f"{count} of practice")
    return f"{count} against {link(to(run.name, 'weaknesses', taught.weakness.id), taught.weakness.hypothesis)}"


def _weaknesses(run: Run, name: str, start: str) -> str:
    found = [life for life in lives(run.ledger) if life.weakness.skill == name]
    if not found:
        return ""
    return section("weaknesses", "Its weaknesses", "", listing(run, found, start, "skill", name=name))
