"""The answer picks the reference's option among lettered ones."""

import re

from pydantic import field_validator

from ...memory.records import Task, Verdict
from ..verifier import Verifier

LONGEST = 20_000
"""Characters of an answer's end that are looked at."""


class Choice(Verifier):
    """Find the option that an answer settles on; one that settles on none, or names several, is wrong.

    Looked for in this order: the whole answer, an option in `\\boxed{}`, the last "answer is" or "option", an option
    that heads the last or the first line, and the only one that stands in brackets.
    """

    options: tuple[str, ...] = ("A", "B", "C", "D", "E", "F", "G", "H", "I", "J")
    """The options' letters or numbers; capitals are the same as small letters."""

    @field_validator("options")
    @classmethod
    def _distinct(cls, options: tuple[str, ...]) -> tuple[str, ...]:
        if len({option.strip().casefold() for option in options}) < max(2, len(options)) or not all(
            option.strip() for option in options
        ):
            raise ValueError("needs two options or more, all different and none empty")
        return options

    def judge(self, task: Task, answer: str) -> Verdict:
        """Score 1 when the answer settles on the reference's option.

        Raises:
            ValueError: the reference is no option.
        """
        wanted, given = self._found(task.answer), self._found(answer[-LONGEST:])
        if wanted is None:
            raise ValueError(
                f"task {task.key!r}: reference answer {task.answer!r} is none of {', '.join(self.options)}; set options"
            )
        if given is None:
            return Verdict(score=0.0, reason=f"no option in {answer[:200]!r}")
        if given == wanted:
            return Verdict(score=1.0)
        return Verdict(score=0.0, reason=f"expected {wanted}, got {given}")

    def _found(self, text: str) -> str | None:
        one = "|".join(sorted(map(re.escape, self.options), key=len, reverse=True))
        lines = [line for line in text.strip().splitlines() if line.strip()] or [""]
        bare = rf"[*_`\s]*[(\[]?\s*({one})\s*[)\].:]*[*_`\s]*"
        headed = rf"[*_`\s]*(?:[(\[]({one})[)\]]|({one})[).:](?=\s|$))"
        said = rf"\b(?:answer|option|choice)(?:\s+is|\s*:)?\s*[:*_`]*\s*[(\[]?({one})(?![\w'’])"
        for found in (
            re.findall(rf"\A{bare}\Z", text, re.IGNORECASE),
            re.findall(rf"\\boxed\{{\s*(?:\\text\{{)?\s*[(]?({one})[)]?\s*\}}", text, re.IGNORECASE)[-1:],
            re.findall(said, text, re.IGNORECASE)[-1:],
            [m.group(1) or m.group(2) for m in (re.match(headed, lines[-1], re.IGNORECASE),) if m],
            [m.group(1) or m.group(2) for m in (re.match(headed, lines[0], re.IGNORECASE),) if m],
            re.findall(rf"[(\[]({one})[)\]]", text, re.IGNORECASE),
        ):
            named = {self._spelled(option) for option in found}
            if named:
                return named.pop() if len(named) == 1 else None
        return None

    def _spelled(self, found: str) -> str:
        return next(option for option in self.options if option.casefold() == found.casefold())
