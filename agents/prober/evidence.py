"""Whether what a prober reports is borne out, by failing attempts whose right answers are known."""

from collections.abc import Mapping, Sequence
from typing import Any

from ...memory.records import Attempt
from ..rules import corrected, foreseen, separation, under
from ..teacher import Hypothesis
from .bench import Bench

WORDS = 300
"""Characters of an explanation that are kept."""


def weigh(
    said: Mapping[str, Any], bench: Bench, attempts: Sequence[Attempt], *, offered: int, fewest: int
) -> Hypothesis | str:
    """A hypothesis with its evidence, or why there is none.

    Args:
        said: explanation, features and the questions that count as evidence.
        bench: what was asked, and what came of it.
        attempts: what probing showed of the skill; it was not chosen by the prober.
        offered: features that could have been named.
        fewest: confirmed failures that are needed.
    """
    cited = [bench.attempts[q] for q in said["questions"] if q in bench.attempts]
    # the same task in another spelling is no further evidence
    failed = list({a.task.key: a for a in cited if not a.verdict.passed}.values())
    if len(failed) < fewest:
        return f"{len(failed)} of these are failures whose right answer is known; {fewest} are needed"
    rule = tuple(sorted(set(said.get("features", ()))))
    if len(own := under(failed, rule)) < fewest:
        return f"{len(own)} of these failures have all the features named; {fewest} must"
    probed = under(attempts, rule)
    p_value = corrected(separation(probed, attempts), offered) if rule else 1.0
    words = " ".join(str(said["explanation"]).split())[:WORDS]
    seen = [*probed, *under(list(bench.attempts.values()), rule)]
    return Hypothesis(bench.skill, words, rule, tuple(a.id for a in own), foreseen(seen), p_value)
