"""The answer calls the tools that the reference calls, with equal arguments.

Arguments are compared as JSON: the order of names, spaces and the spelling of a number mean nothing, the order of a
list does. Calls of one turn are independent, so their order means nothing either. What is said beside calls is not
judged.
"""

from collections import Counter
from collections.abc import Sequence

from ...memory.records import Task, Verdict
from ...memory.talk import Call, read_calls
from ..plain import canonical
from ..verifier import Verifier

SHOWN = 200
"""Characters of an answer in a reason."""


class ToolCalls(Verifier):
    """Compare calls with the reference's; where that calls nothing, the text."""

    ordered: bool = False
    """Whether the order of the calls has to be the reference's."""
    any_text: bool = False
    """Whether any text that calls nothing is right where the reference calls nothing."""

    def judge(self, task: Task, answer: str) -> Verdict:
        """Score 1 when the calls are equal, or the texts where nothing is to be called."""
        wanted, given = read_calls(task.answer)[1], read_calls(answer)[1]
        if not wanted:
            return self._said(task.answer, answer, given)
        if not given:
            return Verdict(score=0.0, reason=f"expected {_names(wanted)} to be called, got {answer[:SHOWN]!r}")
        own, due = [_canonical(call) for call in given], [_canonical(call) for call in wanted]
        if own == due or (not self.ordered and Counter(own) == Counter(due)):
            return Verdict(score=1.0)
        return Verdict(score=0.0, reason=f"expected {'; '.join(due)}, got {'; '.join(own)[:SHOWN]}")

    def _said(self, wanted: str, answer: str, calls: Sequence[Call]) -> Verdict:
        if calls:
            return Verdict(score=0.0, reason=f"expected a text, got a call of {_names(calls)}")
        if answer.strip() and (self.any_text or answer.strip() == wanted.strip()):
            return Verdict(score=1.0)
        return Verdict(score=0.0, reason=f"expected {wanted!r}, got {answer[:SHOWN]!r}")


def _names(calls: Sequence[Call]) -> str:
    return ", ".join(repr(call.name) for call in calls)


def _canonical(call: Call) -> str:
    """A call in the one spelling that equal calls have."""
    return f"{call.name}({canonical(call.arguments)})"
