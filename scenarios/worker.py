"""A process beside this one that can be killed: for libraries that may take for ever, or all memory, over a text.

It is started when it is first asked, kept for what follows, and started anew after it had to be killed. What it runs
is a module of this room with one function, `answer`; requests and replies are lines of JSON. Once the module is loaded
the process can start no other, open no connection and write no file.
"""

import contextlib
import importlib
import json
import os
import resource
import selectors
import subprocess
import sys
import time
import weakref
from functools import lru_cache
from threading import Lock
from typing import Any

from ..memory.errors import EvolventError

LONGEST = 32 << 20
"""Bytes of a reply."""
START = 120.0
"""Seconds until the process has loaded its libraries, on however busy a machine."""
READY = b'{"ready": true}\n'


class WorkerError(EvolventError):
    """A process that does not start."""


class Overrun(Exception):
    """A request over which the process ran out of time or memory, or crashed; it says which."""


class Worker:
    """One process, asked by one thread at a time."""

    def __init__(self, module: str, memory: int) -> None:
        self._module, self._memory = module, memory
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, request: dict[str, Any], *, seconds: float) -> dict[str, Any]:
        """Give a reply.

        Args:
            request: what the module's function takes.
            seconds: until the process is killed.

        Raises:
            Overrun: there is no reply.
            WorkerError: the process does not start.
        """
        with self._lock:
            process = self._running()
            assert process.stdin is not None
            try:
                process.stdin.write(json.dumps(request).encode() + b"\n")
                process.stdin.flush()
                reply = self._line(process, seconds)
            except BaseException as error:
                self.stop()
                if isinstance(error, BrokenPipeError):
                    raise Overrun("crashed") from None
                raise
        return json.loads(reply)

    def stop(self) -> None:
        """End the process; a later request starts another."""
        if self._process is not None:
            _kill(self._process)
            self._process = None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.stop()
            begin = f"from {__name__} import serve; serve({self._module!r}, {self._memory})"
            process = subprocess.Popen(  # noqa: S603 (this interpreter and a module of ours)
                [sys.executable, "-c", begin], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
            )
            self._process = process
            weakref.finalize(self, _kill, process)
            try:
                line = self._line(process, START)
            except Overrun as error:
                self.stop()
                raise WorkerError(f"the process of {self._module!r} did not start: it {error}") from None
            if line != READY:
                self.stop()
                raise WorkerError(f"the process of {self._module!r} did not start: {line[:300]!r}")
        return self._process

    def _line(self, process: subprocess.Popen[bytes], seconds: float) -> bytes:
        assert process.stdout is not None
        until, line, pipe = time.monotonic() + seconds, bytearray(), process.stdout.fileno()
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if not selector.select(max(0.0, until - time.monotonic())):
                    raise Overrun(f"was not done after {seconds:g} s")
                if not (part := os.read(pipe, 1 << 16)):
                    raise Overrun("crashed, or ran out of memory")
                line += part
                if len(line) > LONGEST:
                    raise Overrun(f"gave more than {LONGEST:,} bytes")
        return bytes(line)


@lru_cache(maxsize=8)
def worker(module: str, memory: int) -> Worker:
    """Give the process of a module and a bound on its memory, in bytes; the same one every time."""
    return Worker(module, memory)


def serve(module: str, memory: int) -> None:
    """Answer requests until nobody asks: what the process runs."""
    source, sink = sys.stdin.buffer, os.dup(1)
    os.dup2(2, 1)  # what a library prints is no reply
    answer = importlib.import_module(f"{__package__}.{module}").answer
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    _narrow()
    _write(sink, READY)
    for line in source:
        try:
            reply = answer(json.loads(line))
        except MemoryError:
            os._exit(1)
        _write(sink, json.dumps(reply).encode() + b"\n")


def _narrow() -> None:
    """Leave the process only what computing needs, where the kernel can do that."""
    if sys.platform == "linux":
        from .sandbox import filter, kernel

        with contextlib.suppress(OSError):
            kernel.libc("prctl", kernel.SET_NO_NEW_PRIVS, 1, 0, 0, 0)
            filter.install(writes=False, threads=True)


def _write(sink: int, line: bytes) -> None:
    left = memoryview(line)
    while left:
        left = left[os.write(sink, left) :]


def _kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    process.wait()
