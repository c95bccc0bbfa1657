"""From an answer, and from the document it stands in where there is one, to the question that asks for it.

Source: instruction back-translation, Li et al. 2023, arXiv:2308.06259.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ..operator import Item, Operator

PROMPT = """\
Each of these is an answer to a task of the skill {{ skill | tojson }}, under a number, with the document that it was
taken from where there is one; the task is not known. After the numbered items there are examples of the form that
tasks have.
{{ data }}
{% if data_weakness %}
The student fails where the following holds; every question must exercise exactly that.
{{ data_weakness }}
{% endif %}
For each number, write the question to which this is the one right answer. Whoever is asked does not see the document,
so the question must hold all that is needed. Keep to the form of the examples, character by character, and check that
the answer comes out, letter by letter."""


class BackTranslation(Operator):
    """The question for an answer."""

    asks: ClassVar[tuple[str, ...]] = ("question",)

    prompt: str = PROMPT
    """Prompt for new items."""

    def show(self, items: Sequence[Item]) -> Mapping[str, Any]:
        """All but the question."""
        return {name: text for name, text in items[0].shown().items() if name in ("solution", "document")}
