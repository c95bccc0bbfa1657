"""One shared connection pool to one endpoint; every exchange ends at its deadline, and no reply is read without bound.

aiohttp, because the pools of other clients spend more time on their bookkeeping than on the calls at 256 of them. The
deadline is wall-clock time around the whole exchange: a socket timeout starts again with every byte a server drips.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp

from .deadline import Deadline
from .fault import Fault, of_status
from .key import Key

BOUND = 4_000_000
"""Bytes a reply may have; the longest answers of today's models stay below 1 MB."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply with status 200."""

    body: str
    """Without keys."""


class Transport:
    """Pool of connections to one endpoint. Open and use it on one event loop.

    Args:
        base_url: such as `http://localhost:8000/v1`.
        key: sent with every request.
        most: connections at once.
        deadline: seconds one exchange may take, from connecting to the last byte.
        bound: bytes a reply may have.

    Raises:
        UnavailableError: the key would go over the network unencrypted.
    """

    def __init__(self, base_url: str, *, key: Key, most: int, deadline: float, bound: int = BOUND) -> None:
        self.base_url = base_url.rstrip("/")
        self._deadline = Deadline(deadline)
        self._key = key
        self._bound = bound
        headers = {"Accept-Encoding": "identity", "Content-Type": "application/json", **key.headers(base_url)}
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=most),
            timeout=aiohttp.ClientTimeout(total=None),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=headers,
        )

    async def close(self) -> None:
        """Close every connection."""
        self._deadline.close()
        await self._session.close()

    def redact(self, text: str) -> str:
        """Take the key out of a text."""
        return self._key.redact(text)

    async def get(self, path: str) -> Reply:
        """Exchange a GET; see `post`."""
        return await self._exchange("GET", path, None)

    async def post(self, path: str, body: bytes) -> Reply:
        """Exchange a JSON text for a reply.

        Raises:
            Fault: no reply, not in time, too long, or with a status other than 200.
        """
        return await self._exchange("POST", path, body)

    async def _exchange(self, method: str, path: str, body: bytes | None) -> Reply:
        try:
            with self._deadline.turn():
                # a redirect would carry the key and the prompt to a place nobody named
                async with self._session.request(
                    method, self.base_url + path, data=body, allow_redirects=False
                ) as response:
                    said = await self._read(response)
        except TimeoutError:
            raise Fault(f"no whole answer within {self._deadline.seconds:g} s", remedy="retry") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Fault(self._key.redact(f"{type(error).__name__}: {error}"), remedy="retry") from None
        text = self._key.redact(said.decode("utf-8", "replace"))
        if response.status == 200:
            return Reply(text)
        headers: Mapping[str, str] = response.headers
        raise of_status(response.status, headers, text, now=datetime.now(UTC))

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        """Read a body, unless it is too long.

        Raises:
            Fault: it is longer than the bound.
        """
        if (response.content_length or 0) > self._bound:
            response.close()
            raise self._too_long()
        chunks: list[bytes] = []
        size = 0
        while chunk := await response.content.readany():
            size += len(chunk)
            if size > self._bound:
                response.close()
                raise self._too_long()
            chunks.append(chunk)
        return b"".join(chunks)

    def _too_long(self) -> Fault:
        return Fault(f"the reply is longer than {self._bound:,} bytes", remedy="fail")
