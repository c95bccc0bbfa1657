"""Where servers live longer than one open engine: a session is the host, a context variable says which.

Whoever opens an engine without a host gets a server of its own, which ends with that engine.
"""

import contextlib
import contextvars
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

from ..device import give_back
from .launch import Launch
from .remote import Remote
from .server import NOTE, RECORD, Server, end, rest_left


class Host:
    """Owns the servers in a folder, and knows those at URLs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.servers: dict[str, Server] = {}
        """Server by role."""
        self.remotes: dict[str, Remote] = {}
        """Server of somebody else by URL."""

    def server(self, role: str, launch: Launch) -> Server:
        """The one server of a role; it starts when it is first asked."""
        known = self.servers.get(role)
        if known is None or known.launch != launch:
            known = self.servers[role] = Server(self.folder / role, launch)
        return known

    def remote(self, url: str, dtype: str) -> Remote:
        """The one view of a server somebody else started: its weights change for every engine at once."""
        return self.remotes.setdefault(url.rstrip("/"), Remote(url, dtype))

    async def rest(self) -> bool:
        """Have every server that may sleep do so, those included that a killed session left and nobody asked since.

        Returns:
            Whether one did, or was ended to make room.
        """
        asked = [server for server in self.servers.values() if server.url]
        left = {note.parent for note in self.folder.glob(f"*/{NOTE}")} - {server.folder for server in asked}
        rested = [await server.rest() for server in asked]
        return any([*rested, *[await rest_left(folder) for folder in sorted(left)]])

    def close(self) -> None:
        """End every server in the folder, also those that a killed session left and nobody asked again."""
        for left in {*self.folder.glob(f"*/{NOTE}"), *self.folder.glob(f"*/{RECORD}")}:
            end(left.parent)


_host: contextvars.ContextVar[Host | None] = contextvars.ContextVar("evolvent_host", default=None)


@contextlib.asynccontextmanager
async def resting() -> AsyncGenerator[None]:
    """Have the servers of this session that may sleep do so inside; they wake up when they are next asked."""
    host = current()
    rested = await host.rest() if host else False
    try:
        yield
    finally:
        if rested:
            give_back()


@contextlib.contextmanager
def hosting(folder: Path) -> Generator[Host]:
    """Keep servers in `folder` until the end of the block, whichever engines come and go inside."""
    host = Host(folder)
    token = _host.set(host)
    try:
        yield host
    finally:
        _host.reset(token)
        host.close()


def current() -> Host | None:
    """Whose guest an engine is, if anybody's."""
    return _host.get()
