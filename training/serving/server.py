"""One vLLM server for all students of a session: started once, its weights swapped, proved after every load.

Where it is and what it was started for lies in `server.json`, who it is in `process`, what it says in `server.log`. A
session that was killed leaves its server behind; the next one takes it over when it answers and fits, and replaces it
otherwise.
"""

import asyncio
import json
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from ...memory.errors import EvolventError, UnavailableError
from ...memory.files import write_json
from ...memory.stopping import STOP
from ...memory.trace import span, spent
from . import address, child, sleeping
from .launch import NAME, Launch, tail
from .loading import Held, bring, left_over
from .proof import Mismatch
from .weights import Weights
from .wire import Refused, Wire

logger = logging.getLogger(__name__)

NOTE = "process"
RECORD = "server.json"
LOOK = 0.25
"""Seconds between two tries while a server comes up."""
HEALTH = 20.0
"""Seconds a one-token completion may take."""


class Server:
    """A server process in a folder."""

    def __init__(self, folder: Path, launch: Launch) -> None:
        self.folder = folder
        self.launch = launch
        self.starts = 0
        """Times a process was started."""
        self._held = Held()
        self.url = ""
        """Where it answers; empty while it does not."""
        self.asleep = False
        """Whether its GPU memory is given away."""
        self._identity = ""
        self._one = asyncio.Lock()

    @property
    def note(self) -> Path:
        """Who the process is."""
        return self.folder / NOTE

    @property
    def log(self) -> Path:
        """What it says."""
        return self.folder / "server.log"

    @asynccontextmanager
    async def serving(self, weights: Weights) -> AsyncGenerator[tuple[Wire, str]]:
        """Answer with some weights while inside: others wait, for a swap would change them under a request.

        Returns:
            The way to the server, and what the weights are called there.

        Raises:
            UnavailableError: it does not come up.
            EvolventError: it answers with other weights even when started for them.
        """
        async with self._one:
            await self._up(weights)
            if not await self._swapped(weights):
                await self._start(weights)
            async with Wire(self.url) as wire:
                yield wire, await self._name(wire, weights)

    async def rest(self) -> bool:
        """Have a running server give its GPU memory away until it is needed again; say whether it did.

        One that cannot is ended, for the memory is promised to somebody else.
        """
        running = child.read(self.note)
        if not (self.launch.sleep and self.url and running is not None and child.alive(running)):
            return False
        async with self._one:
            with span("server sleeps", pid=running.pid):
                try:
                    async with Wire(self.url) as wire:
                        await sleeping.rest(wire, self._held)
                except (Refused, UnavailableError) as error:
                    logger.warning("%s; ending the server to make room", error)
                    self.stop()
                    return True
            self.asleep = True
        return True

    def stop(self) -> None:
        """End the process and everything it started."""
        end(self.folder)
        self.url = ""
        self.asleep = False

    async def _up(self, weights: Weights) -> None:
        """Have a server that could serve these weights."""
        wanted = self.launch.identity(weights)
        running = child.read(self.note)
        fits = self.url and self._identity == wanted and running is not None and child.alive(running)
        if fits and (not self.asleep or await self._woken()):
            return
        if not await self._adopt(wanted):
            await self._start(weights)

    async def _woken(self) -> bool:
        """Take the memory back; nothing is relied on that the server held before."""
        with spent("start-up"), span("server wakes"):
            try:
                async with Wire(self.url) as wire:
                    await sleeping.wake(wire, self._held)
            except (Refused, UnavailableError) as error:
                logger.warning("%s; starting the server again", error)
                return False
        self.asleep = False
        return True

    async def _roused(self, url: str) -> bool:
        """See that a server which an earlier session left asleep is awake."""
        if not self.launch.sleep:
            return True
        try:
            async with Wire(url) as wire:
                await sleeping.rouse(wire)
        except (Refused, UnavailableError):
            return False
        return True

    async def _adopt(self, wanted: str) -> bool:
        """Take over what an earlier session left behind, if it fits and answers."""
        left, (url, identity) = child.read(self.note), _record(self.folder)
        if left is None or not child.alive(left) or identity != wanted:
            return False
        if not (await self._roused(url) and await answers(url)):
            return False
        try:
            with span("server adopted", pid=left.pid):
                async with Wire(url) as wire:
                    self._held = await left_over(wire)
        except (UnavailableError, Refused) as error:
            logger.warning("%s; starting the server again", error)
            return False
        self.url, self._identity, self.asleep = url, identity, False
        logger.info("vLLM server %d at %s adopted", left.pid, url)
        return True

    async def _start(self, weights: Weights) -> None:
        """Replace whatever runs here by a server that was started for these weights."""
        with spent("start-up"), span("server start", student=weights.digest):
            self.stop()
            self.folder.mkdir(parents=True, exist_ok=True)
            url, identity = address.new(), self.launch.identity(weights)
            write_json(self.folder / RECORD, {"url": url, "identity": identity, "sleep": self.launch.sleep})
            command = self.launch.command(weights, address.path_of(url))
            process = child.spawn(command, self.note, self.log, self.launch.environment())
            self.starts += 1
            await self._await_answer(url, process)
            self.url, self._identity = url, identity
            self._held = Held(full=weights.base_digest)

    async def _await_answer(self, url: str, process: child.Identity) -> None:
        until = time.monotonic() + self.launch.start
        while not await answers(url):
            STOP.heed()
            problem = ""
            if not child.alive(process):
                problem = "ended while it started"
            elif time.monotonic() > until:
                problem = f"did not answer within {self.launch.start:.0f} s (student.engine.start)"
            if problem:
                self.stop()
                raise UnavailableError(f"vLLM {problem}; {self.log} ends with:\n{tail(self.log)}")
            await asyncio.sleep(LOOK)

    async def _swapped(self, weights: Weights) -> bool:
        """Bring weights in while the server runs; it cannot with tied embeddings, nor when the server is lost."""
        try:
            async with Wire(self.url) as wire:
                await bring(wire, weights, self._held, dtype=self.launch.dtype)
        except (Mismatch, Refused, UnavailableError) as error:
            logger.warning("%s; starting the server again", error)
            return False
        return True

    async def _name(self, wire: Wire, weights: Weights) -> str:
        """What the weights are called; after a new start they are proved here."""
        try:
            return await bring(wire, weights, self._held, dtype=self.launch.dtype)
        except (Mismatch, Refused) as error:
            raise EvolventError(
                f"a server started for {weights.path} does not answer with its weights ({error}); see {self.log}, "
                'or answer in this process: student.engine.name = "transformers"'
            ) from error


async def rest_left(folder: Path) -> bool:
    """Have a server that a killed session left behind give its GPU memory away, if it may sleep; say whether it did.

    One that cannot is ended, as by `Server.rest`.
    """
    left, (url, _) = child.read(folder / NOTE), _record(folder)
    if left is None or not child.alive(left) or not _may_sleep(folder):
        return False
    with span("server sleeps", pid=left.pid):
        try:
            async with Wire(url) as wire:
                if not await sleeping.sleeps(wire):
                    await left_over(wire)
                    await sleeping.rest(wire, Held())
        except (Refused, UnavailableError) as error:
            logger.warning("%s; ending the server to make room", error)
            end(folder)
    return True


def end(folder: Path) -> None:
    """End the server in a folder, with everything it started, and remove its socket."""
    note = folder / NOTE
    left = child.read(note)
    if left is not None:
        child.stop(left)
    note.unlink(missing_ok=True)
    address.remove(_record(folder)[0])
    (folder / RECORD).unlink(missing_ok=True)


def _record(folder: Path) -> tuple[str, str]:
    """URL and identity of what was started in a folder; empty where nothing is known."""
    try:
        record = json.loads((folder / RECORD).read_text())
        return str(record["url"]), str(record["identity"])
    except (OSError, ValueError, KeyError, TypeError):
        return "", ""


def _may_sleep(folder: Path) -> bool:
    """Whether what was started in a folder was started to sleep."""
    try:
        return bool(json.loads((folder / RECORD).read_text())["sleep"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


async def answers(url: str) -> bool:
    """Whether a server gives one token."""
    try:
        async with Wire(url) as wire:
            body = {"model": NAME, "prompt": [1], "max_tokens": 1}
            await wire.post("/v1/completions", body, seconds=HEALTH)
    except (UnavailableError, Refused):
        return False
    return True
