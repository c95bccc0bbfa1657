"""Whether a session survives being killed anywhere: many small sessions, and a few of full size.

Every kill is SIGKILL to the whole process group of a real `evolvent` command, at every named crash point and at moments
spread over the session by the progress of its ledger; some sessions die several times. What a session comes to in the
end is compared with one nobody touched: ids of all records, datasets, checkpoints, decisions, effects and memory.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any

from ..memory.crash import POINTS
from ..tests.killing import MINI, Json, Kill, Trial, trial, untouched
from .machine import RESULTS, ROOT, Check, facts

RESULT = RESULTS / "kills.json"
FULL = ROOT / "scenarios" / "arithmetic.toml"
DEEPEST = {
    "train.before_seal": 3, "effect.before_publish": 3, "effect.after_publish": 3, "index.before_upsert": 2,
    "index.after_upsert": 2, "report.before_write": 1,
}  # fmt: skip
"""Times the rarer points are surely passed by one process."""
OFTEN = 16
"""Times every other point is surely passed."""
ALWAYS = (
    "effect.before_intent",
    "effect.after_intent",
    "effect.before_commit",
    "effect.after_commit",
    "graph.after_node",
)
"""Points that a resumed process passes at once."""
MOST_LATER = 0.4
"""Seconds that a kill by progress may come after its effect was committed; a mini round trains for about as long."""


def planned(kills: int, effects: int, rng: Random) -> list[list[Kill]]:
    """Spread kills over sessions: half at crash points, each of them at least once, half by progress.

    Args:
        kills: how many; fewer than there are crash points leave some out.
        effects: how many effects an untouched session commits.
        rng: fixes which.
    """
    alone = [[Kill(point, rng.randint(1, DEEPEST.get(point, OFTEN)))] for point in POINTS]
    twice = [
        [Kill(point, rng.randint(1, DEEPEST.get(point, OFTEN))), Kill(rng.choice(ALWAYS), rng.randint(1, 2))]
        for point in rng.choices(
            [p for p in POINTS if p != "report.before_write"], k=max(0, kills // 2 - len(POINTS)) // 2
        )
    ]
    named = [*alone, *twice][:kills]
    rest = kills - sum(map(len, named))
    left = [
        Kill(count=1 + index * (effects - 2) // max(1, rest - 1), later=round(rng.uniform(0, MOST_LATER), 3))
        for index in range(rest)
    ]
    while left:
        # in order, so that the later ones are still ahead when the session is resumed
        session = sorted(rng.sample(left, min(len(left), 1 + len(left) % 3)), key=lambda kill: kill.count)
        left = [kill for kill in left if kill not in session]
        named.append(session)
    return named


def told(trial: Trial, problems: list[str]) -> Json:
    """One killed session as JSON."""
    kills = [
        {"at": str(kill), "code": code, "hit": code == kill.code, "unfinished": list(stood)}
        for kill, code, stood in zip(trial.kills, trial.codes, trial.stood, strict=False)
    ]
    return {"kills": kills, "seconds": round(trial.seconds, 1), "problems": problems}


def attempt(number: int, kills: Sequence[Kill], scenario: Path, whole: Json, folder: Path) -> Json:
    """Kill one session, in a folder of its own with everybody's cache, and compare it with the untouched one."""
    own = folder / str(number)
    own.mkdir()
    (own / "cache").symlink_to(folder / "cache")
    try:
        done = trial(own, kills, scenario)
        said = told(done, done.problems(whole))
    except RuntimeError as error:
        said = {"kills": [{"at": str(kill)} for kill in kills], "problems": [str(error)]}
    print(number, ", ".join(map(str, kills)), said["problems"] or "as untouched", flush=True)
    return said


def suite(scenario: Path, sessions: Sequence[Sequence[Kill]], whole: Json, folder: Path, *, at_once: int) -> Json:
    """Kill sessions, some at the same time."""
    with ThreadPoolExecutor(at_once) as pool:
        dealt_out = [pool.submit(attempt, *item, scenario, whole, folder) for item in enumerate(sessions, 1)]
        trials = [one.result() for one in dealt_out]
    dealt = [kill for one in trials for kill in one["kills"]]
    return {
        "scenario": scenario.name,
        "kills": len(dealt),
        "hit": sum(kill.get("hit", False) for kill in dealt),
        "sessions": len(trials),
        "sessions_as_untouched": sum(not one["problems"] for one in trials),
        "by_point": dict(Counter(kill["at"].partition(":")[0] for kill in dealt if kill.get("hit"))),
        "untouched": whole,
        "trials": trials,
    }


def full_kills(count: int, effects: int) -> list[list[Kill]]:
    """One kill per session of full size, evenly over its effects, in the middle of what follows."""
    return [[Kill(count=max(1, (index + 1) * effects // (count + 1)), later=2.0)] for index in range(count)]


def checks(found: Json) -> list[Check]:
    """What is promised of one suite."""
    name, kills, sessions = found["scenario"], found["kills"], found["sessions"]
    same, points = found["sessions_as_untouched"], len(found["by_point"].keys() & set(POINTS))
    lines = [
        Check(f"{name}: kills that hit", f"{found['hit']} of {kills}", f"{kills}", found["hit"] == kills),
        Check(f"{name}: killed sessions as untouched", f"{same} of {sessions}", f"{sessions}", same == sessions),
    ]
    if kills >= 2 * len(POINTS):
        lines.append(Check(f"{name}: crash points visited", f"{points}", f"{len(POINTS)}", points == len(POINTS)))
    return lines


def main(argv: Sequence[str] | None = None) -> list[Check]:
    """Kill, compare and keep the figures."""
    parser = argparse.ArgumentParser(prog="python -m evolvent.benchmarks.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="kills of small sessions")
    parser.add_argument("--full", type=int, default=3, help="kills of sessions of full size, one each")
    parser.add_argument("--at-once", type=int, default=2, help="sessions at the same time")
    parser.add_argument("--out", type=Path, default=RESULT)
    options = parser.parse_args(argv)
    since, found, lines = time.perf_counter(), dict[str, Any](), list[Check]()
    with tempfile.TemporaryDirectory() as folder:
        for name, scenario in (("mini", MINI), ("full", FULL)):
            if not (options.kills if name == "mini" else options.full):
                continue
            place = Path(folder, name)
            place.mkdir()
            whole = untouched(place, scenario)
            effects = len(whole["order"])
            kills = planned(options.kills, effects, Random(0)) if name == "mini" else full_kills(options.full, effects)
            found[name] = suite(scenario, kills, whole, place, at_once=options.at_once)
            lines += checks(found[name])
    made = {**facts(), "seconds": round(time.perf_counter() - since, 1)}
    result = {**found, "checks": [asdict(check) for check in lines], "made": made}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    print("\n".join(check.line() for check in lines))
    print(f"written to {options.out}")
    return lines


if __name__ == "__main__":
    sys.exit(not all(check.met for check in main()))
