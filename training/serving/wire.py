"""HTTP with a server, the one file that knows how it is spoken to.

Each call ends at a hard wall-clock deadline, at a bound on its size, or when the program is asked to stop.
"""

import asyncio
import json
from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from ...memory.errors import EvolventError, UnavailableError
from ...memory.stopping import STOP
from .address import is_socket, path_of

if TYPE_CHECKING:
    import aiohttp

SHOWN = 300
"""Characters of a refusal that are shown."""
BOUND = 64_000_000
"""Bytes an answer may have: 128 prompts with the ids of thousands of tokens each stay below 20 MB."""
TICK = 0.1
"""Seconds after which a request to stop is heeded, though the server works on."""
T = TypeVar("T")


class Refused(EvolventError):
    """A server answered that it will not do what it was asked."""

    def __init__(self, message: str, *, status: int = 200) -> None:
        super().__init__(message)
        self.status = status
        """Of its answer."""


class Wire:
    """Calls to one server, as an async context manager; it belongs to the event loop it was entered in.

    Args:
        url: such as `http://localhost:8000`, or `unix:` and the path of a socket.
        bound: bytes an answer may have.
    """

    def __init__(self, url: str, *, bound: int = BOUND) -> None:
        self.url = url.rstrip("/")
        # a server at a socket does not care what it is called
        self._root = "http://server" if is_socket(url) else self.url
        self._bound = bound
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "Wire":
        import aiohttp

        # deadlines are set per call, over everything that the call does
        connector = aiohttp.UnixConnector(str(path_of(self.url))) if is_socket(self.url) else None
        self._session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=None))
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
            Refused: an answer that is not a success, or larger than the bound.
            UnavailableError: no answer in time, or no connection.
            Stopped: the program was asked to end.
        """
        return await heedful(self._call("POST", path, seconds, json=body))

    async def get(self, path: str, *, seconds: float) -> Any:
        """Fetch JSON; see `post`."""
        return await heedful(self._call("GET", path, seconds))

    async def _call(self, method: str, path: str, seconds: float, **body: Any) -> Any:
        import aiohttp

        assert self._session is not None
        try:
            async with (
                asyncio.timeout(seconds),
                self._session.request(method, self._root + path, allow_redirects=False, **body) as response,
            ):
                status, text = response.status, await self._text(response)
        except TimeoutError:
            raise UnavailableError(
                f"{self.url}{path} did not answer in {seconds:.0f} s; is the server overloaded?"
            ) from None
        except aiohttp.ClientError as error:
            raise UnavailableError(f"{self.url}{path} cannot be reached ({error}); is the server up?") from None
        if status != 200:
            raise Refused(f"{self.url}{path} answered {status}: {text[:SHOWN]!r}; see the server's log", status=status)
        return _read(text, f"{self.url}{path}")

    async def _text(self, response: "aiohttp.ClientResponse") -> str:
        """Read a body, unless it is too long; bytes that are no text are shown as such."""
        said = bytearray()
        async for chunk in response.content.iter_any():
            said += chunk
            if len(said) > self._bound:
                raise Refused(
                    f"{self.url}{response.url.path} answered more than {self._bound:,} bytes; is a model behind it?"
                )
        return said.decode("utf-8", "replace")


async def heedful(work: Coroutine[Any, Any, T]) -> T:
    """Wait for work, but no longer than until the program is asked to stop.

    Raises:
        Stopped: it was.
    """
    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            STOP.heed()
            await asyncio.wait([task], timeout=TICK)
        return task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _read(text: str, where: str) -> Any:
    """JSON, or None for the plain words some calls end with."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refused(f"{where} answered something that is not JSON ({error}): {text[:SHOWN]!r}") from None
