"""Evolved instructions: a question made deeper by one of several methods, or another of its kind that is rarer.

Source: Evol-Instruct, Xu et al. 2023, arXiv:2304.12244 (appendix, prompts for in-depth and in-breadth evolving), with
the methods as they stand there and the frame as this project's schema needs it.
"""

from random import Random

from pydantic import Field

from ..operator import Operator

PROMPT = """\
Each of these is a task of the skill {{ skill | tojson }} with its right answer, under a number; after the numbered
items there are examples of the form that tasks have.
{{ data }}
{% if data_weakness %}
The student fails where the following holds; it must hold for the new task as well.
{{ data_weakness }}
{% endif %}
Rewrite the question under each number into a more complex version, a bit harder to handle. It must be reasonable, and
must be understood and responded by humans. Use the following method: {{ method }}
Do not make it verbose: add 10 to 20 words at most. It stays a task of this skill with one right answer, which you work
out step by step before you write it down. Do not speak of the old question in the new one."""

METHODS = {
    "constraints": "Please add one more constraint or requirement into the given task.",
    "deepening": "If the given task contains inquiries about certain issues, the depth and breadth of the inquiry can "
    "be increased.",
    "concretizing": "Please replace general concepts with more specific concepts.",
    "reasoning": "If the given task can be solved with just a few simple thinking processes, you can rewrite it to "
    "explicitly request multiple-step reasoning.",
    "breadth": "Draw inspiration from the given task to create a brand new one of the same domain, but even more rare, "
    "of similar length and complexity.",
}


class Evolved(Operator):
    """A question evolved by a method drawn at random."""

    prompt: str = PROMPT
    """Prompt for new items; its `method` is one of the methods."""
    methods: dict[str, str] = Field(default=METHODS, min_length=1)
    """Methods by name; each request takes one of them."""

    def method(self, rng: Random) -> str:
        """One of the methods."""
        return self.methods[rng.choice(sorted(self.methods))]
