"""The answer matches a pattern, and what it captures is the reference."""

import re

from pydantic import field_validator

from ...memory.records import Task, Verdict
from ..verifier import Verifier

LONGEST = 10_000
"""Characters of an answer that are looked at: a pattern may be slow on a hostile text."""


class Regex(Verifier):
    """Search the answer; group 1, if the pattern has one, must be the reference."""

    pattern: str
    """Python regular expression; `{answer}` stands for the reference answer, taken literally."""

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            re.compile(pattern.replace("{answer}", "x"))
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from None
        return pattern

    def judge(self, task: Task, answer: str) -> Verdict:
        """Score 1 when the pattern is found and its group 1 equals the reference."""
        found = re.search(self.pattern.replace("{answer}", re.escape(task.answer)), answer[:LONGEST])
        if found is None:
            return Verdict(score=0.0, reason=f"{self.pattern!r} not found in {answer[:200]!r}")
        if found.re.groups and (found.group(1) or "").strip() != task.answer.strip():
            return Verdict(score=0.0, reason=f"expected {task.answer!r}, found {found.group(1)!r}")
        return Verdict(score=1.0)
