"""Whole sessions as a user runs them: `evolvent run scenarios/arithmetic.toml` per seed, and every promise checked.

Each seed gets a fresh cache, so that its first training is part of what is measured, and a process of its own, whose
wall time, CPU time and peak memory the kernel reports. `--twice` runs a seed again and compares data and decisions.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..memory.ledger import Ledger
from ..memory.records import Round, Share
from ..memory.spans import Spans
from ..scenarios import loader
from . import hole
from .machine import ROOT, Check, keep

Json = dict[str, Any]

COMMAND = Path(sys.executable).with_name("evolvent")
SCENARIO = ROOT / "scenarios" / "arithmetic.toml"
ABANDONED = "abandoned"
POINTS = 0.30
"""Macro gain that is promised on select and report."""
GUARD_LOSS = 0.02
ORCHESTRATION = 0.05
SECONDS = 300.0
GIB = 2.0
NOTHING: Mapping[str, str] = MappingProxyType({})


def main(argv: Sequence[str] | None = None) -> list[Check]:
    """Run the seeds, print and keep the result."""
    parser = argparse.ArgumentParser(prog="evolvent.benchmarks.session", description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--twice", type=int, help="run this seed again and compare")
    parser.add_argument("--scenario", type=Path, default=SCENARIO)
    parser.add_argument("--name", default="session", help="result goes to results/NAME.json")
    parser.add_argument("options", nargs="*", help="after --: passed on to evolvent run, e.g. -- --limit 40")
    options = parser.parse_args(argv)
    since = time.perf_counter()
    seeds: dict[int, Json] = {}
    for seed in options.seeds:
        seeds[seed] = session(options.scenario, seed, options.options)
        print(_line(seeds[seed]), flush=True)
    checks, again = judge(list(seeds.values())), None
    if options.twice is not None:
        twice: int = options.twice
        again = session(options.scenario, twice, options.options)
        checks += _same(seeds.get(twice) or session(options.scenario, twice, options.options), again)
    result = {"scenario": options.scenario.name, "options": options.options, "sessions": list(seeds.values())}
    path = keep(options.name, {**result, "again": again}, checks, seconds=time.perf_counter() - since)
    print("\n".join(c.line() for c in checks), f"\nwritten to {path}")
    return checks


def session(scenario: Path, seed: int, options: Sequence[str], *, within: Mapping[str, str] = NOTHING) -> Json:
    """Run one session with an empty cache and give its figures.

    Args:
        scenario: its file.
        seed: the session's.
        options: passed on to `evolvent run`.
        within: variables of its environment beside this one's.

    Raises:
        RuntimeError: it failed; with the end of what it said.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [str(COMMAND), "run", str(scenario), "--seed", str(seed), "--json", "--runs-dir", f"{folder}/runs"]
        environment = {**os.environ, "EVOLVENT_CACHE": f"{folder}/cache", **within}
        out, said = Path(folder, "out"), Path(folder, "said")
        since = time.perf_counter()
        with out.open("w") as stdout, said.open("w") as stderr:
            process = subprocess.Popen([*command, *options], stdout=stdout, stderr=stderr, env=environment)
            # of this child and its own children; RUSAGE_CHILDREN would mix the seeds
            _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - since
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"seed {seed}: exit code {process.returncode}: {said.read_text()[-2000:]}")
        done = json.loads(out.read_text().splitlines()[-1])
        return {
            "seed": seed,
            "wall_seconds": wall,
            "cpu_seconds": usage.ru_utime + usage.ru_stime,
            "peak_gib": usage.ru_maxrss / 2**20,
            **_figures(done, scenario, Path(done["dir"])),
        }


def judge(sessions: Sequence[Json]) -> list[Check]:
    """Check every promise; each has to hold for every seed."""
    select, report = _worst(sessions, "select"), _worst(sessions, "report")
    guards = [g for s in sessions for g in s["guards"].values()]
    noises = [n for s in sessions for n in s["noise"].values()]
    worse, fall = sum(g["worse"] for g in guards), min((g["change"] for g in guards), default=0.0)
    dropped = sum(n["abandoned_for_good"] for n in noises)
    spent = max((n["share"] / n["even"] for n in noises), default=0.0)
    wanted, holes = f">= +{100 * POINTS:.0f}", [s["planted"] for s in sessions if s["planted"]]
    closed, least = sum(h["closed"] for h in holes), min((h["rate"] for h in holes), default=0.0)
    orchestration = [s["shares"]["orchestration"] for s in sessions]
    claims: list[tuple[str, str, str, bool]] = [
        ("select, macro over learnable skills, worst seed", f"{100 * select:+.1f} points", wanted, select >= POINTS),
        ("sealed report, macro, worst seed", f"{100 * report:+.1f} points", wanted, report >= POINTS),
        ("guards significantly worse", str(worse), "0", worse == 0),
        ("largest fall of a guard", f"{100 * fall:+.2f} points", f">= -{100 * GUARD_LOSS:.0f}", fall >= -GUARD_LOSS),
        ("noise abandoned, floor only from then on", f"{dropped} of {len(noises)}", "all", dropped == len(noises)),
        ("noise, share of samples over its even share", f"{spent:.2f}x", "<= 1x", spent <= 1),
        ("planted hole found, fixed and closed", f"{closed} of {len(holes)}", "all", closed == len(holes)),
        _least("pass rate inside the hole, worst seed", least, hole.CLOSED, asked=bool(holes)),
        _most("orchestration, share of wall", orchestration, ORCHESTRATION, "{:.1%}"),
        _most("wall, first training included", [s["wall_seconds"] for s in sessions], SECONDS, "{:.0f} s"),
        _most("peak memory", [s["peak_gib"] for s in sessions], GIB, "{:.2f} GiB"),
    ]
    return [Check(*claim) for claim in claims]


def _worst(sessions: Sequence[Json], name: str) -> float:
    """Smallest gain of any seed; a session without a result counts as losing everything."""
    return min(s[name]["change"] if s[name] else -1.0 for s in sessions)


def _most(claim: str, values: Sequence[float], most: float, form: str) -> tuple[str, str, str, bool]:
    return claim, form.format(max(values)), "<= " + form.format(most), max(values) <= most


def _least(claim: str, value: float, least: float, *, asked: bool) -> tuple[str, str, str, bool]:
    return claim, f"{value:.1%}" if asked else "nothing planted", f">= {least:.0%}", not asked or value >= least


def _same(first: Json, again: Json) -> list[Check]:
    """Same seed, another process: the same data and the same decisions."""
    names = {"datasets": "data of every round, hashed", "students": "weights of every round", "decisions": "decisions"}
    same = {name: first[name] == again[name] for name in names}
    return [
        Check(f"seed {first['seed']} twice: {words}", "same" if same[name] else "different", "same", same[name])
        for name, words in names.items()
    ]


def _figures(done: Json, path: Path, run: Path) -> Json:
    """What a session promised something about."""
    scenario = loader.load(path)
    ledger = Ledger(run / "ledger.sqlite", read_only=True)
    rounds, shares = ledger.read(Round), ledger.read(Share)
    ledger.close()
    spans = Spans.open(run / "trace.sqlite")
    starts = sum(count for name, count, _, _ in spans.names() if name == "server start")
    spans.close()
    promoted = done["promoted"][-1] if done["promoted"] else None
    model = next((r.path for r in rounds if r.arm == "targeted" and r.number == promoted), None)
    planted = hole.planted(scenario)
    noise = [name for name, skill in scenario.skills.items() if skill.learnable is False]
    return {
        "limited": done["limited"],
        "select": _only(done["select"], "before", "after", "change", "low", "high"),
        "report": _only(done["report"], "before", "after", "change", "low", "high"),
        "guards": done["guards"],
        "noise": {name: _noise(name, shares, done["weaknesses"], len(scenario.skills)) for name in noise},
        "planted": hole.judge(planted, done, scenario, run, model) if planted else None,
        "control": _only(done["control"], "difference", "low", "high", "verdict", "compared", "targeted_samples",
                         "targeted_steps", "samples", "steps"),
        "shares": done["shares"],
        "server_starts": starts,
        "rounds": done["rounds"],
        "promoted": done["promoted"],
        "decisions": done["decisions"],
        "datasets": [[r.arm, r.number, r.dataset] for r in rounds],
        "students": [[r.arm, r.number, r.checkpoint] for r in rounds],
    }  # fmt: skip


def _only(found: Json | None, *names: str) -> Json | None:
    return None if found is None else {name: found[name] for name in names}


def _noise(skill: str, shares: Sequence[Share], weaknesses: Sequence[Json], skills: int) -> Json:
    """Samples a skill that cannot be learned got: by round, in all, and whether it was given up for good."""
    whole: Counter[int] = Counter()
    own: Counter[int] = Counter()
    given_up: dict[int, bool] = {}
    for share in shares:
        whole[share.round] += share.samples
        if share.skill == skill:
            own[share.round] += share.samples
            given_up[share.round] = given_up.get(share.round, True) and share.reason.startswith(ABANDONED)
    rounds = sorted(whole)
    first = next((r for r in rounds if given_up.get(r)), None)
    return {
        "by_round": {r: own[r] / whole[r] for r in rounds},
        "share": sum(own.values()) / max(1, sum(whole.values())),
        "even": 1 / skills,
        "abandoned_in": first,
        "abandoned_for_good": all(w["state"] == ABANDONED for w in weaknesses if w["skill"] == skill)
        and all(given_up.get(r, True) for r in rounds if first is not None and r >= first),
    }


def _line(found: Json) -> str:
    gains = "  ".join(
        f"{name} {found[name]['before']:.1%} -> {found[name]['after']:.1%}"
        for name in ("select", "report")
        if found[name]
    )
    control = f"  over even drawing {100 * found['control']['difference']:+.1f}" if found["control"] else ""
    shares = f"orchestration {found['shares']['orchestration']:.1%}"
    times = f"{found['wall_seconds']:.0f} s  {found['peak_gib']:.2f} GiB  {shares}"
    planted = found["planted"]
    inside = f"  hole {planted['state']}, {planted['rate']:.1%} inside" if planted else ""
    return f"seed {found['seed']}  {gains}{inside}{control}  {times}"


if __name__ == "__main__":
    main()
