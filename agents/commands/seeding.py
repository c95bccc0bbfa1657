"""Sessions that differ in their seed alone, each measured as soon as it ends.

One that failed, waits or trained nothing is left out and said; it takes nothing from the others.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import typer

from ...memory.errors import BudgetError, EvolventError, UsageError
from ...scenarios.schema import Scenario
from .. import efficiency
from ..efficiency import Efficiency
from ..planning import Plan

Json = dict[str, Any]
Measure = Callable[[Path], Efficiency | None]
"""Holds the run in a folder against its twin, if it has one."""


class Begin(Protocol):
    """Runs one session to its end, and gives what it came to."""

    def __call__(self, plan: Plan, since: float, made: Callable[[Path], object]) -> Json | None:
        """`since` is when its clock starts, `made` is told of its folder."""
        ...


class Told:
    """Says what came of each session as it goes."""

    def __init__(self, json_: bool, write: Callable[[Json | str], None]) -> None:
        self._json = json_
        self._write = write

    def measured(self, one: Efficiency) -> None:
        """A session was held against its twin."""
        self._say({"event": "seed", **one._asdict()}, one.line())

    def left_out(self, seed: int, reason: str) -> None:
        """A session takes no part."""
        self._say({"event": "left_out", "seed": seed, "reason": reason}, f"seed {seed}: left out, {reason}")

    def end(self, found: Sequence[Efficiency]) -> None:
        """All sessions have ended."""
        self._write(efficiency.facts(found) if self._json else "\n".join(["", *efficiency.lines(found)]))

    def _say(self, facts: Json, line: str) -> None:
        typer.echo(line, err=True)
        if self._json:
            self._write(facts)


def check(path: Path, scenario: Scenario) -> None:
    """Refuse what would leave nothing to compare, before anything runs.

    Raises:
        UsageError: naming every setting that stands in the way, and what to set.
    """
    kept = scenario.keep.checkpoints
    wrong = [] if scenario.control else ["it needs control = true"]
    if scenario.review:
        wrong.append("review = true would stop each session before it trains; set review = false")
    if kept not in (None, "all"):
        wrong.append(f'keep.checkpoints = {kept!r} would remove the weights of the twins; set keep.checkpoints = "all"')
    if wrong:
        raise UsageError(f"{path}: --seeds compares sessions with their twins; {'; '.join(wrong)}")


def compare(
    plans: Sequence[Plan], begin: Begin, told: Told, *, since: float, allow_import: bool = False,
    measure: Measure | None = None,
) -> int:  # fmt: skip
    """Run every session, measure it, and say over all of them how many samples targeting needed.

    Args:
        plans: one of each session.
        begin: runs one.
        told: is told what came of each.
        since: when the program began, which the first session is charged; a later one is charged from its own start.
        allow_import: whether parts may come from modules of the user's own.
        measure: how a finished session is held against its twin.

    Returns:
        Exit code of the first session that failed, or 0.

    Raises:
        EvolventError: no session failed, and none can be compared.
    """
    measure = measure or partial(efficiency.measure, allow_import=allow_import)
    found, codes = list[Efficiency](), list[int]()
    for place, plan in enumerate(plans):
        made = list[Path]()
        try:
            result = begin(plan, time.perf_counter() if place else since, made.append)
        except EvolventError as error:
            told.left_out(plan.seed, f"{error}; {_way_on(plan, made, error, allow_import=allow_import)}")
            codes.append(error.exit_code)
            continue
        status = result["status"] if result else "not run"
        if status != "finished":
            told.left_out(plan.seed, f"it is {status}; {_way_on(plan, made, None, allow_import=allow_import)}")
            continue
        try:
            one = measure(made[0])
        except EvolventError as error:
            told.left_out(plan.seed, f"its twin cannot be examined: {error}; see: evolvent runs show {made[0]}")
            codes.append(error.exit_code)
            continue
        if one is None:
            told.left_out(plan.seed, f"it trained nothing, so it has no twin; see: evolvent runs show {made[0]}")
        else:
            told.measured(one)
            found.append(one)
    if found:
        told.end(found)
    elif not codes:
        raise EvolventError("no session trained a twin, so there is nothing to compare; see why each was left out")
    return codes[0] if codes else 0


def _way_on(plan: Plan, made: Sequence[Path], error: EvolventError | None, *, allow_import: bool) -> str:
    """The command that goes on with a session."""
    more = " --allow-import" if allow_import else ""
    if not made:
        return f"begin it again with: evolvent run {plan.path} --seed {plan.seed}{more}"
    more += " --set budget.KEY=MORE" if isinstance(error, BudgetError) else ""
    return f"go on with: evolvent resume {made[0]}{more}"
