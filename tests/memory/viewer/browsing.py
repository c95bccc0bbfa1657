"""A real Chromium looking at the viewer's pages, and what is written down of each: errors, dialogs, refusals."""

import contextlib
import shutil
import subprocess
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ...killing import COMMAND

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OWN = "ms-playwright/chromium-*"
"""Where Playwright keeps a browser that it has installed, below the user's cache."""


def chromium() -> str | None:
    """The browser of this machine; an empty string means the one Playwright has installed."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    return "" if found is None and any((Path.home() / ".cache").glob(OWN)) else found


@dataclass
class Visit:
    """A page open in the browser, and all that it should not have done."""

    page: "Page"
    faults: list[str] = field(default_factory=list[str])
    """Errors and warnings of the console, exceptions and dialogs, with the address they came at."""

    def open(self, address: str) -> None:
        """Go to a page and wait until it stands."""
        self.page.goto(address, wait_until="load")

    def axe(self) -> list[str]:
        """What axe-core finds, whatever weight it gives it."""
        from axe_playwright_python.base import AXE_SCRIPT

        # a page's policy refuses a script of another site; the debugger's own are outside it
        session = self.page.context.new_cdp_session(self.page)
        session.send("Runtime.evaluate", {"expression": AXE_SCRIPT})
        session.detach()
        found: list[dict[str, Any]] = self.page.evaluate("() => axe.run({ preload: false })")["violations"]
        return [f"{v['impact']} {v['id']} at {self.page.url}: {v['nodes'][0]['html'][:200]}" for v in found]


@contextlib.contextmanager
def browser(*options: str) -> Generator["Browser"]:
    """Start Chromium without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # tests run as root in CI, where Chromium has no sandbox of its own
        started = playwright.chromium.launch(executable_path=chromium() or None, args=["--no-sandbox", *options])
        with contextlib.closing(started):
            yield started


@contextlib.contextmanager
def visiting(opened: "Browser", scheme: Scheme = "light") -> Generator[Visit]:
    """A page of its own, without anything another one left."""
    context = opened.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 900}, service_workers="block")
    context.set_default_timeout(20_000)
    visit = Visit(context.new_page())

    def heard(message: "ConsoleMessage") -> None:
        if message.type in ("error", "warning"):
            visit.faults.append(f"{message.type} at {visit.page.url}: {message.text}")

    visit.page.on("console", heard)
    visit.page.on("pageerror", lambda error: visit.faults.append(f"exception at {visit.page.url}: {error}"))
    visit.page.on("dialog", lambda dialog: (visit.faults.append(f"dialog at {visit.page.url}"), dialog.dismiss())[0])
    try:
        yield visit
    finally:
        context.close()


@contextlib.contextmanager
def served(runs: Path) -> Generator[str]:
    """The viewer as a person starts it; gives its address, without a slash at the end."""
    arguments = [COMMAND, "view", "--runs-dir", runs, "--port", "0"]
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            yield next(w for w in process.stderr.readline().split() if w.startswith("http")).rstrip("/;")
        finally:
            process.terminate()


if __name__ == "__main__":
    raise SystemExit(chromium() is None)
