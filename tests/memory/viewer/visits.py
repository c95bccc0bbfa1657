"""Visiting the viewer without a network, and what a visitor checks."""

import asyncio
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

from starlette.testclient import TestClient
from starlette.types import Message

from evolvent.memory.viewer.app import application
from evolvent.memory.viewer.pages.exam import Tasks
from evolvent.memory.viewer.places import Library

HERE = "http://127.0.0.1:7411"
_FRAME = (
    "html head meta title link script body a div nav ol ul li form input main header h1 h2 h3 p span section footer"
)
_INSIDE = (
    "table caption thead tbody tr th td b i small strong code mark del ins pre br kbd details summary label select"
)
_DRAWN = "option button textarea svg g rect line circle path text desc"
TAGS = frozenset(f"{_FRAME} {_INSIDE} {_DRAWN}".split())
"""Every kind of element the viewer makes."""
VOID = ("meta", "link", "input", "br")


def visit(
    runs: Path | list[Path], *, token: str | None = None, host: str = "127.0.0.1", tasks: Tasks | None = None
) -> TestClient:
    return TestClient(
        application(Library(runs), host=host, token=token, tasks=tasks), base_url=HERE, follow_redirects=False,
        raise_server_exceptions=True,
    )  # fmt: skip


def raw(client: TestClient, path: str) -> tuple[int, str]:
    """Status and text of a path exactly as it stands: clients tidy `..` away before they send anything."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http", "http_version": "1.1", "method": "GET", "scheme": "http", "path": unquote(path),
        "raw_path": path.encode(), "query_string": b"", "headers": [(b"host", b"127.0.0.1")], "root_path": "",
        "server": ("127.0.0.1", 7411), "client": ("127.0.0.1", 9),
    }  # fmt: skip

    async def ask() -> None:
        await client.app(scope, receive, send)

    asyncio.run(ask())
    body = b"".join(message.get("body", b"") for message in sent)
    return int(sent[0]["status"]), body.decode()


class Seen(HTMLParser):
    """Elements, attributes, links and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.opened: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.scripts: list[str | None] = []
        self.text = ""
        self.faults: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "action")]
        if tag == "script":
            self.scripts.append(dict(attrs).get("src"))
        if tag not in VOID:
            self.opened.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.opened or self.opened.pop() != tag:
            self.faults.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self.text += data


def assert_ours(html: str) -> Seen:
    """Nothing on the page but what the viewer makes: no foreign element, handler, script, style or address."""
    seen = assert_made(html)
    assert seen.scripts == ["/assets/view.js"]
    assert [link for link in seen.links if not re.match(r"[/#?]", link) or link.startswith("//")] == []
    return seen


def assert_made(html: str) -> Seen:
    """Every element is whole and of a kind the viewer makes, and none has a handler or a style."""
    seen = Seen(html)
    assert seen.faults == []
    assert seen.opened == []
    assert seen.tags <= TAGS
    assert [a for a in seen.attributes if a.startswith("on") or a == "style"] == []
    return seen


def every_page(client: TestClient, run: str, *, each: int = 8) -> dict[str, str]:
    """Pages of a run that can be reached by following links, so many of each kind."""
    seen: dict[str, str] = {}
    waiting: list[str] = [f"/runs/{run}"]
    kinds: dict[str, int] = {}
    while waiting:
        address = waiting.pop(0)
        kind = re.sub(r"[0-9a-f]{8,}|\d+", "#", address.split("?")[0])
        if address in seen or kinds.get(kind, 0) >= each:
            continue
        kinds[kind] = kinds.get(kind, 0) + 1
        answer = client.get(address)
        assert answer.status_code == 200, (address, answer.text)
        seen[address] = answer.text
        waiting += [link.split("#")[0] for link in Seen(answer.text).links if link.startswith(f"/runs/{run}")]
    return seen


def kinds_of(addresses: Sequence[str], run: str) -> set[str]:
    """First word after the run's name in every address."""
    return {address.removeprefix(f"/runs/{run}").split("?")[0].strip("/").split("/")[0] for address in addresses}
