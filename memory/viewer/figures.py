"""Figures of a session as it stands, read from its ledger: the same whether it goes on, ended or was killed."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from .. import files
from ..effects import CLOCK
from ..exams import ends, gain, macro
from ..ledger import Ledger
from ..reading import Run
from ..records import Exam, Observation, Promotion, Round, State, Weakness
from ..statistics import Interval, wilson
from .charts import Point


class Change(NamedTuple):
    """Macro score of the first student and of the last, with the interval of the difference."""

    before: float
    after: float
    interval: Interval
    split: str


@dataclass(frozen=True, slots=True)
class Overview:
    """One session on one line."""

    name: str
    scenario: str
    status: str
    seed: int
    limit: int | None
    change: Change | None
    rounds: int
    promoted: int
    kept: int
    """Samples, written into the accumulated set."""
    written: int
    seconds: float
    """Of wall time, over all processes."""
    curve: tuple[Point, ...]


class Life(NamedTuple):
    """A weakness and everything seen of it."""

    weakness: Weakness
    seen: tuple[Observation, ...]

    @property
    def state(self) -> State:
        """Latest state."""
        return self.seen[-1].state if self.seen else "open"


def overview(run: Run) -> Overview:
    """Sum up a session."""
    ledger = run.ledger
    exams, promotions = ledger.read(Exam), ledger.read(Promotion)
    curated = [r for _, r in curations(ledger)]
    return Overview(
        name=run.name,
        scenario=run.session.name,
        status=run.status,
        seed=run.session.seed,
        limit=run.session.limit,
        change=change(run, exams, promotions),
        rounds=ledger.count(Round, subject="targeted"),
        promoted=sum(p.promoted for p in promotions),
        kept=sum(r.kept for r in curated),
        written=sum(r.kept + sum(r.rejected.values()) for r in curated),
        seconds=sum(seconds(ledger).values()),
        curve=tuple(curve(run, exams, promotions)),
    )


def change(run: Run, exams: list[Exam], promotions: list[Promotion]) -> Change | None:
    """The one number: on the sealed report once it was opened, on the promotion exam before."""
    by_id = {e.id: e for e in exams}
    opened = run.ledger.result("report opening", 0) or {}
    sealed = {name: by_id.get(entry["exam"]) for name, entry in opened.items()}
    base, final = sealed.get("base"), sealed.get("final")
    pair = (base, final) if base and final else ends(exams, promotions)
    if pair is None:
        return None
    rates = [macro(exam, run.goal.learnable) for exam in pair]
    if rates[0] is None or rates[1] is None:
        return None
    return Change(rates[0], rates[1], gain(*pair, run.goal.learnable), pair[0].split)


def curve(run: Run, exams: list[Exam], promotions: list[Promotion]) -> list[Point]:
    """Pass rate on select, pooled over the learnable skills, of every student examined."""
    promoted = {p.candidate for p in promotions if p.promoted}
    points: list[Point] = []
    for exam in (e for e in exams if e.split == "select" and e.arm == "targeted"):
        own = [exam.scores[s] for s in run.goal.learnable if s in exam.scores]
        passed, tried = sum(s.passed for s in own), sum(s.tried for s in own)
        if tried:
            name = f"round {exam.round}" if exam.round else "start"
            points.append(
                Point(passed / tried, *wilson(passed, tried), exam.round == 0 or exam.student in promoted, name)
            )
    return points


class Curated(NamedTuple):
    """What curation made of a round's candidates."""

    kept: int
    rejected: Mapping[str, int]
    """By reason, without its details."""


def curations(ledger: Ledger) -> list[tuple[int, Curated]]:
    """Outcome of every curated round, from what its step left: no sample is read."""
    found = (ledger.result("curate", n) for n in range(1, steps(ledger) + 1))
    return [
        (n, Curated(int(result["kept"]), dict(result["rejected"])))
        for n, result in enumerate(found, start=1)
        if result is not None
    ]


def steps(ledger: Ledger) -> int:
    """Number of the latest round anything was done in."""
    return int(ledger.rows("select coalesce(max(round), 0) from effects")[0][0])


def doing(ledger: Ledger) -> tuple[str, int, bool] | None:
    """The latest step: its name, its round, and whether it is done."""
    rows = ledger.rows("select name, round, status from effects order by rowid desc limit 1")
    return (str(rows[0][0]), int(rows[0][1]), rows[0][2] == "committed") if rows else None


def seconds(ledger: Ledger) -> dict[str, float]:
    """Wall seconds of all processes by kind of work, most first."""
    spent: Counter[str] = Counter()
    for text in ledger.metas(CLOCK).values():
        spent.update(files.read_json(text))
    return dict(spent.most_common())


def lives(ledger: Ledger) -> list[Life]:
    """All weaknesses in the order they were found."""
    seen: dict[str, list[Observation]] = {}
    for observation in ledger.read(Observation):
        seen.setdefault(observation.weakness, []).append(observation)
    return [Life(w, tuple(seen.get(w.id, ()))) for w in ledger.read(Weakness)]
