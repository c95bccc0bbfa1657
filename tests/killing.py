"""Kills real sessions and says whether anything was lost, doubled or decided differently.

A session runs as the `evolvent` command in a process group of its own. It is killed with SIGKILL at a named crash point
or when its ledger has got so far, then resumed, perhaps killed again, until it is done. What counts is compared with a
session nobody touched: not sums but the ids of all records, which are hashes of their content.
"""

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from ..memory import crash, files
from ..memory.stores.chroma import Chroma

Json = dict[str, Any]

COMMAND = Path(sys.executable).with_name("evolvent")
MINI = Path(__file__).with_name("mini.toml")
PATIENCE = 900.0
"""Seconds a process may take before it counts as stuck."""
POLL = 0.003
"""Seconds between two looks into the ledger."""


@dataclass(frozen=True, slots=True)
class Kill:
    """When a process dies: at a crash point, or some time after its ledger holds so many committed effects."""

    point: str = ""
    count: int = 1
    """Which passing of the point, or how many effects."""
    later: float = 0.0
    """Seconds after the ledger got there."""
    number: signal.Signals = signal.SIGKILL
    """Signal that is sent when the ledger got there; a crash point is always SIGKILL."""
    when: Callable[[], bool] | None = None
    """Something else to wait for, once there is a run."""

    @property
    def code(self) -> int:
        """Exit code it should lead to: `evolvent` handles the other signals."""
        return -9 if self.number == signal.SIGKILL else 128 + self.number

    def __str__(self) -> str:
        if self.when:
            return "a moment of its own"
        return f"{self.point}:{self.count}" if self.point else f"effects:{self.count}+{1000 * self.later:.0f}ms"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended."""

    code: int
    events: tuple[Json, ...]
    """What it wrote to standard output."""
    said: str
    """What it wrote to standard error."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Kept:
    """What a run has acknowledged at one moment: none of it may change or go."""

    records: Mapping[str, str]
    """Body by kind and id."""
    effects: Mapping[str, tuple[Any, ...]]
    """Row by key, of those committed."""
    intents: tuple[str, ...]
    """Steps begun and not committed."""
    sealed: Mapping[str, tuple[str, int]]
    """Seal of every whole round, and when it was written, in nanoseconds."""
    parts: Mapping[str, str]
    """Digest of every part of the vector memory."""


def session(
    *arguments: str | Path, folder: Path, kill: Kill | None = None, environment: Mapping[str, str] | None = None
) -> Ended:
    """Run the command in a process group of its own, and kill the group if told to.

    Args:
        arguments: of the `evolvent` command.
        folder: the working folder; runs go to `runs` in it, first-trained students to `cache`.
        kill: when to kill it.
        environment: on top of this process's.
    """
    variables = {**os.environ, "EVOLVENT_CACHE": str(folder / "cache"), "EVOLVENT_RUNS_DIR": str(folder / "runs")}
    variables |= {"TERM": "dumb", **(environment or {})}
    variables.pop(crash.VARIABLE, None)
    if kill and kill.point:
        variables[crash.VARIABLE] = f"{kill.point}:{kill.count}"
    before, since = runs(folder), time.perf_counter()
    resumed = Path(arguments[1]) if arguments[0] == "resume" else None
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            [COMMAND, *arguments], stdout=out, stderr=err, cwd=folder, env=variables, start_new_session=True
        )
        try:
            if kill and not kill.point:
                _watch(process, kill, lambda: resumed or newest(folder, before))
            code = process.wait(PATIENCE)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        out.seek(0)
        err.seek(0)
        lines, said = out.read().decode().splitlines(), err.read().decode()
    events = tuple(json.loads(line) for line in lines if line.startswith("{"))
    return Ended(code, events, said, time.perf_counter() - since)


def runs(folder: Path) -> list[Path]:
    """Runs in a working folder, oldest first."""
    return sorted((folder / "runs").glob("*"))


def newest(folder: Path, before: Sequence[Path]) -> Path | None:
    """Run that was not there before."""
    return next((run for run in runs(folder) if run not in before), None)


def _watch(process: subprocess.Popen[bytes], kill: Kill, where: Callable[[], Path | None]) -> None:
    """Wait until the run has so many effects, then kill the group."""
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        run = where()
        if run and (kill.when() if kill.when else committed(run) >= kill.count):
            time.sleep(kill.later)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, kill.number)
            return
        time.sleep(POLL)


def committed(run: Path) -> int:
    """Effects a run has committed so far, looked up without touching the file."""
    with contextlib.suppress(sqlite3.DatabaseError), _reading(run) as database:
        return int(database.execute("select count(*) from effects where status = 'committed'").fetchone()[0])
    return 0


def _reading(run: Path) -> contextlib.closing[sqlite3.Connection]:
    return contextlib.closing(sqlite3.connect(f"{(run / 'ledger.sqlite').resolve().as_uri()}?mode=ro", uri=True))


def look(run: Path) -> Kept:
    """Write down what a run has acknowledged."""
    with _reading(run) as database:
        records = {f"{kind} {id}": body for kind, id, body in database.execute("select kind, id, body from records")}
        effects = database.execute(
            "select key, name, round, status, result, seconds from effects order by rowid"
        ).fetchall()
    rounds = [f for f in (run / "rounds").glob("*") if files.verify(f)]
    return Kept(
        records=records,
        effects={row[0]: row[1:] for row in effects if row[3] == "committed"},
        intents=tuple(f"{row[1]} of round {row[2]}" for row in effects if row[3] != "committed"),
        sealed={
            f.name: ((f / files.COMPLETE).read_text(), (f / files.COMPLETE).stat().st_mtime_ns) for f in rounds
        },
        parts={p.name: files.file_digest(p) for p in (run / "memory" / "vectors").glob("*.parquet")},
    )  # fmt: skip


def lost(before: Kept, after: Kept) -> list[str]:
    """Everything acknowledged before that is missing or different after: it must be nothing."""
    found = [f"{key} is gone or changed" for key, body in before.records.items() if after.records.get(key) != body]
    found += [
        f"effect {row[:2]} happened again" for key, row in before.effects.items() if after.effects.get(key) != row
    ]
    found += [
        f"round {name} was trained again" for name, seal in before.sealed.items() if after.sealed.get(name) != seal
    ]
    found += [f"part {name} changed" for name, content in before.parts.items() if after.parts.get(name) != content]
    return found


def figures(run: Path, done: Json) -> Json:
    """What a finished session came to, free of clocks and names."""
    kept = look(run)
    rounds = [json.loads(body) for key, body in kept.records.items() if key.startswith("round ")]
    return {
        "dataset_hash": done["dataset_hash"],
        "promotions": [[d["round"], d["promoted"], d["candidate"]] for d in done["decisions"]],
        "rounds": sorted([r["arm"], r["number"], r["dataset"], r["checkpoint"]] for r in rounds),
        "select": done["select"],
        "report": done["report"],
        "records": files.digest(sorted(kept.records), length=64),
        "counts": _counts(kept),
        "order": [[name, number] for name, number, *_ in kept.effects.values()],
        "effects": files.digest([_untimed(result) for *_, result, _ in kept.effects.values()], length=64),
        "memory": memory(run),
        "unfinished": list(kept.intents),
        "staging": sorted(p.name for p in (run / "staging").iterdir()),
        "temporary": sorted(str(p.relative_to(run)) for p in run.rglob(".*.tmp")),
    }


def _counts(kept: Kept) -> dict[str, int]:
    kinds = sorted({key.split()[0] for key in kept.records})
    return {kind: sum(key.startswith(f"{kind} ") for key in kept.records) for kind in kinds}


def _untimed(result: str) -> Json:
    """What an effect came to, without how long it trained."""
    return {key: value for key, value in json.loads(result).items() if key != "seconds"}


def memory(run: Path) -> Json:
    """Entries in the parts, and whether the index holds each of their places once; the run is not touched."""
    entries, places = list[str](), set[str]()
    for path in (run / "memory" / "vectors").glob("*.parquet"):
        table = pq.read_table(path)
        rows = zip(*(table[name].to_pylist() for name in ("id", "text", "label")), strict=True)
        for id, text, label in rows:
            entries.append(id)
            places.add(files.digest([json.loads(label)["kind"], text]))
    index = run / "memory" / (run / "memory" / "current").read_text().strip()
    described = json.loads((run / "memory" / "embedder.json").read_text())["embedder"]
    with tempfile.TemporaryDirectory() as copy:
        shutil.copytree(index, Path(copy) / "index")
        with contextlib.closing(Chroma().open(Path(copy) / "index", described["dimensions"])) as opened:
            count = opened.count()
    return {
        "entries": files.digest(sorted(entries), length=64),
        "doubled": len(entries) - len(set(entries)),
        "places": len(places),
        "indexed": count,
        "sealed": files.verify(index) is not None,
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Trial:
    """One session that was killed and resumed until it was done."""

    kills: tuple[Kill, ...]
    codes: tuple[int, ...]
    """Exit code of every process; -9 where it was killed."""
    stood: tuple[tuple[str, ...], ...]
    """Steps that were begun and not committed, at every kill."""
    missing: tuple[str, ...]
    """Whatever was acknowledged before a kill and is gone or different at the end."""
    figures: Json
    seconds: float

    def problems(self, untouched: Json) -> list[str]:
        """Everything in which this session differs from an untouched one; it must be nothing."""
        hit = [f"{k}: not hit, exit code {c}" for k, c in zip(self.kills, self.codes, strict=False) if c != k.code]
        other = [
            f"{name}: {self.figures[name]!r}, untouched {value!r}"
            for name, value in untouched.items()
            if self.figures[name] != value
        ]
        return [*hit, *self.missing, *other]


def untouched(folder: Path, scenario: Path = MINI, *options: str) -> Json:
    """Run a session to its end and give its figures."""
    ended = session("run", scenario, "--json", *options, folder=folder)
    if ended.code:
        raise RuntimeError(f"the untouched session ended with {ended.code}:\n{ended.said}")
    return figures(Path(ended.events[0]["dir"]), ended.events[-1])


def trial(folder: Path, kills: Sequence[Kill], scenario: Path = MINI, *options: str) -> Trial:
    """Run a session, kill it as often as told, and resume it until it is done."""
    before, stands, codes = runs(folder), list[Kept](), list[int]()
    since, run = time.perf_counter(), None
    for kill in [*kills, None]:
        arguments = ("resume", run) if run else ("run", scenario, *options)
        ended = session(*arguments, "--json", folder=folder, kill=kill)
        codes.append(ended.code)
        run = run or newest(folder, before)
        if run is None:
            raise RuntimeError(f"the session killed at {kill} left no run:\n{ended.said}")
        if kill is None and ended.code:
            raise RuntimeError(f"{run}: resumed after {kills}, it ended with {ended.code}:\n{ended.said}")
        if kill is None or not ended.code:
            after = look(run)
            missing = [m for stand in stands for m in lost(stand, after)]
            done, seconds = figures(run, ended.events[-1]), time.perf_counter() - since
            stood = tuple(stand.intents for stand in stands)
            return Trial(tuple(kills), tuple(codes), stood, tuple(missing), done, seconds)
        stands.append(look(run))
    raise AssertionError("the last process is not killed")
