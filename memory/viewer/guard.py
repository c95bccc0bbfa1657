"""Who may see a page: this machine alone, or whoever brings the token; never a page of another site.

A name that an attacker's DNS points here arrives with that name as its Host, so only addresses written as numbers,
`localhost` and the name listened on are answered. Nothing but GET and HEAD is, unless the viewer takes decisions: then
a POST that a page of ours sent, which its Origin must say, by a visitor who brought the token.
"""

import hashlib
import hmac
import ipaddress
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from typing import NamedTuple
from urllib.parse import urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "evolvent_view"
LEAST = 16
"""Characters a token has at least."""
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
TAKING = {**HEADERS, "referrer-policy": "same-origin"}
"""Headers where decisions are taken: without a referrer of its own a form would be sent with `Origin: null`."""


class Refusal(NamedTuple):
    """Why a request is not answered."""

    status: int
    reason: str


class Guard:
    """Lets through what may be answered, and puts the same headers on every answer.

    Args:
        app: what answers.
        host: name or address listened on.
        token: secret every visitor must bring; None where only this machine can reach the page.
        writes: whether decisions are taken; it needs a token.
    """

    def __init__(self, app: ASGIApp, *, host: str, token: str | None, writes: bool = False) -> None:
        self.app = app
        self.host = host
        self.token = token
        self.writes = writes and token is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request or pass it on."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        answer = self._answer(Request(scope))
        await (answer or self.app)(scope, receive, _with_headers(send, (TAKING if self.writes else HEADERS).items()))

    def _answer(self, request: Request) -> Response | None:
        """A refusal, or the way in for who brings the token in the address; None to pass on."""
        refused = refusal(
            request.method, request.headers, host=self.host, remote=self.token is not None, writes=self.writes
        )
        if refused is None and self.token is not None:
            if (given := request.query_params.get("token")) is not None and _same(given, self.token):
                return self._welcome(request, self.token)
            if not self._known(request, self.token):
                refused = Refusal(401, "bring the token: add ?token=… to the address")
        return PlainTextResponse(f"{refused.reason}\n", refused.status) if refused else None

    def _welcome(self, request: Request, token: str) -> Response:
        """Keep the secret in a cookie and take it out of the address, where it would be copied and logged."""
        rest = [(key, value) for key, value in request.query_params.multi_items() if key != "token"]
        path = "/" + request.scope["path"].lstrip("/")
        answer = RedirectResponse(f"{path}?{urlencode(rest)}" if rest else path, 303)
        answer.set_cookie(COOKIE, _mark(token), httponly=True, samesite="strict")
        return answer

    def _known(self, request: Request, token: str) -> bool:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and _same(given.strip(), token):
            return True
        try:
            cookie = SimpleCookie(request.headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            return False
        return cookie is not None and _same(cookie.value, _mark(token))


def refusal(method: str, headers: Headers, *, host: str, remote: bool, writes: bool = False) -> Refusal | None:
    """Say why a request must not be answered, whoever sent it; None if it may.

    Args:
        method: of the request.
        headers: of the request.
        host: name or address listened on.
        remote: whether other machines may ask.
        writes: whether decisions are taken.
    """
    if method not in ("GET", "HEAD") and not (writes and method == "POST"):
        return Refusal(405, "the viewer only reads: GET or HEAD")
    hosts = headers.getlist("host")
    if len(hosts) != 1 or not _ours(hosts[0], host, remote=remote):
        return Refusal(421, "not a name of this viewer; open it under its address or localhost")
    origins = headers.getlist("origin")
    if any(o not in (f"http://{hosts[0]}", f"https://{hosts[0]}") for o in origins):
        return Refusal(403, "asked for by a page of another site")
    if method == "POST" and (len(origins) != 1 or headers.get("sec-fetch-site", "same-origin") != "same-origin"):
        return Refusal(403, "a decision is sent by a page of this viewer alone")
    foreign = headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
    if foreign and headers.get("sec-fetch-mode") != "navigate":
        return Refusal(403, "asked for by a page of another site")
    return None


def loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _ours(header: str, host: str, *, remote: bool) -> bool:
    name, port = _split(header)
    if port and not (port.isascii() and port.isdigit()):
        return False
    if loopback(name):
        return True
    if not remote:
        return False
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name == host
    return True


def _split(header: str) -> tuple[str, str]:
    """Name and port of a Host header; a name that no server has where it is malformed."""
    if header.startswith("["):
        name, closed, port = header[1:].partition("]")
        return (name, port[1:]) if closed and (not port or port[0] == ":") and ":" in name else ("", "")
    name, _, port = header.partition(":")
    return name.lower(), port


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode("utf-8", "replace"))


def _mark(token: str) -> str:
    return hashlib.sha256(f"evolvent viewer {token}".encode()).hexdigest()


def _with_headers(send: Send, more: Iterable[tuple[str, str]]) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in more:
                headers[name] = value
        await send(message)

    return sent
