"""Runs tests against an answer behind walls, and says which walls held.

There is no way without walls: where no tier holds, nothing runs and `SandboxError` says why. What went wrong inside, a
hostile answer included, is an answer that failed.
"""

import json
import os
import secrets
import selectors
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ...memory.errors import UnavailableError

Tier = Literal["namespaces", "landlock"]
TIERS: tuple[Tier, ...] = ("namespaces", "landlock")
"""The stronger first."""
START = 60.0
"""Seconds until the walls have to stand, on however busy a machine."""
LAST = 5.0
"""Seconds in which everything inside has to be gone once it is told to."""
RESULT = 1 << 14
"""Bytes of a result; what is longer is none."""
BEGIN = (
    "import sys; sys.path.insert(0, {folder!r}); from sandbox.cell import main; del sys.path[0]; "
    "sys.exit(main(sys.argv[1:]))"
)
"""Only this folder's modules are found there, and nothing that is installed."""


class SandboxError(UnavailableError):
    """Code cannot be run safely here, so it is not run."""


class _Refused(Exception):
    """A tier that does not hold."""


@dataclass(frozen=True, slots=True)
class Job:
    """An answer, and what it is held against."""

    prompt: str
    """What the answer completes, if it is Python; else it is only asked."""
    answer: str
    reference: str
    """A right answer; its functions are those that the tests may call."""
    tests: str
    """Python that raises where the answer is wrong; its function `check` is called with the one that is asked for."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run."""

    status: Literal["passed", "failed", "broken"]
    """Broken are the tests, whatever the answer."""
    reason: str
    tier: Tier
    printed: str = ""
    """What the answer wrote to its output, cut."""


class Sandbox(BaseModel):
    """The walls' measures."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    tier: Literal["strongest"] | Tier = "strongest"
    """Which walls: `namespaces` (a root, processes and network of its own) or `landlock`; the strongest that holds."""
    seconds: float = Field(default=5.0, gt=0, le=600)
    """Wall-clock time from the moment the walls stand."""
    memory: int = Field(default=512 << 20, ge=128 << 20)
    """Bytes of address space of an answer, and again of its tests."""
    space: int = Field(default=16 << 20, ge=1 << 16)
    """Bytes that files may take, all together."""
    files: int = Field(default=1000, ge=16)
    """Files and folders that there may be."""
    threads: int = Field(default=32, ge=2)
    """Threads of an answer; other processes it cannot start."""
    output: int = Field(default=1 << 16, ge=0)
    """Bytes of what an answer prints that are kept; the rest is thrown away."""
    python: tuple[str, ...] = ()
    """Command of another interpreter, 3.11 or later; this one by default."""

    def run(self, job: Job) -> Outcome:
        """Run a job's tests; nothing of it is left when this returns.

        Raises:
            SandboxError: no tier holds on this machine, with the reasons.
        """
        refused: list[str] = []
        for tier in TIERS if self.tier == "strongest" else (self.tier,):
            try:
                return self._run(tier, job)
            except _Refused as error:
                refused.append(f"{tier}: {error}")
        raise SandboxError(
            f"no sandbox holds on this machine, so no code is run ({'; '.join(refused)}); namespaces need Linux with "
            "user namespaces allowed or a superuser, landlock needs Linux 6.2; in a container, allow one of them"
        )

    def _run(self, tier: Tier, job: Job) -> Outcome:
        if sys.platform != "linux":
            raise _Refused(f"needs Linux, not {sys.platform}")
        nonce = secrets.token_hex(16)
        given = {"nonce": nonce, **{name: getattr(job, name) for name in Job.__slots__}}
        source = os.memfd_create("job")
        result, told = os.pipe()
        try:
            os.write(source, json.dumps(given).encode())
            os.lseek(source, 0, os.SEEK_SET)
            inside = self._start(tier, source, told)
            os.close(told)
            told = -1
            with inside:
                watched = _Watch(inside, result, nonce, self.seconds, self.output)
                try:
                    watched.watch()
                finally:
                    _end(inside)
            return watched.outcome(tier)
        finally:
            for pipe in (source, result, told):
                if pipe >= 0:
                    os.close(pipe)

    def _start(self, tier: Tier, source: int, told: int) -> subprocess.Popen[bytes]:
        sizes = (int(self.seconds) + 2, self.memory, self.space, self.files, self.threads)
        begin = BEGIN.format(folder=str(Path(__file__).parents[1]))
        command = [*(self.python or (sys.executable,)), "-I", "-S", "-c", begin]
        try:
            return subprocess.Popen(  # noqa: S603 (an interpreter and this folder)
                [*command, str(os.getpid()), str(told), tier, *map(str, sizes)],
                stdin=source,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(told,),
                env={"LC_ALL": "C.UTF-8"},
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            raise _Refused(f"{command[0]} does not start: {error.strerror}") from None


class _Watch:
    """Reads what comes out of a run until it is over."""

    def __init__(self, inside: subprocess.Popen[bytes], result: int, nonce: str, seconds: float, output: int) -> None:
        self._nonce, self._seconds, self._output = nonce, seconds, output
        self._result, self._lines, self._printed = result, bytearray(), bytearray()
        assert inside.stdout is not None
        self._pipes = {result: self._lines, inside.stdout.fileno(): self._printed}
        self._most = {result: RESULT, inside.stdout.fileno(): output}
        self._late = self._ready = False

    def watch(self) -> None:
        """Read until the result is there, everybody is gone, or time is up."""
        until = time.monotonic() + START
        with selectors.DefaultSelector() as selector:
            for pipe in self._pipes:
                selector.register(pipe, selectors.EVENT_READ)
            while self._result in selector.get_map():
                left = until - time.monotonic()
                if left <= 0:
                    self._late = True
                    return
                for key, _ in selector.select(left):
                    if not self._read(key.fd):
                        selector.unregister(key.fd)
                if not self._ready and self._lines.count(b"\n"):
                    self._ready = True
                    until = time.monotonic() + self._seconds

    def outcome(self, tier: Tier) -> Outcome:
        """Make sense of it."""
        said = [self._parsed(line) for line in bytes(self._lines).splitlines()]
        printed = self._printed.decode(errors="replace")
        if not said or not said[0].get("ready") or said[0].get("nonce") != self._nonce:
            why = next((str(s["refused"]) for s in said if "refused" in s), "")
            raise _Refused(why or f"it did not start in {START:g} s" if self._late else why or printed[-300:].strip())
        last = said[-1]
        if self._late:
            return Outcome("failed", f"not done after {self._seconds:g} s", tier, printed)
        if last.get("nonce") != self._nonce or last.get("outcome") not in ("passed", "failed", "broken"):
            return Outcome("failed", "the tests did not come to an end", tier, printed)
        return Outcome(last["outcome"], _shown(str(last.get("reason", ""))), tier, printed)

    def _read(self, pipe: int) -> bool:
        """Take what is there, up to what is kept; whether more may come."""
        if not (part := os.read(pipe, 1 << 16)):
            return False
        kept = self._pipes[pipe]
        kept += part[: self._most[pipe] - len(kept)]
        return True

    def _parsed(self, line: bytes) -> dict[str, Any]:
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            return {}
        return said if isinstance(said, dict) else {}


def _shown(text: str) -> str:
    """Without what a terminal would obey."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _end(inside: subprocess.Popen[bytes]) -> None:
    """Have everything inside killed and wait until it is gone."""
    inside.terminate()
    try:
        inside.wait(LAST)
    except subprocess.TimeoutExpired:
        inside.kill()
        inside.wait()
