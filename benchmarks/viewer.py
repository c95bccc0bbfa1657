"""The viewer on a run as big as anybody's: the first page, every kind of page, and memory of server and browser.

The run has 50 rounds, 200,000 samples and a million spans. Pages are found by following links from the first one, some
of each kind, and asked for over HTTP from another process, so the time is the server's and the loopback's. Then a real
Chromium visits them; its memory is that of the process that draws pages.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .machine import Check, keep, median_and_range

if TYPE_CHECKING:
    from playwright.sync_api import Browser

Json = dict[str, Any]

COMMAND = Path(sys.executable).with_name("evolvent")
EACH = 12
"""Pages of a kind."""
FIRST, PAGE = 1.0, 0.5
"""Seconds allowed."""
RENDERER, SERVER = 300, 500
"""MB allowed."""
TABS = 5
"""Tabs in which page follows upon page."""


def main(argv: Sequence[str] | None = None) -> list[Check]:
    """Measure, print and keep the result."""
    parser = argparse.ArgumentParser(prog="evolvent.benchmarks.viewer", description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--samples", type=int, default=200_000)
    parser.add_argument("--spans", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args(argv)
    from ..tests.memory.big import make_big

    since = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        run = make_big(Path(folder), rounds=options.rounds, samples=options.samples, spans=options.spans)
        result: Json = {"size": {name: getattr(options, name) for name in ("rounds", "samples", "spans")}}
        result["disk_mb"] = sum(f.stat().st_size for f in run.iterdir()) / 1e6
        with served(Path(folder)) as (address, pid):
            first, _ = fetch(f"{address}/runs/{run.name}")
            pages = walk(address, run.name, repeats=options.repeats)
            result |= {"first_seconds": first, "pages": pages, "server_mb": peak(pid)}
            result["renderer_mb"] = drawn(address, [where for page in pages.values() for where in page["addresses"]])
    checks = _judge(result)
    path = keep("viewer", result, checks, seconds=time.perf_counter() - since)
    print("\n".join(c.line() for c in checks), f"\nwritten to {path}")
    return checks


@contextmanager
def served(runs: Path) -> Generator[tuple[str, int]]:
    """The viewer as a person starts it: its address and its process."""
    command = [COMMAND, "view", "--runs-dir", runs, "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            said = process.stderr.readline().split()
            yield next(word for word in said if word.startswith("http")).rstrip("/;"), process.pid
        finally:
            process.terminate()


def fetch(address: str) -> tuple[float, str]:
    """Seconds until a page was there, and its HTML."""
    since = time.perf_counter()
    with urllib.request.urlopen(address, timeout=60) as answer:  # noqa: S310 - an address of ours
        html = answer.read().decode()
    return time.perf_counter() - since, html


def walk(address: str, run: str, *, repeats: int) -> Json:
    """Follow links, so many pages of a kind; seconds of every visit, by kind."""
    found: Json = {}
    waiting, seen = ["/", f"/runs/{run}"], set[str]()
    while waiting:
        where = waiting.pop(0)
        kind = re.sub(r"[0-9a-f]{8,}|\d+", "#", where.partition("?")[0].removeprefix(f"/runs/{run}")) or "session"
        page = found.setdefault(kind, {"addresses": [], "seconds": [], "bytes": 0})
        if where in seen or len(page["addresses"]) >= EACH:
            continue
        seen.add(where)
        page["addresses"].append(where)
        html = ""
        for _ in range(repeats):
            seconds, html = fetch(address + where)
            page["seconds"].append(seconds)
        page["bytes"] = max(page["bytes"], len(html))
        links = [link.replace("&amp;", "&").partition("#")[0] for link in re.findall(r'href="(/runs/[^"]*)"', html)]
        waiting += [link for link in links if link.startswith(f"/runs/{run}")]
    return found


def peak(pid: int) -> float:
    """MB a process has held at most."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) / 1000


def drawn(address: str, pages: Sequence[str]) -> Json:
    """MB of Chromium's largest drawing process: on an empty page, on each page alone, and after page upon page.

    What it shares with Chromium's other processes, the program itself above all, counts in parts (PSS). A tab in which
    page follows upon page holds garbage as well, as much as Chromium sees fit to leave, so several tabs are tried.
    """
    from ..tests.memory.viewer.browsing import browser, visiting

    with browser() as opened:
        alone = [_seen(opened, address, [where]) for where in pages]
        tabs = [_seen(opened, address, pages) for _ in range(TABS)]
        with visiting(opened) as visit:
            visit.open("about:blank")
            return {"empty": _largest(), "alone": max(alone), "tabs": median_and_range(tabs)}


def _seen(opened: "Browser", address: str, pages: Sequence[str]) -> float:
    """MB at most while pages are looked at in a new tab."""
    from ..tests.memory.viewer.browsing import visiting

    sizes: list[float] = []
    with visiting(opened) as visit:
        for where in pages:
            visit.open(address + where)
            sizes.append(_largest())
    return max(sizes)


def _largest() -> float:
    sizes = [0]
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if b"--type=renderer" in place.read_bytes():
                shares = (place.parent / "smaps_rollup").read_text()
                sizes.append(int(re.findall(r"Pss:\s+(\d+)", shares)[0]))
        except (OSError, IndexError):
            continue
    return max(sizes) / 1000


def _judge(result: Json) -> list[Check]:
    seconds = sorted(s for page in result["pages"].values() for s in page["seconds"])
    slow = seconds[int(0.95 * (len(seconds) - 1))]
    slowest = max(result["pages"], key=lambda kind: max(result["pages"][kind]["seconds"]))
    result |= {"visits": len(seconds), "p95_seconds": slow, "slowest": slowest, "worst_seconds": seconds[-1]}
    first, server, renderer = result["first_seconds"], result["server_mb"], result["renderer_mb"]
    alone, tabs = renderer["alone"], renderer["tabs"]
    spread = f"{tabs['median']:.0f} MB ({tabs['low']:.0f} to {tabs['high']:.0f})"
    return [
        Check("first page of the session", f"{first:.2f} s", f"<= {FIRST:.0f} s", first <= FIRST),
        Check("any page, 95 of 100 visits", f"{1000 * slow:.0f} ms", f"<= {1000 * PAGE:.0f} ms", slow <= PAGE),
        Check("memory of the server", f"{server:.0f} MB", f"<= {SERVER} MB", server <= SERVER),
        Check("memory that drawing a page takes", f"{alone:.0f} MB", f"<= {RENDERER} MB", alone <= RENDERER),
        Check("the same, after 100 pages in a tab", spread, f"<= {RENDERER} MB", tabs["median"] <= RENDERER),
    ]


if __name__ == "__main__":
    main()
