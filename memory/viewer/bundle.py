"""A run as a folder of files: the viewer's own pages with addresses that work without a server.

Pages are found by following links from the session's page, nearest first, so that a copy is bounded: of each kind of
page it holds so many, and a link to any other leads to a page that says what was left out. What only a server can do
(choosing, opening steps in place, following a session) is not in it; searching is, over the text of its pages.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from html import unescape
from importlib import resources
from pathlib import Path
from posixpath import relpath
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, unquote

from starlette.routing import compile_path

from .. import files
from ..errors import EvolventError
from ..reading import Run
from .app import ASSETS, PAGES, Show, guarded
from .folder import replaced
from .frame import Page, frame
from .markup import code, safe, section, several, table
from .pages import exam
from .places import link, to
from .texts import Text, chunks, text_of

MOST = 500
"""Pages of one kind in a bundle, where no other number is given."""
CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'"
"""As the viewer's own policy, less what only a header can say or only a server needs."""
INDEX, SEARCH, OUT = "index.html", "search.html", "left-out.html"
NAMES = {
    "": "session",
    "/rounds/{round}": "rounds",
    "/skill": "skills",
    "/weaknesses/{id}": "weaknesses",
    "/samples": "lists of samples",
    "/samples/{id}": "samples",
    "/exams": "pairs of exams",
    "/trace": "parts of the trace",
    "/trace/{id}": "steps",
    "/records/{id}": "records",
    "/review": "reviews",
}
"""What a kind of page is called when pages of it are left out."""
_HEAD = (
    f'<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="{CSP}">\n'
    '<meta name="referrer" content="no-referrer">'
)
_PLAIN = re.compile(r"[a-z0-9_-]{1,80}")
# every value on a page is escaped, so a quote ends an attribute and `</form>` a form of ours
_ADDRESS = re.compile(r' (href|action|src)="([^"]*)"')
_SERVED = re.compile(r'<form class="filter".*?</form>|(?<=") data-parts="[^"]*" data-open="[^"]*"', re.DOTALL)


class Bundle(NamedTuple):
    """What was written."""

    folder: Path
    pages: int
    size: int
    """Bytes of all files."""
    left_out: Mapping[str, int]
    """Pages that are linked to and are not there, by what they are called."""


def bundle(run: Run, folder: Path, *, most: int = MOST, tasks: exam.Tasks | None = None) -> Bundle:
    """Write a run as pages that open from disk or from any web host; the same run gives the same bytes.

    Args:
        run: what is copied, as it stands.
        folder: where to; an older bundle there is replaced as a whole.
        most: pages of one kind.
        tasks: draws the items of an exam again.

    Raises:
        UsageError: the folder is a link, holds anything but a bundle, or lies in the run.
    """
    copy = _Copy(run, most, tasks)
    with replaced(folder, run) as staging:
        texts: list[Text] = []
        pages, size = 0, 0
        for name, html, text in copy.pages():
            pages, size = pages + 1, size + _write(staging / name, html.encode())
            texts += [text] if text else []
        indexes = {f"search/{i:03d}.js": content for i, content in enumerate(chunks(texts))}
        assets = resources.files(__package__ or "evolvent.memory.viewer") / "assets"
        rest = {f"assets/{name}": (assets / name).read_bytes() for name in (*ASSETS, "search.js")}
        rest |= {name: content.encode() for name, content in indexes.items()}
        rest |= {OUT: copy.out().encode(), SEARCH: copy.search(list(indexes)).encode()}
        size += sum(_write(staging / name, content) for name, content in rest.items())
        pages += 2
        told = {"run": run.name, "status": run.status, "pages": pages, "most": most, "left_out": copy.left_out()}
        size += _write(staging / "about.json", (json.dumps(told, indent=2, sort_keys=True) + "\n").encode())
    return Bundle(folder, pages, size, copy.left_out())


@dataclass
class _Copy:
    """Which pages a bundle holds, and under which names."""

    run: Run
    most: int
    tasks: exam.Tasks | None
    names: dict[str, str] = field(default_factory=dict[str, str])
    """File of every page in it, by address; a dict keeps their order."""
    counts: dict[str, int] = field(default_factory=dict[str, int])
    missing: dict[str, str] = field(default_factory=dict[str, str])
    """Kind of every page that is linked to and left out, by address."""

    def pages(self) -> Iterator[tuple[str, str, Text | None]]:
        """Give name, content and searchable text of every page, nearest first."""
        waiting = [to(self.run.name)]
        self.names[waiting[0]] = INDEX
        while waiting:
            here = waiting.pop(0)
            known = len(self.names)
            page = self._page(here)
            html = self._static(page, self.names[here])
            waiting += list(self.names)[known:]
            # lists repeat what their pages say
            own = None if "?" in here else Text(self.names[here], page.title, text_of("".join([page.head, *page.body])))
            yield self.names[here], html, own

    def out(self) -> str:
        """The page that links to what was left out lead to."""
        rows = [[safe(name), f"{count:,}"] for name, count in self.left_out().items()]
        lead = (
            f"This is a copy of {several(len(self.names), 'page')} of a session: at most {self.most:,} of each kind, "
            "those nearest to the first. Not in it are pages beyond that, choosing two exams, other sessions, and "
            "steps that open in place."
        )
        more = f"All of it: {code(f'evolvent view {self.run.name}')}, or a larger copy with {code('--most')}."
        shown = table("Pages left out", ["pages of", "linked to from here"], rows, kind="figures slim") if rows else ""
        body = section("left-out", "What was left out", safe(lead), shown, f"<p>{more}</p>")
        return self._static(self._ours("Not in this copy", body), OUT)

    def search(self, indexes: Sequence[str]) -> str:
        """The page that finds texts."""
        form = (
            f'<form class="filter" role="search" action="{SEARCH}"><input type="search" name="q" maxlength="200" '
            'aria-label="Search this copy"><button>search</button></form>'
        )
        told = '<p class="lead" id="told" role="status">Searching takes scripts, and this browser runs none here.</p>'
        body = f'<section id="found" aria-label="found">{told}<ol class="found" id="hits"></ol></section>'
        html = self._static(self._ours("Search", body), SEARCH).replace("<section", f"{form}<section", 1)
        scripts = "".join(f'<script src="{name}" defer></script>\n' for name in (*indexes, "assets/search.js"))
        return html.replace("</head>", f"{scripts}</head>", 1)

    def left_out(self) -> dict[str, int]:
        """Pages that are linked to and not there, by what they are called."""
        found: dict[str, int] = {}
        for kind in self.missing.values():
            found[NAMES[kind]] = found.get(NAMES[kind], 0) + 1
        return dict(sorted(found.items()))

    def _ours(self, title: str, body: str) -> Page:
        return Page(title, [body], trail=[(to(self.run.name), self.run.session.name)], run=self.run.name)

    def _page(self, address: str) -> Page:
        kind, asked = _route(address)
        show: Show = partial(exam.page, tasks=self.tasks) if kind == "/exams" else PAGES[kind]
        try:
            with guarded(self.run.name):
                return show(self.run, asked)
        except EvolventError as error:
            return self._ours("Not here", f'<p class="lead">{safe(error)}</p>')

    def _static(self, page: Page, name: str) -> str:
        """Frame a page so that it works as a file, and note what it leads to."""
        trail = [(address, title) for address, title in page.trail if address != "/"]
        left = link(OUT, "what is not in it")
        note = f"A copy of {safe(self.run.name)}, {safe(self.run.status.split(':')[0])}; {left}."
        html = frame(replace(page, trail=trail, pulse=None, note=note))
        html = _SERVED.sub("", html.replace('<meta charset="utf-8">', _HEAD, 1))
        return _ADDRESS.sub(
            lambda found: f' {found[1]}="{safe(self._place(found[1], unescape(found[2]), name))}"', html
        )

    def _place(self, attribute: str, address: str, here: str) -> str:
        """Where an address leads, seen from a file."""
        if address.startswith("#"):
            return address
        where, _, anchor = address.partition("#")
        target = SEARCH if attribute == "action" else self._file(where)
        if where.startswith(to(self.run.name, "trace")) and (sought := _route(where)[1].get("q")):
            target = f"{SEARCH}?q={quote(sought, safe='')}"
        return relpath(target, Path(here).parent.as_posix()) + (f"#{anchor}" if anchor and target != OUT else "")

    def _file(self, address: str) -> str:
        """Name of the file that a page is in; one that may still come in is noted."""
        if address in (INDEX, SEARCH, OUT) or address == "/":
            return INDEX if address == "/" else address
        if address.startswith("/assets/"):
            return address[1:]
        if (known := self.names.get(address)) is not None:
            return known
        kind = _route(address)[0]
        if address in self.missing or self.counts.get(kind, 0) >= self.most:
            self.missing[address] = kind
            return OUT
        self.counts[kind] = self.counts.get(kind, 0) + 1
        self.names[address] = _name(address, to(self.run.name))
        return self.names[address]


_ROUTES = [(compile_path(f"/runs/{{run}}{path}")[0], path) for path in PAGES]


def _route(address: str) -> tuple[str, dict[str, str]]:
    """Which kind of page an address of ours asks for, and what it asks."""
    path, _, query = address.partition("?")
    for pattern, kind in _ROUTES:
        if found := pattern.match(unquote(path)):
            return kind, {**dict(parse_qsl(query, keep_blank_values=True)), **found.groupdict()}
    raise ValueError(f"{address!r} is no page of the viewer")


def _name(address: str, root: str) -> str:
    """A file name for an address: readable where that is safe, and another for every address."""
    within = address.removeprefix(root).strip("/")
    path, _, query = within.partition("?")
    parts = path.split("/")
    plain = all(map(_PLAIN.fullmatch, parts)) and not query
    stem = "/".join(part if _PLAIN.fullmatch(part) else "page" for part in parts)
    return f"{stem}.html" if plain else f"{stem}/{files.digest(within)}.html"


def _write(path: Path, content: bytes) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return len(content)
