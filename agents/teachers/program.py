"""A teacher that is a program: it infers what failures share and writes new tasks with that structure.

Diagnosis is subgroup discovery by sequential covering: among all features of the source and pairs of them, take the
rule whose tasks fail most surely (exact test, corrected for every rule tried), set the failures it explains aside,
look again. The vocabulary is the source's, some hundred features; which of them matter is what the data say.
"""

from collections.abc import Container, Iterable, Sequence
from itertools import combinations
from random import Random

from pydantic import Field

from ...memory.inference import NOBODY, Models
from ...memory.records import Attempt, Sample, Share, Weakness
from ...memory.statistics import fisher
from ...scenarios.splits import Splits
from ..judging.spoiling import spoil
from ..operating import NOTHING, Material
from ..teacher import Hypothesis, Teacher

Rule = tuple[str, ...]
LAPLACE = 1.0
"""Added to passes and failures when a pass rate is foreseen: a rule that never passed may still pass sometimes."""


class Program(Teacher):
    """Infer rules from failures, write tasks by program, answer them by another."""

    errs: float = Field(default=0.0, ge=0, le=1)
    """Share of samples answered wrongly on purpose, so that critique has something to catch."""
    significance: float = Field(default=0.01, gt=0, lt=1)
    """Corrected p-value from which a rule is believed."""
    fewest: int = Field(default=4, ge=1)
    """Failures a rule must explain."""
    unexplained: float = Field(default=0.1, gt=0, le=1)
    """Share of a skill's attempts that fails without a rule from which the whole skill counts as weak."""
    widest: int = Field(default=12, ge=1)
    """Single features that are combined into pairs, the best ones first."""

    async def diagnose(
        self, skill: str, attempts: Sequence[Attempt], elsewhere: Sequence[Attempt], splits: Splits, *,
        models: Models = NOBODY,
    ) -> list[Hypothesis]:  # fmt: skip
        """Cover the failures of a skill by rules, most certain first."""
        del models
        passes = [a for a in attempts if a.verdict.passed]
        failures = [a for a in attempts if not a.verdict.passed]
        found: list[Hypothesis] = []
        remaining = failures
        while len(remaining) >= self.fewest and (best := self._best(remaining, passes)) is not None:
            rule, p_value = best
            explained = [a for a in remaining if _holds(rule, a)]
            found.append(self._hypothesis(skill, rule, p_value, explained, passes, splits))
            remaining = [a for a in remaining if not _holds(rule, a)]
        if len(remaining) >= max(self.fewest, self.unexplained * len(attempts)):
            found.append(self._whole(skill, remaining, passes, elsewhere, splits))
        return found

    async def write(
        self, share: Share, weakness: Weakness | None, count: int, splits: Splits, *, attempt: int,
        beside: Container[str] = (), material: Material = NOTHING, models: Models = NOBODY,
    ) -> list[Sample]:  # fmt: skip
        """Draw fresh training tasks under the rule and answer them."""
        del material, models
        rule = weakness.rule if weakness else ()
        stream = f"write-{share.round}-{attempt}-{weakness.id if weakness else 'any'}"
        tasks = splits.draw(share.skill, "train", count, stream=stream, having=rule, beside=beside)
        rng = Random(f"{splits.seed}/{stream}/errs")
        recipe = f"{splits.source.name}.draw(having={list(rule)!r})"
        failures = weakness.failures[:5] if weakness else ()
        return [
            Sample(
                task=task.model_copy(update={"answer": spoil(task.answer, rng)}) if rng.random() < self.errs else task,
                arm="targeted",
                round=share.round,
                weakness=weakness.id if weakness else None,
                failures=failures,
                teacher=self.name,
                recipe=recipe,
            )
            for task in tasks
        ]

    def _best(self, failures: Sequence[Attempt], passes: Sequence[Attempt]) -> tuple[Rule, float] | None:
        """The rule that separates failures from passes most surely, if any does."""
        singles = sorted({feature for a in failures for feature in a.task.features})
        ranked = sorted((self._p_value((f,), failures, passes), (f,)) for f in singles)
        leading = sorted(f for _, (f,) in ranked[: self.widest])
        pairs = [(self._p_value(pair, failures, passes), pair) for pair in combinations(leading, 2)]
        # pairs are chosen from the best singles, on the same attempts: all pairs there are count as tried
        tried = len(ranked) * (len(ranked) + 1) // 2
        for p_value, rule in sorted([*ranked, *pairs], key=lambda item: (item[0], len(item[1]), item[1])):
            corrected = min(1.0, p_value * tried)
            if corrected > self.significance:
                return None
            if sum(_holds(rule, a) for a in failures) >= self.fewest:
                return rule, corrected
        return None

    def _p_value(self, rule: Rule, failures: Sequence[Attempt], passes: Sequence[Attempt]) -> float:
        """Exact test that tasks under the rule fail more often than the others."""
        hit_f = sum(_holds(rule, a) for a in failures)
        hit_p = sum(_holds(rule, a) for a in passes)
        inside, outside = hit_f + hit_p, len(failures) + len(passes) - hit_f - hit_p
        if not inside or not outside:
            return 1.0
        return fisher(hit_f, inside, len(failures) - hit_f, outside)

    def _hypothesis(
        self,
        skill: str,
        rule: Rule,
        p_value: float,
        explained: Sequence[Attempt],
        passes: Sequence[Attempt],
        splits: Splits,
    ) -> Hypothesis:
        solved = sum(_holds(rule, a) for a in passes)
        words = f"fails in {skill!r} where there is {splits.source.phrase(rule)}"
        return Hypothesis(skill, words, rule, _ids(explained), _foreseen(solved, len(explained)), p_value)

    def _whole(
        self,
        skill: str,
        failures: Sequence[Attempt],
        passes: Sequence[Attempt],
        elsewhere: Sequence[Attempt],
        splits: Splits,
    ) -> Hypothesis:
        """Most of the skill fails: say so, and what tells it from what the student solves elsewhere."""
        contrast = self._best(failures, elsewhere) if elsewhere else None
        unlike = f"; unlike what it solves, there is {splits.source.phrase(contrast[0])}" if contrast else ""
        p_value = contrast[1] if contrast else 1.0
        often = "throughout" if not passes else f"in {len(failures)} of {len(failures) + len(passes)} tasks"
        words = f"fails in {skill!r} {often}{unlike}"
        return Hypothesis(skill, words, (), _ids(failures), _foreseen(len(passes), len(failures)), p_value)


def _holds(rule: Rule, attempt: Attempt) -> bool:
    return all(feature in attempt.task.features for feature in rule)


def _ids(attempts: Iterable[Attempt]) -> tuple[str, ...]:
    return tuple(a.id for a in attempts)


def _foreseen(passed: int, failed: int) -> float:
    return (passed + LAPLACE) / (passed + failed + 2 * LAPLACE)
