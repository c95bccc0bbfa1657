"""The texts of a bundle's pages, as scripts: a page that was opened from disk may load those, and no other data."""

import json
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from typing import NamedTuple

LONGEST = 20_000
"""Characters of one page that are searched."""
CHUNK = 2_000_000
"""Characters of one script, about."""
BEGIN, END = "(self.texts ??= []).push(\n", "\n);\n"


class Text(NamedTuple):
    """One page to be found."""

    name: str
    """Of its file."""
    title: str
    text: str


def text_of(html: str) -> str:
    """What a page says, without its markup, words apart."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return " ".join("".join(reader.parts).split())[:LONGEST]


def chunks(texts: Iterable[Text]) -> Iterator[str]:
    """Give scripts that hold all texts between them."""
    lines: list[str] = []
    size = 0
    for text in texts:
        # ASCII alone, so that nothing in a text can end a line of script
        lines.append(json.dumps(text, ensure_ascii=True))
        size += len(lines[-1])
        if size >= CHUNK:
            yield BEGIN + ",\n".join(lines) + END
            lines, size = [], 0
    if lines:
        yield BEGIN + ",\n".join(lines) + END


class _Reader(HTMLParser):
    """Collects text; what ends a word on the page ends it here."""

    INLINE = frozenset(("b", "i", "a", "code", "mark", "del", "ins", "span"))

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.INLINE:
            self.parts.append(" ")

    def handle_data(self, data: str) -> None:
        self.parts.append(data)
