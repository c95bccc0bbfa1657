"""Judges tried on answers whose verdict is known; who fails does not gate.

A judge passes only where the exact bound of each measure says so, so one that was not heard, or on too few tasks, fails
as well. Half the answers behind κ are right whatever the judge says, so chance agreement is one half and a bound on
the agreement is one on κ.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from ...memory.auditions import Audition, Tally
from ...memory.inference import Model
from ...memory.statistics import rate_upper
from ...memory.trace import span
from .golden import Item, Trial
from .panel import Word, question, vote

AGREES = 0.5
"""κ that a judge has at least: moderate agreement (Landis and Koch 1977, https://doi.org/10.2307/2529310), surely."""
FOOLED = 0.4
"""Share of empty, padded or turned answers that takes a judge in at most, surely."""
TRAPS: Mapping[Trial, str] = {
    "null": "accepts {} of {} answers that are none",
    "padded": "accepts {} of {} wrong answers when they are long",
    "turned": "changes its mind on {} of {} when the answer stands first",
}
"""What takes a judge in, and how it is said."""

Words = Mapping[tuple[Trial, int], Word | None]
"""What was said of every item, by what was tried and on which task."""


async def audition(judges: Mapping[str, str], items: Sequence[Item], model: Model, *, system: str) -> list[Audition]:
    """Have every judge look at every item, and say which judges are sound.

    Args:
        judges: prompt templates by name, as the panel has them.
        items: from `golden`.
        model: who judges.
        system: what every judge is told first.
    """
    asked = [(name, item) for name in judges for item in items]
    requests = [question(judges[name], item.task, system=system, turned=item.trial == "turned") for name, item in asked]
    with span("audition", items=len(items), judges=len(judges)):
        replies = await model.ask(requests) if requests else []
    words: dict[str, dict[tuple[Trial, int], Word | None]] = {name: {} for name in judges}
    for (name, item), reply in zip(asked, replies, strict=True):
        words[name][item.trial, item.place] = vote(name, reply).word
    return [measure(name, items, words[name]) for name in judges]


def measure(judge: str, items: Sequence[Item], words: Words) -> Audition:
    """Count what a judge got right, and what took it in."""
    said: Counter[Word] = Counter(word for word in words.values() if word is not None)
    known = [item for item in items if item.trial in ("right", "wrong")]
    agreed = Tally(count=sum(_agrees(item, words) for item in known), of=len(known))
    fooled: dict[Trial, Tally] = {trial: _fooled(trial, items, words) for trial in TRAPS}
    low = 2 * (1 - rate_upper(agreed.of - agreed.count, agreed.of)) - 1
    faults = _faults(said, agreed, low, fooled)
    return Audition(
        judge=judge,
        agreed=agreed,
        kappa=2 * agreed.count / agreed.of - 1 if agreed.of else 0.0,
        kappa_low=low,
        nulls=fooled["null"],
        swayed=fooled["padded"],
        turned=fooled["turned"],
        words={word: said[word] for word in sorted(said)},
        sound=not faults,
        reason="; ".join(faults) or "passed",
    )


def _agrees(item: Item, words: Words) -> bool:
    """Whether a judge took an answer for what it is; one that could not be read did not."""
    word = words[item.trial, item.place]
    return word is not None and (word != "bad") == item.right


def _fooled(trial: Trial, items: Sequence[Item], words: Words) -> Tally:
    """Items of a kind that took a judge in, of those it was heard on."""
    heard = [item for item in items if item.trial == trial and words[trial, item.place] is not None]
    return Tally(count=sum(not _agrees(item, words) and _knew(item, words) for item in heard), of=len(heard))


def _knew(item: Item, words: Words) -> bool:
    """Whether a judge was right about an answer as it usually stands; only what it knew can be turned."""
    usual: Trial = "right" if item.right else "wrong"
    return item.trial != "turned" or _agrees(item._replace(trial=usual), words)


def _faults(said: Mapping[Word, int], agreed: Tally, low: float, fooled: Mapping[Trial, Tally]) -> list[str]:
    """Everything that keeps a judge from deciding."""
    if not said:
        return ["could not be read" if agreed.of else "no training task to try it on"]
    if len(said) == 1:
        return [f"says {next(iter(said))!r} whatever it is shown"]
    faults = [f"agrees with {agreed.count} of {agreed.of} known verdicts (κ may be {low:.2f})"] if low < AGREES else []
    for trial, words in TRAPS.items():
        count, of = fooled[trial].count, fooled[trial].of
        if rate_upper(count, of) > FOOLED:
            faults.append(words.format(count, of))
    return faults
