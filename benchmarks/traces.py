"""What the trace costs, and whether it arrives: a real session, a real collector and Inspect, each by itself.

The session runs as a user would run it, sending its spans to Phoenix, whose database then has to hold the same spans
under the same parents. Its exams are exported and read by Inspect, and its own viewer makes a bundle of them. What span
code costs is found by recording the spans of the session once more, by themselves, and comparing CPU times.
"""

import argparse
import contextlib
import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..memory.spans import Span, Spans
from ..memory.trace import Trace, recording, span
from .machine import ROOT, Check, keep, median_and_range

COMMAND = Path(sys.executable).with_name("evolvent")
ENVIRONMENTS = ROOT / ".cache" / "evidence"
PORT = 6106
SHARE = 0.02
"""Of a session's CPU time that span code may take."""
REPEATS = 20
READ = """
import json, sys
from inspect_ai.log import list_eval_logs, read_eval_log
logs = [read_eval_log(info) for info in list_eval_logs(sys.argv[1])]
samples = [sample for log in logs for sample in log.samples]
right = sum(1 for sample in samples for score in sample.scores.values() if score.value == "C")
answered = sum(1 for sample in samples if sample.output.choices)
print(json.dumps({"logs": len(logs), "samples": len(samples), "right": right, "answered": answered,
                  "good": all(log.status == "success" for log in logs)}))
"""


class Ran(NamedTuple):
    """A finished session."""

    run: Path
    cpu_seconds: float


def main(argv: Sequence[str] | None = None) -> list[Check]:
    """Measure, print and keep the result."""
    parser = argparse.ArgumentParser(prog="evolvent.benchmarks.traces", description=__doc__)
    parser.add_argument("--scenario", type=Path, default=ROOT / "tests" / "mini.toml")
    parser.add_argument("--only", choices=("cost", "collector", "inspect"), action="append", default=[])
    parser.add_argument("--name", default="traces")
    options = parser.parse_args(argv)
    wanted = options.only or ["cost", "collector", "inspect"]
    since = time.perf_counter()
    result: dict[str, Any] = {"scenario": options.scenario.name}
    checks: list[Check] = []
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        where = stack.enter_context(phoenix(Path(folder))) if "collector" in wanted else None
        ran = session(options.scenario, Path(folder) / "runs", where)
        if where is not None:
            result["collector"] = found = compare(ran.run, Path(folder) / "phoenix.db")
            checks.append(
                Check("spans of a session in Phoenix, the same tree", f"{found['same']} of {found['written']}", "all",
                      found["same"] == found["written"] == found["there"])
            )  # fmt: skip
        if "inspect" in wanted:
            result["inspect"] = found = inspected(ran.run, Path(folder) / "exams")
            checks.append(
                Check("exams read by Inspect, items with an answer", f"{found['answered']} of {found['items']}", "all",
                      found["good"] and found["samples"] == found["answered"] == found["items"])
            )  # fmt: skip
        if "cost" in wanted:
            result["cost"] = found = cost(ran, Path(folder) / "again")
            checks.append(
                Check("CPU time in span code over the session's", f"{found['share']:.2%}", f"<= {SHARE:.0%}",
                      found["share"] <= SHARE)
            )  # fmt: skip
    path = keep(options.name, result, checks, seconds=time.perf_counter() - since)
    print("\n".join(c.line() for c in checks), f"\nwritten to {path}")
    return checks


def session(scenario: Path, runs: Path, collector: str | None) -> Ran:
    """Run a session in a process of its own."""
    environment = {**os.environ, **({"OTEL_EXPORTER_OTLP_ENDPOINT": collector} if collector else {})}
    command = [str(COMMAND), "run", str(scenario), "--runs-dir", str(runs), "--json"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    (run,) = (path.parent for path in runs.glob("*/session.json"))
    return Ran(run, cpu)


def cost(ran: Ran, folder: Path) -> dict[str, Any]:
    """Record all spans again, under the same parents, into new files; give CPU seconds and their share."""
    folder.mkdir()
    trace = Spans.open(ran.run / "trace.sqlite")
    whole = [span for some in trace.all() for span in some]
    parts: dict[str | None, list[Span]] = {}
    for one in whole:
        parts.setdefault(one.parent, []).append(one)

    def again(parent: str | None) -> None:
        for one in parts.get(parent, ()):
            with span(one.name, **one.attributes):
                again(one.id)

    seconds: list[float] = []
    for number in range(REPEATS):
        since = time.process_time()
        with recording(Trace(folder / f"{number}.sqlite")):
            again(None)
        seconds.append(time.process_time() - since)
    took = median_and_range(seconds)
    return {
        "spans": len(whole),
        "session_cpu_seconds": ran.cpu_seconds,
        "span_cpu_seconds": took,
        "microseconds_a_span": 1e6 * took["median"] / len(whole),
        "share": took["high"] / ran.cpu_seconds,
    }


@contextlib.contextmanager
def phoenix(folder: Path) -> Generator[str]:
    """Serve Phoenix from an environment of its own; gives its address."""
    program = environment("arize-phoenix") / "bin" / "phoenix"
    where = f"http://127.0.0.1:{PORT}"
    settings = {"PHOENIX_HOST": "127.0.0.1", "PHOENIX_PORT": str(PORT), "PHOENIX_GRPC_PORT": str(PORT + 1)}
    settings |= {"PHOENIX_WORKING_DIR": str(folder), "PHOENIX_TELEMETRY_ENABLED": "false"}
    with subprocess.Popen(
        [program, "serve"], env={**os.environ, **settings}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            for _ in range(300):
                with contextlib.suppress(OSError):
                    urllib.request.urlopen(f"{where}/healthz", timeout=5).close()  # noqa: S310 - our own address
                    break
                time.sleep(1)
            yield where
        finally:
            server.terminate()


def compare(run: Path, database: Path) -> dict[str, int]:
    """Count spans that are in the run, in Phoenix, and in both under the same name and parent."""
    trace = Spans.open(run / "trace.sqlite")
    identity = trace.identity()
    shift = int(identity, 16) >> 64
    own = {
        (int(s.id, 16) ^ shift, None if s.parent is None else int(s.parent, 16) ^ shift, s.name)
        for some in trace.all()
        for s in some
    }
    query = (
        "select s.span_id, s.parent_id, s.name from spans s join traces t on t.id = s.trace_rowid where t.trace_id = ?"
    )
    theirs: set[tuple[int, int | None, str]] = set()
    for _ in range(30):
        with contextlib.closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as opened:
            rows = opened.execute(query, (identity,)).fetchall()
        theirs = {(int(id, 16), None if parent is None else int(parent, 16), name) for id, parent, name in rows}
        if len(theirs) >= len(own):
            break
        time.sleep(1)
    return {"written": len(own), "there": len(theirs), "same": len(own & theirs)}


def inspected(run: Path, folder: Path) -> dict[str, Any]:
    """Export the exams, read them with Inspect, and have its viewer make a bundle of them."""
    home = environment("inspect_ai") / "bin"
    command = [str(COMMAND), "export", str(run), "--record", "exams", "--out", str(folder), "--json"]
    made = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    read = subprocess.run([home / "python", "-c", READ, str(folder)], check=True, capture_output=True, text=True)
    bundle = folder.with_name("bundle")
    subprocess.run(
        [home / "inspect", "view", "bundle", "--log-dir", str(folder), "--output-dir", str(bundle)],
        check=True, capture_output=True,
    )  # fmt: skip
    bundled = len(list((bundle / "logs").glob("*.eval")))
    found = json.loads(read.stdout.splitlines()[-1])
    return {**found, "items": made["items"], "bundled": bundled, "good": found["good"] and bundled == made["files"]}


def environment(package: str) -> Path:
    """Make an environment that holds a package and what it needs, once."""
    home = ENVIRONMENTS / package
    if not (home / ".made").exists():
        venv.create(home, with_pip=True, clear=True)
        subprocess.run([home / "bin" / "python", "-m", "pip", "install", "--quiet", package], check=True)
        (home / ".made").touch()
    return home


if __name__ == "__main__":
    sys.exit(0 if all(check.met for check in main()) else 1)
