"""SCAN: the *add jump* split by the shipped scenario, the *length* split, and *jump* taught by invented verbs alone.

A session's exams are half of a published test split by a hash of the commands; its teacher may write from the other
half. What the student answers is counted over the whole of that half, and over the published test split where a
session teaches nothing of it. The first training, once for every seed, is not in the time.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from statistics import fmean
from typing import Any, NamedTuple

from ..agents.desk import BASE
from ..agents.parts import Parts
from ..memory.inference import Request
from ..memory.ledger import Ledger
from ..memory.reading import Run
from ..memory.records import Fate, Round, Sample, Task
from ..scenarios import loader
from ..scenarios.splits import Part, Splits
from ..training.engines.transformers import Transformers
from .machine import ROOT, Check, keep

Json = dict[str, Any]

COMMAND = Path(sys.executable).with_name("evolvent")
SCENARIO = ROOT / "scenarios" / "scan.toml"
HELD: tuple[Part, ...] = ("exam", "report")
FREE: tuple[Part, ...] = ("probe", "train")
WANTED, SHARE, SECONDS = 0.95, 0.1, 15 * 60
"""What the scenario must come to, of how much of the free half, in which time."""
INVENTED = ("dax", "fep", "zup", "gip")
LONGEST = 52
"""Tokens of an answer: actions of the longest command, and an end."""


class Case(NamedTuple):
    """A session, and what of it is counted."""

    changes: Mapping[str, str]
    """Lines of the shipped scenario and what stands there instead."""
    target: str
    """Settings of the commands that are counted."""
    taught: bool
    """Whether a session may teach some of these, so that half are counted."""


JUMP = '{ having = ["jump"], words = [2, 9] }'
LONG = "{ actions = [23, 48] }"
CASES: Mapping[str, Case] = {
    "jump": Case({}, JUMP, taught=True),
    "length": Case(
        {
            "[skills.jump]": "[skills.long]",
            JUMP: LONG,
            '{ lacking = ["jump"], besides = ["jump"] }': "{ actions = [1, 22] }",
            "select = 1800": "select = 900",
            "sealed = 1800": "sealed = 900",
            "samples = 5112": "samples = 6600",
            # a tenth of 1,960 in three rounds
            "samples = 1024": "samples = 520",
        },
        LONG,
        taught=True,
    ),
    "invented": Case(
        {
            'spelling = "letters"': f'spelling = "letters"\ninvented = {json.dumps(INVENTED)}',
            "[skills.jump]": "[skills.invented]",
            JUMP: f'{{ having = {json.dumps(INVENTED)}, lacking = ["jump"], words = [2, 9] }}',
            '{ lacking = ["jump"], besides = ["jump"] }': "{ "
            f"lacking = {json.dumps(['jump', *INVENTED])}, besides = {json.dumps(['jump', *INVENTED])} }}",
        },
        JUMP,
        taught=False,
    ),
}


def main(argv: Sequence[str] | None = None) -> list[Check]:
    """Run the sessions, print and keep the result."""
    parser = argparse.ArgumentParser(prog="evolvent.benchmarks.scan", description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--cases", nargs="+", choices=list(CASES), default=list(CASES))
    options = parser.parse_args(argv)
    found: list[Check] = []
    for name in options.cases:
        since = time.perf_counter()
        runs = [session(name, CASES[name], seed) for seed in options.seeds]
        checks = judge(name, runs)
        path = keep(f"scan_{name}", {"sessions": runs}, checks, seconds=time.perf_counter() - since)
        print("\n".join(c.line() for c in checks), f"\nwritten to {path}", flush=True)
        found += checks
    return found


def session(name: str, case: Case, seed: int) -> Json:
    """Run one session, and ask its first student and the last one."""
    with tempfile.TemporaryDirectory() as folder:
        scenario = Path(folder) / "scan.toml"
        scenario.write_text(_changed(SCENARIO.read_text(), case.changes))
        command = [str(COMMAND), "run", str(scenario), "--seed", str(seed), "--json", "--runs-dir", folder]
        said = subprocess.run([*command, "--set", "control=false"], stdout=subprocess.PIPE, text=True, check=True)
        done = json.loads(said.stdout.splitlines()[-1])
        found = measure(Path(done["dir"]), scenario, case, seed=seed, promoted=done["promoted"])
        found |= {"seed": seed, "promoted": done["promoted"], "guards": done["guards"]}
        found |= {"seconds": done["wall_seconds"] - found["first_training"]}
        print(name, json.dumps(found), flush=True)
        return found


def measure(run: Path, scenario: Path, case: Case, *, seed: int, promoted: Sequence[int]) -> Json:
    """Count right answers to the commands that are counted, and what was taught of the others."""
    loaded = loader.load(scenario)
    splits = Splits(loaded, Parts.resolve(loaded, "scan").source, seed)
    every = [task for part in (*HELD, *FREE) for task in _drawn(splits, case, part)]
    held = [task for part in HELD for task in _drawn(splits, case, part)] if case.taught else every
    ledger = Ledger(run / "ledger.sqlite", read_only=True)
    samples = {s.id: s for s in ledger.read(Sample, subject="targeted")}
    kept = {samples[f.sample].task.key for f in ledger.read(Fate) if f.kept and f.sample in samples}
    paths = {r.number: r.path for r in ledger.read(Round) if r.arm == "targeted"}
    ledger.close()
    with Run.load(run) as record:
        spans = record.spans().to_pylist()
    keys = {task.key for task in every}
    asked = {task.key for task in held}
    last = paths[promoted[-1]] if promoted else BASE
    return {
        "counted": len(held),
        "before": _right(run / BASE, held),
        "after": _right(run / last, held),
        "taught": len(kept & keys),
        "share": len(kept & keys) / max(1, len(keys - asked)),
        "leaked": len(kept & asked),
        "first_training": sum(one["seconds"] for one in spans if one["name"] == "first training"),
    }


def judge(name: str, runs: Sequence[Json]) -> list[Check]:
    """What the scenario must show; the two harder sessions are reported whatever comes out."""
    before, after = (" ".join(f"{100 * r[when]:.1f}" for r in runs) for when in ("before", "after"))
    mean = fmean(r["after"] for r in runs)
    leaked = sum(r["leaked"] for r in runs)
    checks = [Check(f"{name}: counted commands among those taught", str(leaked), "0", leaked == 0)]
    if name != "jump":
        return [Check(f"{name}: exact match, seeds", f"{before} -> {after} %", "said plainly", True), *checks]
    worst, most = max(r["share"] for r in runs), max(r["seconds"] for r in runs)
    reached = all(r["after"] >= WANTED for r in runs)
    return [
        Check(f"{name}: exact match, seeds", f"{before} -> {after} % (mean {100 * mean:.1f})", ">= 95 %", reached),
        Check(f"{name}: share of the other half that is taught", f"{worst:.1%}", "<= 10 %", worst <= SHARE),
        Check(f"{name}: longest session", f"{most:.0f} s", f"<= {SECONDS} s", most <= SECONDS),
        *checks,
    ]


def _changed(text: str, changes: Mapping[str, str]) -> str:
    for old, new in changes.items():
        if text.count(old) != 1:
            raise ValueError(f"{SCENARIO}: {old!r} stands there {text.count(old)} times, not once")
        text = text.replace(old, new)
    return text


def _drawn(splits: Splits, case: Case, part: Part) -> list[Task]:
    """All counted commands of one part, in the order of their keys."""
    kind = tomllib.loads(f"task = {case.target}")["task"]
    source = splits.source
    drawn = source.draw("counted", kind, source.size("counted", kind), Random(0), allowed=splits.only(part))
    return sorted(drawn, key=lambda task: task.key)


def _right(model: Path, tasks: Sequence[Task]) -> float:
    engine = Transformers().open(model)
    answers = asyncio.run(engine.answer([Request(task.prompt, LONGEST) for task in tasks]))
    engine.close()
    return fmean(answer.text == task.answer for answer, task in zip(answers, tasks, strict=True))


if __name__ == "__main__":
    main()
