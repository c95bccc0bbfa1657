"""The same sessions answered by a vLLM server and in this process: every decision compared, every disagreement listed.

Once with full weights and once with LoRA adapters, a session per seed and engine. The server has to carry a session
through every round without a second start. vLLM's CPU build computes no heads of 24, so the student has three of 32.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .machine import Check, keep
from .session import SCENARIO, session

Json = dict[str, Any]

STUDENT = ["--set", "student.heads=3"]
RANK = 64
FEW = ["--set", "rounds.samples=3000", "--set", "rounds.most=2"]
METHODS: dict[str, list[str]] = {
    "full": [],
    "lora": ["--set", f"trainer.lora.rank={RANK}", "--set", "trainer.learning_rate=5e-3", *FEW],
}
"""What a session sets for each kind of weights; an adapter learns from few samples much too slowly."""
SERVED: dict[str, list[str]] = {
    "full": ["--set", "student.engine.name=vllm"],
    "lora": ["--set", "student.engine.name=vllm", "--set", f"student.engine.rank={RANK}"],
}
COMPARED = ("promoted", "gained", "lost", "p_value", "guards")
"""What two decisions about the same round have to share."""


def main(argv: Sequence[str] | None = None) -> list[Check]:
    """Run the sessions, print and keep the result."""
    parser = argparse.ArgumentParser(prog="evolvent.benchmarks.engines", description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--name", default="engines", help="result goes to results/NAME.json")
    parser.add_argument("--scenario", type=Path, default=SCENARIO)
    options = parser.parse_args(argv)
    since = time.perf_counter()
    pairs: list[Json] = []
    for method in options.methods:
        for seed in options.seeds:
            pairs.append(pair(options.scenario, method, seed))
            print(_line(pairs[-1]), flush=True)
    checks = [check for method in options.methods for check in _judge(method, pairs)]
    path = keep(options.name, {"pairs": pairs}, checks, seconds=time.perf_counter() - since)
    print("\n".join(c.line() for c in checks), f"\nwritten to {path}")
    return checks


def pair(scenario: Path, method: str, seed: int) -> Json:
    """Run a session on both engines and compare them round by round."""
    own = session(scenario, seed, [*STUDENT, *METHODS[method]])
    served = session(scenario, seed, [*STUDENT, *METHODS[method], *SERVED[method]])
    return {
        "method": method,
        "seed": seed,
        "starts": served["server_starts"],
        "same_data": own["datasets"] == served["datasets"],
        "same_students": own["students"] == served["students"],
        "disagreements": disagreements(own["decisions"], served["decisions"]),
        "own": own,
        "served": served,
    }


def disagreements(own: Sequence[Json], served: Sequence[Json]) -> list[Json]:
    """List what differs, by round; a decision that only one session made differs in everything."""
    ours, theirs = ({d["round"]: d for d in decisions} for decisions in (own, served))
    return [
        {"round": number, "what": what, "own": one.get(what), "served": other.get(what)}
        for number in sorted(ours.keys() | theirs.keys())
        for one, other in [(ours.get(number, {}), theirs.get(number, {}))]
        for what in COMPARED
        if one.get(what) != other.get(what)
    ]


def _judge(method: str, pairs: Sequence[Json]) -> list[Check]:
    mine = [p for p in pairs if p["method"] == method]
    rounds = sum(len(p["own"]["decisions"]) for p in mine)
    promotions = sum(d["what"] == "promoted" for p in mine for d in p["disagreements"])
    differing = sum(len({d["round"] for d in p["disagreements"]}) for p in mine)
    starts = max(p["starts"] for p in mine)
    return [
        Check(f"{method}: starts of the server in a whole session", str(starts), "1", starts == 1),
        Check(f"{method}: promotions that differ", f"{promotions} of {rounds}", "0", promotions == 0),
        Check(f"{method}: decisions with any other figure", f"{differing} of {rounds}", "0", differing == 0),
    ]


def _line(found: Json) -> str:
    promoted, wall = found["served"]["promoted"], (found["own"]["wall_seconds"], found["served"]["wall_seconds"])
    differ = f"{len(found['disagreements'])} differences" if found["disagreements"] else "every decision the same"
    times = f"{wall[0]:.0f} s in process, {wall[1]:.0f} s served, {found['starts']} start(s)"
    return f"{found['method']} seed {found['seed']}  promoted {promoted}  {differ}  {times}"


if __name__ == "__main__":
    main()
