"""What asking an endpoint costs: the client with all its bookkeeping against a bare aiohttp worker pool, in turns.

The endpoint is the tests' scripted server in a process of its own: a number of slots, log-normal time per call, first
come first served. The pool posts the same bodies with as many workers, parses the replies and does nothing else: no
deadline, no store, no budget. CPU is that of this process, with its writer thread and the commits.
"""

import argparse
import asyncio
import contextlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Generator, Sequence
from pathlib import Path
from typing import Any

import aiohttp

from ..memory.budget import Budget, Purse
from ..memory.inference import Request
from ..memory.responses import Responses
from ..training.client import chat
from ..training.client.breaker import Breaker
from ..training.client.client import Client, Terms
from ..training.client.fleet import Endpoint, Fleet
from ..training.client.flow import flow
from ..training.client.key import Key
from ..training.client.limiter import Limiter
from ..training.client.transport import Transport
from . import rivalry
from .machine import Check, keep, median_and_range

MODEL = "tester"
AHEAD = 1.25
"""Calls under way per slot: the server's queue must not run empty."""
FAULTY = ("--faults", "0.01")
REDONE = 0.3
"""Share of the second stage's items that are asked once more in the pipeline."""


def main(argv: Sequence[str] | None = None) -> list[Check]:
    """Measure, print and keep the result."""
    parser = argparse.ArgumentParser(prog="evolvent.benchmarks.client", description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--calls", type=int, default=4000)
    parser.add_argument("--slots", type=int, default=256)
    parser.add_argument("--mean", type=float, default=0.4, help="seconds of a call")
    parser.add_argument("--rivals", action="store_true", help="also measure other programs, which are installed first")
    parser.add_argument("--rival-calls", type=int, default=10_000)
    parser.add_argument("--rival-repeats", type=int, default=1)
    parser.add_argument("--rival-mean", type=float, default=0.2, help="seconds of a call where rivals ask")
    options = parser.parse_args(argv)
    since, most = time.perf_counter(), int(AHEAD * options.slots)
    ways: dict[str, list[dict[str, float]]] = {"pool": [], "client": [], "client, 1 % faults": []}
    with (
        served(options.slots, options.mean) as plain,
        served(options.slots, options.mean, *FAULTY) as faulty,
    ):
        asyncio.run(_pool(plain, options.calls // 10, most))
        asyncio.run(_client(plain, options.calls // 10, most))
        for _ in range(options.repeats):
            ways["pool"].append(asyncio.run(_pool(plain, options.calls, most)))
            ways["client"].append(asyncio.run(_client(plain, options.calls, most)))
            ways["client, 1 % faults"].append(asyncio.run(_client(faulty, options.calls, most)))
    with served(64, options.mean / 4) as narrow:
        pipeline = asyncio.run(_pipeline(narrow, 2000, 80, slots=64, mean=options.mean / 4))
    result = {"ways": {name: _merge(runs) for name, runs in ways.items()}, "pipeline": pipeline, **vars(options)}
    result["ratio"] = median_and_range(
        [c["per_second"] / p["per_second"] for p, c in zip(ways["pool"], ways["client"], strict=True)]
    )
    result["memory_gib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    checks = _checks(result)
    if options.rivals:
        result["rivals"] = _rivals(options, most)
        ours = result["rivals"]["client"]
        checks += rivalry.checks(ours["per_second"]["median"], result["rivals"]["others"])
    print(json.dumps(result, indent=1))
    path = keep("client", result, checks, seconds=time.perf_counter() - since)
    print("\n".join(c.line() for c in checks), f"\nwritten to {path}")
    return checks


def _rivals(options: argparse.Namespace, most: int) -> dict[str, Any]:
    """Pool, client and rivals in turns, each against a server of its own that answers 1 % of the calls with 500."""
    calls, others = options.rival_calls, dict[str, Any]()
    for name, rival in rivalry.RIVALS.items():
        try:
            others[name] = {"version": rivalry.prepare(name), "settings": rival.settings, "runs": []}
        except RuntimeError as error:
            others[name] = {"settings": rival.settings, "error": str(error)}
    ours: dict[str, list[dict[str, float]]] = {"pool": [], "client": []}
    for _ in range(options.rival_repeats):
        for name, ask in (("pool", _pool), ("client", _client)):
            with served(options.slots, options.rival_mean, *FAULTY) as url:
                ours[name].append({**asyncio.run(ask(url, calls, most)), "per_second": rivalry.spanned(url)})
        for name, found in others.items():
            if "error" in found:
                continue
            try:
                with served(options.slots, options.rival_mean, *FAULTY) as url:
                    found["runs"].append(rivalry.compete(name, url, calls=calls, at_once=most))
            except RuntimeError as error:
                found["error"] = str(error)
    for found in others.values():
        runs = found.pop("runs", [])
        found.update(_merge(runs) if runs else {})
    return {name: _merge(runs) for name, runs in ours.items()} | {"others": others}


@contextlib.contextmanager
def served(slots: int, mean: float, *options: str) -> Generator[str]:
    """Serve in another process; give the address."""
    command = [sys.executable, "-m", "evolvent.tests.endpoint", "--slots", str(slots), "--mean", str(mean), *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def _requests(count: int) -> list[Request]:
    return [Request(f"{i}+{i}") for i in range(count)]


async def _pool(url: str, count: int, workers: int) -> dict[str, float]:
    bodies = iter([json.dumps(chat.compose(r, model=MODEL)).encode() for r in _requests(count)])
    answered = 0
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=workers)) as session:

        async def work() -> None:
            nonlocal answered
            for body in bodies:
                headers = {"Content-Type": "application/json"}
                async with session.post(url + chat.PATH, data=body, headers=headers) as response:
                    answered += "choices" in json.loads(await response.read())

        wall, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(work() for _ in range(workers)))
        return _figures(answered, count, wall, cpu)


@contextlib.asynccontextmanager
async def _opened(url: str, most: int) -> AsyncGenerator[Client]:
    """The client as the engine builds it, with a store and a budget."""
    transport = Transport(url, key=Key("sk-benchmark"), most=most, deadline=60)
    with tempfile.TemporaryDirectory() as folder:
        responses = Responses(Path(folder, "responses.sqlite"))
        try:
            yield Client(
                Fleet([Endpoint(transport, Limiter(first=most, most=most), Breaker())]), model=MODEL, scope="benchmark",
                purse=Purse(Budget(tokens=10**9), clock=time.monotonic), responses=responses, terms=Terms(),
            )  # fmt: skip
        finally:
            await transport.close()
            responses.close()


async def _client(url: str, count: int, most: int) -> dict[str, float]:
    async with _opened(url, most) as client:
        requests = _requests(count)
        wall, cpu = time.perf_counter(), time.process_time()
        answered = 0
        async for outcome in client.stream(requests, role="student"):
            answered += outcome.completion is not None
        assert client.responses is not None
        assert sum(s.calls for s in client.responses.spending().values()) == answered
        return _figures(answered, count, wall, cpu)


async def _pipeline(url: str, items: int, most: int, *, slots: int, mean: float) -> dict[str, float]:
    """Three stages that share the slots; the share of them that was busy is the mean service time over the span."""
    async with _opened(url, most) as client:
        made = 0

        async def ask(text: str) -> str:
            nonlocal made
            made += 1
            await client.ask(Request(text), role="teacher")
            return text

        async def second(text: str) -> str:
            await ask(text + " two")
            if int(text.split()[0]) % 10 < 10 * REDONE:
                await ask(text + " again")
            return text

        async def third(text: str) -> str:
            return await ask(text + " three")

        names = [f"{i}" for i in range(items)]
        since = time.perf_counter()
        async for _ in flow(flow(flow(names, ask, width=most), second, width=most), third, width=most):
            pass
        return {"calls": made, "busy": made * mean / slots / (time.perf_counter() - since)}


def _figures(answered: int, count: int, wall: float, cpu: float) -> dict[str, float]:
    seconds = time.perf_counter() - wall
    microseconds = 1e6 * (time.process_time() - cpu) / count
    return {"per_second": count / seconds, "cpu_us": microseconds, "lost": count - answered}


def _merge(runs: Sequence[dict[str, float]]) -> dict[str, dict[str, float]]:
    return {name: median_and_range([run[name] for run in runs]) for name in runs[0]}


def _checks(result: dict[str, Any]) -> list[Check]:
    ratio, cpu = result["ratio"]["median"], result["ways"]["client"]["cpu_us"]["median"]
    lost, busy = result["ways"]["client, 1 % faults"]["lost"]["high"], result["pipeline"]["busy"]
    return [
        Check("calls per second over a bare aiohttp pool", f"{ratio:.2f}x", ">= 0.97x", ratio >= 0.97),
        Check("client CPU per call with all bookkeeping", f"{cpu:.0f} us", "<= 500 us", cpu <= 500),
        Check("calls lost with 1 % faults", f"{lost:.0f}", "0", lost == 0),
        Check("peak memory", f"{result['memory_gib']:.2f} GiB", "<= 1 GiB", result["memory_gib"] <= 1),
        Check("slots busy, three stages with 30 % redone", f"{100 * busy:.0f} %", ">= 95 %", busy >= 0.95),
    ]  # fmt: skip


if __name__ == "__main__":
    main()
