"""How often the promotion gate is wrong, and how often it is right: simulated exams through the real `Gate.decide`.

A simulated exam starts from how many items the incumbent gets right; the candidate then gains and loses items at the
true rates. The rounds of a session share one incumbent, so its luck on the items is theirs too, as in a real session.
Graded exams are drawn item by item, and so are the sessions in which a guard loses a little with every promotion.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..memory.statistics import block_chance, detectable_gain, detectable_loss, spent_alpha, wilson
from ..training.gate import Decision, Gate
from ..training.pairing import Paired, pair
from .graded import detectable, graded_exams
from .machine import Check, keep

SELECT_ACCURACY = 0.5
GUARD_ACCURACY = 0.98
GUARDS = ("guard-a", "guard-b", "guard-c")
GRADED_SESSIONS = 400
"""Simulated sessions of graded scores, whose every test is a bootstrap."""
DRIFT = 0.007
"""Loss on a guard with every promotion: a third of the margin, so that three of them are too much."""
PROVEN = Paired(gained=300, lost=60, items=1200)
"""A gain that no test doubts."""


@dataclass(frozen=True, slots=True)
class World:
    """The truth about every candidate of a simulated session, as shares of items."""

    gain: float = 0.0
    """Gain on the select items; negative is worse."""
    disagreement: float = 0.2
    """Share of select items on which the two models differ."""
    loss: float = 0.0
    """Loss on the first guard, on top of its churn."""
    churn: float = 0.02
    """Share of guard items that change between models of the same ability, half each way."""
    rounds: int = 1
    """Rounds simulated of a session that may hold more."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One line of the table: what is simulated, what is counted and what it has to be."""

    name: str
    world: World
    holds: Callable[[Decision], bool]
    at_most: float | None = None
    at_least: float | None = None
    guarded: bool = True


def promoted(decision: Decision) -> bool:
    """Whether the gate let the candidate through."""
    return decision.promoted


def guards_hold(decision: Decision) -> bool:
    """Whether all guards let the candidate through, whatever the target test says."""
    return all(figures["upper"] < figures["margin"] for figures in decision.guards.values())


def claims(gain: float, rounds: int) -> list[Claim]:
    """Everything the gate promises; `gain` is the size it says it can detect."""
    return [
        Claim("no change, whole session", World(rounds=rounds), promoted, at_most=0.06),
        Claim("no change, whole session, no guards", World(rounds=rounds), promoted, at_most=0.06, guarded=False),
        Claim("select 2 points worse", World(gain=-0.02), promoted, at_most=0.01),
        Claim("one guard 2 points worse, churn 1 %", _harmful(0.01), promoted, at_most=0.05),
        Claim("one guard 2 points worse, churn 2 %", _harmful(0.02), promoted, at_most=0.05),
        Claim("one guard 2 points worse, churn 4 %", _harmful(0.04), promoted, at_most=0.05),
        Claim("select better by the detectable gain", World(gain=gain), promoted, at_least=0.8),
        Claim("unchanged passes guards, churn 1 %", World(churn=0.01), guards_hold, at_least=0.8),
        Claim("unchanged passes guards, churn 2 %", World(churn=0.02), guards_hold, at_least=0.8),
        Claim("unchanged passes guards, churn 4 %", World(churn=0.04), guards_hold),
    ]


def graded_claims(gain: float, rounds: int) -> list[Claim]:
    """What the gate promises of graded scores too."""
    held = {claim.name: claim for claim in claims(gain, rounds)}
    names = ("no change, whole session", "select 2 points worse", "one guard 2 points worse, churn 2 %",
             "select better by the detectable gain", "unchanged passes guards, churn 2 %")  # fmt: skip
    return [held[name] for name in names]


def simulate(
    *,
    gate: Gate | None = None,
    graded: bool = False,
    sessions: int = 2000,
    rounds: int = 4,
    select_items: int = 1200,
    guard_items: int = 800,
    seed: int = 0,
) -> dict[str, Any]:
    """Run every claim through the gate and give parameters, figures and their 95 % intervals.

    The naive gate, the baseline, promotes whenever the candidate's score on the select items is higher.
    """
    gate, rng = gate or Gate(), np.random.default_rng(seed)
    alpha = spent_alpha(gate.alpha, 1, rounds)
    if graded:
        spread = World().disagreement
        gain = detectable(rng, changed=spread, accuracy=SELECT_ACCURACY, items=select_items, alpha=alpha)
    else:
        gain = detectable_gain(select_items, alpha=alpha)
    draw = _graded if graded else _exams
    figures: list[dict[str, Any]] = []
    for claim in (graded_claims if graded else claims)(gain, rounds):
        target_SR = draw(rng, claim.world, sessions=sessions, items=select_items)
        guards_SR = {
            name: draw(rng, claim.world, sessions=sessions, items=guard_items, loss=claim.world.loss if i == 0 else 0.0)
            for i, name in enumerate(GUARDS if claim.guarded else ())
        }
        seen = 0
        for session, target_R in enumerate(target_SR):
            guards_R = {name: exams_SR[session] for name, exams_SR in guards_SR.items()}
            seen += any(claim.holds(decision) for decision in _decisions(gate, target_R, guards_R, rounds=rounds))
        naive = sum(any(exam.gain > 0 for exam in exams_R) for exams_R in target_SR)
        figures.append(_figure(claim, seen, naive, sessions))
    return {
        "parameters": {
            "gate": gate.model_dump(), "sessions": sessions, "rounds": rounds, "select_items": select_items,
            "guard_items": guard_items, "guards": len(GUARDS), "seed": seed,
            "select_accuracy": SELECT_ACCURACY, "guard_accuracy": GUARD_ACCURACY, "spent_alpha": alpha,
            "graded": graded, "detectable_gain": gain,
        },
        "figures": figures,
    }  # fmt: skip


def drift(
    *,
    gate: Gate | None = None,
    since_start: bool,
    sessions: int = 1000,
    rounds: int = 4,
    items: int = 800,
    seed: int = 0,
) -> int:
    """Count sessions whose student ends worse on a guard than its first by the margin, losing `DRIFT` a promotion.

    Args:
        gate: what decides.
        since_start: whether the guard is compared with the first student too, as the product does.
        sessions: how many.
        rounds: candidates per session.
        items: items of the guard.
        seed: of the simulation.
    """
    gate, rng = gate or Gate(), np.random.default_rng(seed)
    ends = [_drifted(rng, gate, since_start=since_start, rounds=rounds, items=items) for _ in range(sessions)]
    return sum(promotions * DRIFT >= gate.margin for promotions in ends)


def _drifted(rng: np.random.Generator, gate: Gate, *, since_start: bool, rounds: int, items: int) -> int:
    """Promotions of one session, in which every candidate has a proven gain and a little loss."""
    first_I = rng.random(items) < GUARD_ACCURACY
    now_I, promotions = first_I, 0
    for round in range(1, rounds + 1):
        candidate_I = _decayed(rng, now_I)
        guards = {"guard": pair(now_I.tolist(), candidate_I.tolist())}
        if since_start and promotions:
            guards["guard since the start"] = pair(first_I.tolist(), candidate_I.tolist())
        if gate.decide(PROVEN, guards, round=round, rounds=rounds).promoted:
            now_I, promotions = candidate_I, promotions + 1
    return promotions


def _decayed(rng: np.random.Generator, right_I: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A guard's results after the usual churn and a loss of `DRIFT` on top."""
    churn = World().churn / 2
    wrong, right = np.flatnonzero(~right_I), np.flatnonzero(right_I)
    after_I = right_I.copy()
    after_I[rng.permutation(wrong)[: rng.binomial(right_I.size, churn)]] = True
    after_I[rng.permutation(right)[: rng.binomial(right_I.size, churn + DRIFT)]] = False
    return after_I


def drifts(*, sessions: int = 1000) -> dict[str, Any]:
    """How often small losses add up to the margin: with the comparison since the start, and naively without.

    Nothing is required: the guard's error is promised for one round, and here several are tested on the same
    items, where the luck of a promoted student carries over to its successors.
    """
    claim = Claim("guard losing 0.7 points a round ends 2 lower", World(rounds=4), promoted)
    seen, naive = (drift(since_start=compared, sessions=sessions) for compared in (True, False))
    return _figure(claim, seen, naive, sessions)


def smallest_guard(gate: Gate, *, churn: float, passing: float = 0.8, most: int = 2000) -> int | None:
    """Fewest items per guard, in tens, from which an unchanged model passes all guards this often; exact.

    Found downwards from `most`, since with whole items the chance does not rise smoothly; None if `most` is too few.
    """
    fewest = None
    for items in range(most, 0, -10):
        blocked = block_chance(items, 0.0, margin=gate.margin, alpha=gate.guard_alpha, disagreement=churn)
        if (1 - blocked) ** len(GUARDS) < passing:
            break
        fewest = items
    return fewest


def _harmful(churn: float) -> World:
    return World(gain=0.2, disagreement=0.3, loss=0.02, churn=churn)


def _exams(
    rng: np.random.Generator, world: World, *, sessions: int, items: int, loss: float | None = None
) -> list[list[Paired]]:
    """Exams of all sessions, by session and round: of a guard when `loss` is given, else of the select items."""
    if loss is None:
        accuracy, gained, lost = SELECT_ACCURACY, world.disagreement + world.gain, world.disagreement - world.gain
    else:
        accuracy, gained, lost = GUARD_ACCURACY, world.churn, world.churn + 2 * loss
    right_S1 = rng.binomial(items, accuracy, size=(sessions, 1))
    gained_SR = rng.binomial(items - right_S1, gained / 2 / (1 - accuracy), size=(sessions, world.rounds))
    lost_SR = rng.binomial(right_S1, lost / 2 / accuracy, size=(sessions, world.rounds))
    return [
        [Paired(g, n, items) for g, n in zip(gained_R, lost_R, strict=True)]
        for gained_R, lost_R in zip(gained_SR.tolist(), lost_SR.tolist(), strict=True)
    ]


def _graded(
    rng: np.random.Generator, world: World, *, sessions: int, items: int, loss: float | None = None
) -> list[list[Paired]]:
    """The same with graded scores."""
    gain, changed, accuracy = (
        (world.gain, world.disagreement, SELECT_ACCURACY) if loss is None else (-loss, world.churn, GUARD_ACCURACY)
    )
    return graded_exams(
        rng, gain=gain, changed=changed, accuracy=accuracy, sessions=sessions, rounds=world.rounds, items=items
    )


def _decisions(
    gate: Gate, target_R: Sequence[Paired], guards_R: Mapping[str, Sequence[Paired]], *, rounds: int
) -> Iterator[Decision]:
    """Decide round after round of one session."""
    for r, target in enumerate(target_R):
        guards = {name: exams_R[r] for name, exams_R in guards_R.items()}
        yield gate.decide(target, guards, round=r + 1, rounds=rounds)


def _figure(claim: Claim, seen: int, naive: int, sessions: int) -> dict[str, Any]:
    share = seen / sessions
    met = (claim.at_most is None or share <= claim.at_most) and (claim.at_least is None or share >= claim.at_least)
    # the naive gate has no guards, so a claim about guards alone has no baseline
    compared = claim.holds is promoted
    return {
        "claim": claim.name, "counted": claim.holds.__name__, "world": asdict(claim.world), "guarded": claim.guarded,
        "share": share, "interval": wilson(seen, sessions), "at_most": claim.at_most, "at_least": claim.at_least,
        "met": met, "naive": naive / sessions if compared else None,
        "naive_interval": wilson(naive, sessions) if compared else None,
    }  # fmt: skip


def _exact(gate: Gate, *, select_items: int, guard_items: int, alpha: float) -> dict[str, Any]:
    """What follows from the distributions alone, without simulation."""
    churns = (0.01, 0.02, 0.04)
    margin, guard_alpha = gate.margin, gate.guard_alpha

    def passes(churn: float, loss: float) -> float:
        return 1 - block_chance(guard_items, loss, margin=margin, alpha=guard_alpha, disagreement=churn)

    return {
        "detectable_gain": {
            str(d): detectable_gain(select_items, alpha=alpha, disagreement=d) for d in (0.1, 0.2, 0.3)
        },
        "detectable_loss": {
            str(c): detectable_loss(guard_items, margin=margin, alpha=guard_alpha, disagreement=c) for c in churns
        },
        "unchanged_passes_all": {str(c): passes(c, 0.0) ** len(GUARDS) for c in churns},
        "margin_lost_passes_one": {str(c): passes(c, margin) for c in churns},
        "smallest_guard": {str(c): smallest_guard(gate, churn=c) for c in churns},
    }


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def _table(figures: Sequence[dict[str, Any]], title: str = "what is true") -> str:
    lines = [f"{title:<46}{'gate':>8}  {'95 % interval':<18}{'required':<11}{'':<6}{'naive gate':>10}"]
    for f in figures:
        low, high = f["interval"]
        required = f"<= {f['at_most']:.0%}" if f["at_most"] else f">= {f['at_least']:.0%}" if f["at_least"] else "-"
        met = "" if required == "-" else "met" if f["met"] else "MISSED"
        line = f"{f['claim']:<46}{_percent(f['share']):>8}  {_percent(low) + ' to ' + _percent(high):<18}"
        lines.append(f"{line}{required:<11}{met:<6}{_percent(f['naive']):>10}")
    return "\n".join(lines)


def _checks(figures: Sequence[dict[str, Any]], prefix: str = "") -> list[Check]:
    bounded = [f for f in figures if f["at_most"] or f["at_least"]]
    return [
        Check(
            prefix + f["claim"],
            _percent(f["share"]),
            f"<= {f['at_most']:.0%}" if f["at_most"] else f">= {f['at_least']:.0%}",
            f["met"],
        )
        for f in bounded
    ]


def main(argv: Sequence[str] | None = None) -> list[Check]:
    """Simulate, print the table and keep the result."""
    argparse.ArgumentParser(prog="evolvent.benchmarks.gate", description=__doc__).parse_args(argv)
    start = time.perf_counter()
    result, graded = simulate(), simulate(graded=True, sessions=GRADED_SESSIONS)
    figures = [*result["figures"], drifts()]
    p = result["parameters"]
    exact = _exact(Gate(), select_items=p["select_items"], guard_items=p["guard_items"], alpha=p["spent_alpha"])
    checks = [*_checks(figures), *_checks(graded["figures"], "graded: ")]
    whole = {**result, "figures": figures, "exact": exact, "graded": graded}
    path = keep("gate", whole, checks, seconds=time.perf_counter() - start)
    print(_table(figures), *(f"{name}: {values}" for name, values in exact.items()), sep="\n")
    print(_table(graded["figures"], "what is true, graded scores"))
    print(f"graded detectable gain: {graded['parameters']['detectable_gain']:.4f}")
    print(f"{time.perf_counter() - start:.1f} s, written to {path}")
    return checks


if __name__ == "__main__":
    main()
