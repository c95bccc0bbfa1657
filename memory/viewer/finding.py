"""Where a text occurs in the records of a session: prompts, answers, hypotheses, critiques, reasons."""

import json
from typing import NamedTuple

from ..ledger import Ledger

WINDOW = 50_000
"""Records looked through at once; their bodies are longer than spans."""
AROUND = 60
"""Characters shown before and after."""
PAGES = {"sample": "samples", "weakness": "weaknesses"}
"""Kinds that have a page of their own; the others are shown as they were written."""


class Found(NamedTuple):
    """One record that holds the text."""

    kind: str
    id: str
    round: int | None
    excerpt: str

    @property
    def page(self) -> tuple[str, str]:
        """Where it is shown."""
        return PAGES.get(self.kind, "records"), self.id


def records(ledger: Ledger, text: str, *, before: int | None = None, limit: int = 50) -> tuple[list[Found], int | None]:
    """Look through one window of records, latest first; also give the place to search on before, if there is more."""
    newest = ledger.rows("select coalesce(max(seq), 0) from records")[0][0]
    top = int(newest) + 1 if before is None else before
    bottom = max(0, top - 1 - WINDOW)
    # bodies are JSON, so what is looked for is written as JSON writes it
    wanted = json.dumps(text, ensure_ascii=False)[1:-1]
    pattern = "%" + wanted.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    rows = ledger.rows(
        "select seq, kind, id, round, body from records where seq > ? and seq < ? and body like ? escape '\\' "
        "order by seq desc limit ?",
        bottom,
        top,
        pattern,
        limit,
    )
    rest = int(rows[-1][0]) if len(rows) == limit else bottom + 1
    return [
        Found(kind, id, round, _excerpt(body, wanted)) for _, kind, id, round, body in rows
    ], rest if rest > 1 else None


def _excerpt(body: str, wanted: str) -> str:
    at = max(0, body.lower().find(wanted.lower()))
    start, end = max(0, at - AROUND), at + len(wanted) + AROUND
    return f"{'…' if start else ''}{body[start:end]}{'…' if end < len(body) else ''}"
