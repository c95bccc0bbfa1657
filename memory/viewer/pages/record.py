"""Any record of the ledger as it was written."""

import json
from collections.abc import Mapping

from ...errors import RunError
from ...reading import Run
from ...records import Record
from ..difference import compare
from ..frame import Page
from ..markup import safe, section, table, visible
from ..places import to

LONGEST = 50_000
"""Characters shown of one record."""


def page(run: Run, asked: Mapping[str, str]) -> Page:
    """Show a record.

    Raises:
        RunError: there is none with this id.
    """
    kinds = [record.kind for record in Record.__subclasses__()]
    rows = run.ledger.rows(
        f"select kind, id, body from records where kind in ({', '.join('?' * len(kinds))}) and id = ? limit 1",  # noqa: S608
        *kinds,
        asked["id"],
    )
    if not rows:
        raise RunError(f"no record {asked['id']!r} in this run")
    kind, id, body = rows[0]
    found = json.loads(body)
    text = json.dumps(found, ensure_ascii=False, indent=2)
    cut = f" … {len(text) - LONGEST:,} more characters" if len(text) > LONGEST else ""
    shown = [section("record", "As it was written", "", f"<pre>{safe(visible(text[:LONGEST]))}{cut}</pre>")]
    if kind == "attempt":
        shown.insert(0, _answer(str(found["answer"]), str(found["task"]["answer"])))
    trail = [("/", "sessions"), (to(run.name), run.session.name)]
    return Page(f"{kind} {id[:8]}", shown, trail=trail, run=run.name)


def _answer(said: str, expected: str) -> str:
    sides = compare(said, expected)
    shown = table("Compared", ["the student said", "expected"], [[sides.left, sides.right]], kind="texts pairwise")
    return section("answer", "The answer", "", shown)
