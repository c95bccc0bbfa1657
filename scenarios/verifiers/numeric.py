"""The answer is a number close enough to the reference."""

import math
import re

from pydantic import Field

from ...memory.records import Task, Verdict
from ..verifier import Verifier

_NUMBER = re.compile(r"[-+−]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:[eE][-+]?\d+)?")


def number(text: str) -> float | None:
    """Read the last number of a text; None when it holds none."""
    found = [m.group() for m in _NUMBER.finditer(text) if any(c.isdigit() for c in m.group())]
    if not found:
        return None
    value = float(found[-1].replace(",", "").replace("−", "-"))
    return value if math.isfinite(value) else None


class Numeric(Verifier):
    """Compare the last number of the answer with the reference."""

    tolerance: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """Largest absolute difference that still counts."""
    relative: float = Field(default=1e-9, ge=0, allow_inf_nan=False)
    """Largest difference as a share of the reference."""

    def judge(self, task: Task, answer: str) -> Verdict:
        """Score 1 when the numbers agree within the tolerances."""
        wanted, given = number(task.answer), number(answer)
        if wanted is None:
            raise ValueError(
                f"task {task.key!r}: reference answer {task.answer!r} holds no number; use verifier 'exact'"
            )
        if given is None:
            return Verdict(score=0.0, reason=f"no number in {answer[:200]!r}")
        if math.isclose(given, wanted, abs_tol=self.tolerance, rel_tol=self.relative):
            return Verdict(score=1.0)
        return Verdict(score=0.0, reason=f"expected {wanted:g}, got {given:g}")
