"""The smallest edit of an item that changes its answer, so that what decides the answer is learned.

Source: counterfactually augmented data, Kaushik et al. 2019, arXiv:1909.12434.
"""

from ...memory.records import Sample
from ..operator import Operator

PROMPT = """\
Each of these is a task of the skill {{ skill | tojson }} with its right answer, under a number; after the numbered
items there are examples of the form that tasks have.
{{ data }}
{% if data_weakness %}
The student fails where the following holds; it must hold for the edited task as well.
{{ data_weakness }}
{% endif %}
For each number, edit the question as little as possible so that its right answer is another one, and give that answer.
Everything that need not change stays as it is, character by character. Work the new answer out step by step before you
write it down."""


class Counterfactual(Operator):
    """A minimal edit with another answer."""

    prompt: str = PROMPT
    """Prompt for new items."""

    def fault(self, sample: Sample) -> str | None:
        """Refuse an edit that leaves the answer as it was."""
        before = {parent.answer.strip() for parent in sample.origin.parents} if sample.origin else set[str]()
        if sample.task.answer.strip() in before:
            return "unchanged: the edit leaves the answer as it was"
        return super().fault(sample)
