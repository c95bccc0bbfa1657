"""The answer is a query that finds what the reference's query finds, run on SQLite.

What is compared is the rows, not the words: in any order unless the reference orders them, columns by their place and
not their names. Source of the measure: execution accuracy, Zhong et al. 2017, https://arxiv.org/abs/1709.00103.
"""

import json
import os
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import Field

from ...memory.errors import PartError
from ...memory.files import file_digest
from ...memory.records import Task, Verdict
from ..plain import fenced
from ..verifier import Verifier
from ..worker import Overrun, worker

GRACE = 5.0
"""Seconds after its time in which SQLite notices; then its process is killed."""
SPOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|\[[^\]]*\]|--[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
"""Texts, quoted names and remarks."""


class Found(NamedTuple):
    """What a query gave."""

    columns: int
    rows: list[str]
    """Each as JSON."""


class Unrunnable(Exception):
    """A query that gives nothing to compare."""


class Sql(Verifier):
    """Run both queries, in a process that can be killed, on the task's database, which neither can change.

    A task's `checks`, where it has them, are a script that makes its database in memory; otherwise it is the file of
    the setting.
    """

    database: str = ""
    """SQLite file; in a scenario relative to the scenario's folder."""
    seconds: float = Field(default=5.0, gt=0, le=600)
    """Time of a query."""
    rows: int = Field(default=10_000, gt=0)
    """Rows beyond which an answer is wrong, and a reference an error."""
    memory: int = Field(default=1 << 30, ge=256 << 20)
    """Bytes of address space of the process that runs the queries."""

    def rests_on(self) -> Mapping[str, str]:
        """Digest of the database, where it is a file."""
        there = self.database and Path(self.database).is_file()
        return {"verifier.database": file_digest(Path(self.database))} if there else {}

    def judge(self, task: Task, answer: str) -> Verdict:
        """Score 1 when the rows are equal.

        Raises:
            ValueError: the reference cannot be run, or finds nothing, which any query that finds nothing would equal.
            PartError: there is no database.
        """
        query = fenced(task.answer, "sql", "sqlite")
        try:
            wanted = self._run(task, query)
        except Unrunnable as error:
            raise ValueError(f"task {task.key!r}: its reference query {error}") from None
        if not wanted.rows:
            raise ValueError(f"task {task.key!r}: its reference query finds no row, as any wrong one might")
        try:
            given = self._run(task, fenced(answer, "sql", "sqlite"))
        except Unrunnable as error:
            return Verdict(score=0.0, reason=f"the query {error}")
        return _compared(wanted, given, ordered=_orders(query))

    def _run(self, task: Task, query: str) -> Found:
        script = task.checks if task.checks.strip() else ""
        if not script and not os.path.isfile(self.database):
            raise PartError(f"verifier 'sql': no such database: {self.database!r}; set verifier.database to a file")
        request: dict[str, Any] = {
            "script": script,
            "database": "" if script else self.database,
            "query": query,
            "seconds": self.seconds,
            "rows": self.rows,
        }
        try:
            said = worker("queries", self.memory).ask(request, seconds=self.seconds + GRACE)
        except Overrun as error:
            raise Unrunnable(str(error)) from None
        if "broken" in said:
            raise ValueError(f"task {task.key!r}: its database cannot be read: {said['broken']}")
        if "wrong" in said:
            raise Unrunnable(str(said["wrong"]))
        return Found(said["columns"], [json.dumps(row) for row in said["rows"]])


def _orders(query: str) -> bool:
    """Whether the whole query is ordered, rather than a part in brackets."""
    plain, depth, outside = SPOKEN.sub(" ", query), 0, ""
    for character in plain:
        depth += (character == "(") - (character == ")")
        outside += character if depth == 0 else " "
    return re.search(r"\border\s+by\b", outside, re.IGNORECASE) is not None


def _compared(wanted: Found, given: Found, *, ordered: bool) -> Verdict:
    if wanted.columns != given.columns:
        return Verdict(score=0.0, reason=f"expected {wanted.columns} columns, got {given.columns}")
    due, there = Counter(wanted.rows), Counter(given.rows)
    if wanted.rows == given.rows or (not ordered and due == there):
        return Verdict(score=1.0)
    if due == there:
        return Verdict(score=0.0, reason=f"the right {len(given.rows)} rows in another order")
    shown = "; ".join(
        f"{said} {next(iter(rows)):.100}"
        for said, rows in (("lacks", due - there), ("has besides", there - due))
        if rows
    )
    return Verdict(score=0.0, reason=f"{len(given.rows)} rows for {len(wanted.rows)}: {shown}")
