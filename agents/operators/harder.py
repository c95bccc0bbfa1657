"""A harder item: one more difficulty of the kind that the skill has."""

from ..operator import Operator

PROMPT = """\
Each of these is a task of the skill {{ skill | tojson }} with its right answer, under a number; after the numbered
items there are examples of the form that tasks have.
{{ data }}
{% if data_weakness %}
The student fails where the following holds; a harder task has more of it.
{{ data_weakness }}
{% endif %}
Write one new task for each number that is harder in one respect: one step more, or the hard step more often. It must
stay a task of this skill that has one right answer, and keep to the form, character by character. Work the answer out
step by step before you write it down."""


class Harder(Operator):
    """One difficulty more."""

    prompt: str = PROMPT
    """Prompt for new items."""
