"""Several endpoints of different speeds behind one client, one of them stalling: how many of their slots are busy.

Each endpoint is the tests' scripted server in a process of its own and counts the slot seconds of the calls it has
finished. Busy is what they worked over what they could have worked, between the end of a warm-up and the last request
read; the slots of the stalling one do not count while it stalls.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from ..memory.budget import Budget, Purse
from ..memory.inference import Request
from ..memory.responses import Responses
from ..training.client.breaker import Breaker
from ..training.client.client import Client, Terms
from ..training.client.fleet import Endpoint, Fleet
from ..training.client.key import Key
from ..training.client.limiter import Limiter
from ..training.client.transport import Transport
from .client import AHEAD, MODEL, served
from .machine import Check, keep

SPEEDS = ((64, 0.4), (64, 0.8), (32, 1.6), (32, 0.4))
"""Slots and mean seconds of a call, by endpoint."""
STALLING = 3
"""Which one stalls."""
STALL = (8.0, 13.0)
"""Seconds after its first call."""
WARM = 4.0
"""Seconds before anything is counted."""
DEADLINE = 20.0


def main(argv: Sequence[str] | None = None) -> list[Check]:
    """Measure, print and keep the result."""
    parser = argparse.ArgumentParser(prog="evolvent.benchmarks.fleet", description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0, help="for which requests are given")
    options = parser.parse_args(argv)
    since = time.perf_counter()
    ways = {"steady": _measure(options.seconds, stalls=False), "one stalling": _measure(options.seconds, stalls=True)}
    checks = [
        Check(f"slots busy, {len(SPEEDS)} endpoints, {name}", f"{100 * found['busy']:.0f} %", ">= 95 %",
              found["busy"] >= 0.95)
        for name, found in ways.items()
    ]  # fmt: skip
    lost = sum(found["lost"] for found in ways.values())
    checks.append(Check("calls lost", f"{lost:.0f}", "0", lost == 0))
    path = keep("fleet", {"speeds": SPEEDS, "stall": STALL, **ways}, checks, seconds=time.perf_counter() - since)
    print("\n".join(c.line() for c in checks), f"\nwritten to {path}")
    return checks


def _measure(seconds: float, *, stalls: bool) -> dict[str, float]:
    with ExitStack() as stack:
        urls = [
            stack.enter_context(
                served(slots, mean, *(["--stall", *map(str, STALL)] if stalls and place == STALLING else []))
            )
            for place, (slots, mean) in enumerate(SPEEDS)
        ]
        return asyncio.run(_ask(urls, seconds, stalls=stalls))


async def _ask(urls: Sequence[str], seconds: float, *, stalls: bool) -> dict[str, float]:
    fleet = Fleet([_endpoint(url, int(AHEAD * slots)) for url, (slots, _) in zip(urls, SPEEDS, strict=True)])
    with tempfile.TemporaryDirectory() as folder:
        responses = Responses(Path(folder, "responses.sqlite"))
        purse = Purse(Budget(tokens=10**9), clock=time.monotonic)
        client = Client(fleet, model=MODEL, scope="benchmark", purse=purse, responses=responses, terms=Terms())
        marks: list[tuple[float, float]] = []

        async def requests() -> AsyncIterator[Request]:
            since, count = time.perf_counter(), 0
            while (passed := time.perf_counter() - since) < seconds:
                if not marks and passed > WARM:
                    marks.append((time.perf_counter(), await _worked(fleet)))
                yield Request(f"{count}+{count}")
                count += 1
            marks.append((time.perf_counter(), await _worked(fleet)))

        outcomes = [outcome async for outcome in client.stream(requests(), role="teacher")]
        await fleet.close()
        responses.close()
    (begin, before), (end, after) = marks
    slots = sum(slots for slots, _ in SPEEDS)
    could = slots * (end - begin) - (SPEEDS[STALLING][0] * (STALL[1] - STALL[0]) if stalls else 0)
    lost = sum(outcome.completion is None for outcome in outcomes)
    return {"calls": len(outcomes), "busy": (after - before) / could, "lost": lost}


def _endpoint(url: str, most: int) -> Endpoint:
    transport = Transport(url, key=Key(), most=most, deadline=DEADLINE)
    return Endpoint(transport, Limiter(first=most, most=most), Breaker())


async def _worked(fleet: Fleet) -> float:
    return sum([float(json.loads((await e.transport.get("/worked")).body)) for e in fleet.endpoints])


if __name__ == "__main__":
    main()
