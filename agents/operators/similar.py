"""Another item of the same kind: the same structure, other content."""

from ..operator import Operator

PROMPT = """\
Each of these is a task of the skill {{ skill | tojson }} with its right answer, under a number; after the numbered
items there are examples of the form that tasks have.
{{ data }}
{% if data_weakness %}
The student fails where the following holds; every new task must exercise exactly that.
{{ data_weakness }}
{% endif %}
Write one new task for each number: it takes the same steps to solve, with other content. Keep to the form, character
by character. Work the answer out step by step before you write it down; where there is a document, it must follow from
it."""


class Similar(Operator):
    """Same structure, other content."""

    prompt: str = PROMPT
    """Prompt for new items."""
