"""One item that needs what two items need: the weakness at hand joined with another one of the skill."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ..operator import Item, Operator

PROMPT = """\
Each of these is a pair of tasks of the skill {{ skill | tojson }} with their right answers, under a number; after the
numbered items there are examples of the form that tasks have.
{{ data }}
{% if data_weakness %}
The student fails where the following holds; the first task of a pair is of that kind, the second one of another.
{{ data_weakness }}
{% endif %}
Write one new task for each number that can only be solved by whoever can do both: what the first task asks for and
what the second one does, in one question with one right answer. Keep to the form, character by character. Work the
answer out step by step before you write it down."""


class Compositional(Operator):
    """Two difficulties in one item."""

    takes: ClassVar[int] = 2

    prompt: str = PROMPT
    """Prompt for new items."""

    def show(self, items: Sequence[Item]) -> Mapping[str, Any]:
        """Both items, the second one beside the first."""
        first, second = items
        return {**first.shown(), "to be joined with": second.shown()}
