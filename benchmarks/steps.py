"""What a step of the loop costs besides its work, from round 1 to 20 and with 0 to 50,000 samples in the ledger.

The graph, its router, checkpoints, pruning, spans, effects and ledger are the product's, through `graph.advance`; the
nodes are stand-ins that record two small records through `effects.once` and decide as a session would. Two figures per
step: `between`, from the end of one node to the start of the next (LangGraph, checkpoint, pruning), and `effect`, one
exactly-once effect with its two synchronous commits. Then, on the same ledger, what real nodes read every round.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from ..agents import graph
from ..agents.desk import Desk
from ..agents.lives import histories
from ..agents.node import Node, State, Update
from ..agents.parts import Parts
from ..agents.reports.watcher import Nobody
from ..memory.effects import Outcome
from ..memory.records import Fate, Probe, Promotion, Sample, Session, Task
from ..scenarios.loader import parse
from .machine import Check, keep, median_and_range

ROUNDS = 20
SIZES = (0, 5_000, 50_000)
FLAT = 1.5
"""Largest growth of the cost of a step, in rounds and in stored samples."""
READ = 50.0
"""Milliseconds a round may spend on its histories, however much is stored."""
BATCH = 5_000
SKILLS = ("subtract", "multiply")
SCENARIO: dict[str, Any] = {
    "name": "steps",
    "source": "arithmetic",
    "skills": {
        "add": {"guard": True, "task": {"operation": "add"}},
        **{skill: {"task": {"operation": skill}} for skill in SKILLS},
    },
    "rounds": {"most": ROUNDS},
}


class Idle(Node):
    """A node that does next to nothing, exactly once."""

    place: str
    times: ClassVar[list[tuple[str, int, float, float, float, float]]] = []
    """Node, round, wall at start and end, CPU at start and end."""

    async def run(self, state: State, desk: Desk) -> Update:
        """Record one record and go where a session goes."""
        wall, cpu, round = time.perf_counter(), time.process_time(), state.get("round", 0)

        async def work() -> Outcome:
            settings = {"round": round, "passed": 1, "tried": 2, "chance": 0.0, "verdict": "failing"}
            shown = [Probe.model_validate({"skill": skill, **settings}) for skill in SKILLS]
            return Outcome({"done": True}, shown)

        await desk.effects.once(self.place, round, work, inputs={})
        self.times.append((self.place, round, wall, time.perf_counter(), cpu, time.process_time()))
        if self.place == "baseline":
            return Update(round=1, student="s", path="base", attempt=0, missing=0, finished=False)
        if self.place == "diagnose":
            return Update(finished=round > ROUNDS)
        if self.place == "reflect":
            return Update(round=round + 1, candidate="", candidate_path="")
        return Update(approved=True) if self.place == "review" else Update()


def main(argv: Sequence[str] | None = None) -> list[Check]:
    """Measure, print and keep the result."""
    parser = argparse.ArgumentParser(prog="evolvent.benchmarks.steps", description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args(argv)
    since = time.perf_counter()
    runs: dict[int, list[dict[str, Any]]] = {size: [] for size in SIZES}
    measure(0)  # imports
    for _ in range(options.repeats):
        for size in SIZES:
            runs[size].append(measure(size))
    result = {str(size): _merge(own) for size, own in runs.items()}
    checks = _checks(result)
    print(_table(result))
    path = keep("steps", {"sizes": result, "repeats": options.repeats}, checks, seconds=time.perf_counter() - since)
    print("\n".join(c.line() for c in checks), f"\nwritten to {path}")
    return checks


def measure(size: int) -> dict[str, Any]:
    """Run 20 rounds on a ledger that holds this many samples before the first."""
    scenario = parse(SCENARIO, where="steps")
    session = Session(
        name="steps", scenario=scenario.hash, seed=0, limit=None, graph=graph.fingerprint(), settings={"source": ""}
    )
    real = graph.nodes
    with tempfile.TemporaryDirectory() as folder:
        parts = Parts.resolve(scenario, "steps")
        desk = Desk.create(Path(folder), scenario, parts, session, toml="", stamp="now", watcher=Nobody())
        try:
            graph.nodes = lambda: {name: Idle(place=name) for name in real()}
            fill(desk, size)
            Idle.times.clear()
            asyncio.run(graph.advance(desk))
            return {**_steps(), "reads": _reads(desk)}
        finally:
            graph.nodes = real
            desk.close()


def fill(desk: Desk, size: int) -> None:
    """Store samples and their fates as earlier rounds would have, through the effect ledger."""
    for start in range(0, size, BATCH):
        samples = [_sample(i) for i in range(start, min(size, start + BATCH))]
        fates = [Fate(sample=s.id, round=0, kept=i % 20 > 0, reason="kept") for i, s in enumerate(samples)]
        key = f"fill {start}"
        desk.ledger.intend(key, key, 0)
        desk.ledger.commit(key, {}, [*samples, *fates], 0.0, meta={})
    promotion = Promotion(
        round=0, incumbent="a", candidate="b", promoted=True, reason="", alpha=0.0, gained=0, lost=0, p_value=0.0,
        guards={},
    )  # fmt: skip
    desk.ledger.intend("promoted", "promoted", 0)
    desk.ledger.commit("promoted", {}, [promotion], 0.0, meta={})


def _sample(i: int) -> Sample:
    skill = SKILLS[i % len(SKILLS)]
    task = Task(
        skill=skill, prompt=f"{i}-1", answer=str(i - 1), key=f"{skill}:{i},1", features=("digits 5", "borrow 1")
    )
    return Sample(
        task=task, arm="targeted", round=0, weakness=f"{i % 7:016x}", failures=("0" * 16, "1" * 16), teacher="program",
        recipe="drawn under the rule of a weakness",
    )  # fmt: skip


def _steps() -> dict[str, Any]:
    """Milliseconds per step by round; the first step of a session has no predecessor and is left out."""
    between: dict[int, list[float]] = {}
    cpu: dict[int, list[float]] = {}
    effect: dict[int, list[float]] = {}
    for before, after in zip(Idle.times, Idle.times[1:], strict=False):
        if 1 <= after[1] <= ROUNDS:
            between.setdefault(after[1], []).append(1000 * (after[2] - before[3]))
            cpu.setdefault(after[1], []).append(1000 * (after[4] - before[5]))
            effect.setdefault(after[1], []).append(1000 * (after[3] - after[2]))
    named = {"between": between, "between_cpu": cpu, "effect": effect}
    return {name: [_middle(by[r]) for r in sorted(by)] for name, by in named.items()}


def _reads(desk: Desk) -> dict[str, float]:
    """Milliseconds of what nodes read: three histories a round, the round's own samples, all that is trained on."""
    readers: dict[str, Callable[[], object]] = {
        "first histories of a process": lambda: histories(desk.ledger, SKILLS),
        "histories": lambda: histories(desk.ledger, SKILLS),
        "samples of one round": lambda: desk.ledger.read(Sample, round=ROUNDS),
        "everything kept": lambda: desk.kept(),
    }
    found: dict[str, float] = {}
    for name, read in readers.items():
        since = time.perf_counter()
        read()
        found[name] = 1000 * (time.perf_counter() - since)
    return found


def _merge(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The smallest of the repeats: a machine that does other things only ever adds time."""
    figures = {
        name: [min(values) for values in zip(*(r[name] for r in runs), strict=True)]
        for name in ("between", "between_cpu", "effect")
    }
    reads = {name: min(r["reads"][name] for r in runs) for name in runs[0]["reads"]}
    return {**figures, "reads": reads}


def _late_over_early(by_round: Sequence[float]) -> float:
    """Median of the last five rounds over that of the first five."""
    return _middle(by_round[-5:]) / _middle(by_round[:5])


def _middle(values: Sequence[float]) -> float:
    return median_and_range(values)["median"]


def _checks(result: dict[str, Any]) -> list[Check]:
    small, large = result[str(SIZES[0])], result[str(SIZES[-1])]
    checks: list[Check] = []
    for name in ("between", "effect"):
        rounds = max(_late_over_early(own[name]) for own in result.values())
        sizes = _middle(large[name]) / _middle(small[name])
        checks += [
            Check(f"{name}: rounds 16-20 over 1-5, worst size", f"{rounds:.2f}x", f"<= {FLAT}x", rounds <= FLAT),
            Check(f"{name}: 50,000 stored samples over none", f"{sizes:.2f}x", f"<= {FLAT}x", sizes <= FLAT),
        ]
    read = 3 * large["reads"]["histories"]
    return [
        *checks,
        Check("three histories a round at 50,000 samples", f"{read:.0f} ms", f"<= {READ:.0f} ms", read <= READ),
    ]


def _table(result: dict[str, Any]) -> str:
    shown = [1, 2, 5, 10, 15, 20]
    lines = [f"{'ms per step':<30}" + "".join(f"{f'round {r}':>10}" for r in shown) + f"{'median':>9}{'CPU':>8}"]
    for size, own in result.items():
        for name in ("between", "effect"):
            cpu = f"{_middle(own['between_cpu']):>8.2f}" if name == "between" else ""
            values = "".join(f"{own[name][r - 1]:>10.2f}" for r in shown)
            lines.append(f"{name + ', ' + size + ' samples':<30}{values}{_middle(own[name]):>9.2f}{cpu}")
        reads = ", ".join(f"{n} {v:.1f}" for n, v in own["reads"].items())
        lines.append(f"  reads, ms: {reads}")
    return "\n".join([*lines, f"load {os.getloadavg()[0]:.1f}"])


if __name__ == "__main__":
    main()
