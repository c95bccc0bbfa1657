"""The promotion decision: a candidate replaces the incumbent only on proof of gain and of no harm.

Pure: counts in, a decision out, so replaying a ledger gives the same decisions. Proof of gain is an exact paired test
at this round's share of the session's error; proof of no harm is, per guard, an upper bound on the loss below the
margin. Every guard must hold, so guards need no correction for their number: more guards only make promotion harder.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from ..memory.statistics import mcnemar, non_inferiority_upper, spent_alpha

Error = Annotated[float, Field(gt=0, lt=0.5)]


class Paired(NamedTuple):
    """What changed between two models on the same items."""

    gained: int
    """Items only the candidate got right."""
    lost: int
    """Items only the incumbent got right."""
    items: int
    """All items, changed or not."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether to promote, and the figures that say so."""

    promoted: bool
    reason: str
    alpha: float
    """Error spent on this test."""
    p_value: float
    """Of the exact one-sided test on the select items."""
    guards: dict[str, dict[str, float]]
    """By guard: `loss` seen, its `upper` bound and the `margin`, all as shares."""


class Gate(BaseModel):
    """Settings of the promotion gate."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    alpha: Error = 0.05
    """Chance that a session without any true gain promotes something, over all its rounds."""
    margin: Annotated[float, Field(gt=0, lt=1)] = 0.02
    """Largest guard loss tolerated, as a share of the guard's items."""
    guard_alpha: Error = 0.05
    """Chance that a guard lets a true loss of the margin pass, in one round."""

    def decide(self, target: Paired, guards: Mapping[str, Paired], *, round: int, rounds: int) -> Decision:
        """Compare a candidate with the incumbent.

        Args:
            target: counts on the select items, all skills pooled.
            guards: counts by guard skill.
            round: number of this test in the session, from 1.
            rounds: tests the session may hold at most.

        Raises:
            ValueError: `round` outside 1..rounds, negative counts, or more changes on a guard than it has items.
        """
        alpha, p = spent_alpha(self.alpha, round, rounds), mcnemar(target.gained, target.lost)
        figures = {name: self._guard(counts) for name, counts in guards.items()}
        broken = {name: f for name, f in figures.items() if f["upper"] >= f["margin"]}
        proven = target.gained > target.lost and p <= alpha
        reason = f"{_gain(target, p, alpha)}, {_harm(broken, bool(guards))}"
        return Decision(promoted=proven and not broken, reason=reason, alpha=alpha, p_value=p, guards=figures)

    def _guard(self, counts: Paired) -> dict[str, float]:
        upper = non_inferiority_upper(*counts, alpha=self.guard_alpha)
        loss = (counts.lost - counts.gained) / max(1, counts.items)
        return {"loss": loss, "upper": upper, "margin": self.margin}


def pair(before: str, after: str) -> Paired:
    """Count what changed between two strings of '0' (wrong) and '1' (right) over the same items.

    Raises:
        ValueError: strings of different length, or with other characters.
    """
    if len(before) != len(after):
        raise ValueError(f"{len(before)} results before, {len(after)} after; both must be of the same items")
    if other := set(before + after) - {"0", "1"}:
        raise ValueError(f"results hold {min(other)!r}; only '0' and '1' were expected")
    changes = list(zip(before, after, strict=True))
    return Paired(changes.count(("0", "1")), changes.count(("1", "0")), len(changes))


def _gain(target: Paired, p: float, alpha: float) -> str:
    points = 100 * (target.gained - target.lost) / max(1, target.items)
    return f"select {points:+.1f} points (p {_short(p)} {'<=' if p <= alpha else '>'} {_short(alpha)})"


def _harm(broken: Mapping[str, Mapping[str, float]], guarded: bool) -> str:
    if not broken:
        return "guards hold" if guarded else "no guards"
    return ", ".join(
        f"guard {name!r} may have lost up to {100 * f['upper']:.2f} points, margin {100 * f['margin']:.2f}"
        for name, f in broken.items()
    )


def _short(p: float) -> str:
    """Three digits, and 2e-9 rather than 2e-09."""
    return f"{p:.3g}".replace("e-0", "e-")
