"""Worked reasoning before a known answer: kept only where it leads to that answer.

Source: rationales that are kept where they reach the right answer, Zelikman et al. 2022, arXiv:2203.14465.
"""

from typing import Any, ClassVar

from pydantic import Field

from ..operator import Operator

PROMPT = """\
Each of these is a task of the skill {{ skill | tojson }} with its right answer, under a number; after the numbered
items there are examples of the form that tasks have.
{{ data }}
For each number, write the reasoning that leads from the question to the answer, as a student should think: short steps
in order, each following from what stands before it, nothing that is only known from the answer. Do not begin from the
answer. Then give the answer to which your reasoning leads, in the form of the examples; if it leads elsewhere than
where it should, give that all the same."""


class Rationale(Operator):
    """Reasoning before the answer."""

    asks: ClassVar[tuple[str, ...]] = ("reasoning", "solution")

    prompt: str = PROMPT
    """Prompt for new items."""
    most: int = Field(default=400, ge=16)
    """Characters that a reasoning may have."""

    @property
    def room(self) -> int:
        """As many as the reasoning may have, and what stands around it."""
        return self.most + 1

    def properties(self) -> dict[str, Any]:
        """The reasoning first, and no longer than it may be."""
        return {**super().properties(), "reasoning": {"type": "string", "minLength": 1, "maxLength": self.most}}
