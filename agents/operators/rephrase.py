"""The same question in other words; the answer stays what it is."""

from typing import ClassVar

from ..operator import Operator

PROMPT = """\
Each of these is a task of the skill {{ skill | tojson }} with its right answer, under a number; after the numbered
items there are examples of the form that tasks have.
{{ data }}
For each number, ask the same in another way: other words, another order, another way to put it. Nothing that decides
the answer may be added, lost or changed: the given answer must be the one right answer to your question, letter by
letter. Whoever reads your question has not seen the old one."""


class Rephrase(Operator):
    """Other words, same answer."""

    asks: ClassVar[tuple[str, ...]] = ("question",)

    prompt: str = PROMPT
    """Prompt for new items."""
