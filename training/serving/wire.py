"""HTTP with a server, each call under a hard wall-clock deadline; the one file that knows how it is spoken to."""

import asyncio
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...memory.errors import EvolventError, UnavailableError

if TYPE_CHECKING:
    import aiohttp

SHOWN = 300
"""Characters of a refusal that are shown."""


class Refused(EvolventError):
    """A server answered that it will not do what it was asked."""


class Wire:
    """Calls to one server, as an async context manager; it belongs to the event loop it was entered in."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "Wire":
        import aiohttp

        # deadlines are set per call, over everything that the call does
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None))
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._session is not None
        await self._session.close()
        self._session = None

    async def post(self, path: str, body: Mapping[str, Any], *, seconds: float) -> Any:
        """Send JSON and give the JSON that comes back, or None where the answer is text.

        Args:
            path: with its leading slash.
            body: what is sent.
            seconds: wall-clock time the call may take, whatever drips in meanwhile.

        Raises:
            Refused: an answer that is not a success.
            UnavailableError: no answer in time, or no connection.
        """
        return await self._call("POST", path, seconds, json=body)

    async def get(self, path: str, *, seconds: float) -> Any:
        """Fetch JSON; see `post`."""
        return await self._call("GET", path, seconds)

    async def _call(self, method: str, path: str, seconds: float, **body: Any) -> Any:
        import aiohttp

        assert self._session is not None
        try:
            async with asyncio.timeout(seconds), self._session.request(method, self.url + path, **body) as response:
                status, text = response.status, await response.text()
        except TimeoutError:
            raise UnavailableError(
                f"{self.url}{path} did not answer in {seconds:.0f} s; is the server overloaded?"
            ) from None
        except aiohttp.ClientError as error:
            raise UnavailableError(f"{self.url}{path} cannot be reached ({error}); is the server up?") from None
        if status != 200:
            raise Refused(f"{self.url}{path} answered {status}: {text[:SHOWN]!r}; see the server's log")
        return _read(text, f"{self.url}{path}")


def _read(text: str, where: str) -> Any:
    """JSON, or None for the plain words some calls end with."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except ValueError as error:
        raise Refused(f"{where} answered something that is not JSON ({error}): {text[:SHOWN]!r}") from None
