"""The promotion decision: a candidate replaces the incumbent only on proof of gain and of no harm.

Pure: scores in, a decision out, so replaying a ledger gives the same decisions. Proof of gain is a paired test at this
round's share of the session's error; proof of no harm is, per guard, an upper bound on the loss below the margin.
Every guard must hold, so guards need no correction for their number: more guards only make promotion harder.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from ..memory.records import Test
from ..memory.statistics import spent_alpha
from .pairing import Paired

Error = Annotated[float, Field(gt=0, lt=0.5)]


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether to promote, and the figures that say so."""

    promoted: bool
    reason: str
    alpha: float
    """Error spent on this test."""
    gain: float
    """Mean change of the score on the select items, a share."""
    test: Test
    """What the p-value is of."""
    p_value: float
    """Of the one-sided test on the select items."""
    guards: dict[str, dict[str, float]]
    """By guard: `loss` seen, its `upper` bound and the `margin`, all as shares."""
    guard_tests: dict[str, Test]
    """What each guard's upper bound is of."""


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
            target: what changed on the select items, all skills pooled.
            guards: what changed, by guard skill.
            round: number of this test in the session, from 1.
            rounds: tests the session may hold at most.

        Raises:
            ValueError: `round` outside 1..rounds, negative counts, or more changes on a guard than it has items.
        """
        alpha = spent_alpha(self.alpha, round, rounds)
        p = target.p_value(alpha=alpha)
        figures = {name: self._guard(changed) for name, changed in guards.items()}
        broken = {name: f for name, f in figures.items() if f["upper"] >= f["margin"]}
        proven = target.gain > 0 and p <= alpha
        reason = f"{_gain(target, p, alpha)}, {_harm(broken, bool(guards))}"
        return Decision(
            promoted=proven and not broken,
            reason=reason,
            alpha=alpha,
            gain=target.gain,
            test=target.test,
            p_value=p,
            guards=figures,
            guard_tests={name: changed.test for name, changed in guards.items()},
        )

    def bounds(self, target: Paired, guards: Mapping[str, Paired]) -> dict[str, dict[str, float]]:
        """Losses of a student that is to take another one's place, with their bounds and the margin, as shares.

        It is not inferior where every bound is below the margin. No error budget is spent: nothing is called a gain.

        Args:
            target: what changed on the select items, all skills pooled.
            guards: what changed, by guard skill.
        """
        return {name: self._guard(changed) for name, changed in {"select": target, **guards}.items()}

    def _guard(self, changed: Paired) -> dict[str, float]:
        return {"loss": -changed.gain + 0.0, "upper": changed.worst(alpha=self.guard_alpha), "margin": self.margin}


def _gain(target: Paired, p: float, alpha: float) -> str:
    name = "bootstrap p" if target.differences else "p"
    return f"select {100 * target.gain:+.1f} points ({name} {_short(p)} {'<=' if p <= alpha else '>'} {_short(alpha)})"


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
