"""What a person decided of a sample that was kept, and what that makes of its fate."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal

from .ledger import Ledger
from .records import Fate, Record

Action = Literal["accept", "edit", "reject"]


class Review(Record):
    """A person's decision on one sample; there is one at most."""

    kind: ClassVar[str] = "review"
    filed = ("round", "sample")

    sample: str
    round: int
    action: Action
    by: str
    """Who decided, as they call themselves."""
    reason: str = ""
    edited: str | None = None
    """The sample that stands in its place, where it was edited."""

    @property
    def said(self) -> str:
        """The decision in words."""
        what = {"accept": "accepted", "edit": "edited", "reject": "rejected"}[self.action]
        return f"{what} by {self.by}{f': {self.reason}' if self.reason else ''}"


def settle(fates: Iterable[Fate], reviews: Mapping[str, Review]) -> list[Fate]:
    """Give fates as a person left them: what was edited or rejected is not trained on.

    Args:
        fates: as curation left them.
        reviews: by sample.
    """
    return [_settled(fate, reviews.get(fate.sample)) for fate in fates]


def settled(ledger: Ledger, *, round: int | None = None) -> list[Fate]:
    """Fates as they stand, of one round or of all."""
    reviews = {review.sample: review for review in ledger.read(Review, round=round)}
    return settle(ledger.read(Fate, round=round), reviews)


def tally(ledger: Ledger) -> dict[str, Any]:
    """What people decided, and who, as `reviews`; nothing where nobody was asked."""
    reviews = ledger.read(Review)
    if not reviews:
        return {}
    counts = Counter[str](review.action for review in reviews)
    named = {action: counts[action] for action in ("accept", "edit", "reject")}
    return {"reviews": {**named, "by": sorted({review.by for review in reviews})}}


def _settled(fate: Fate, review: Review | None) -> Fate:
    if review is None or review.action == "accept" or not fate.kept:
        return fate
    return fate.model_copy(update={"kept": False, "reason": f"review: {review.said}"})


JOIN = "left join records v on v.kind = 'review' and v.subject = s.id and json_extract(v.body, '$.action') <> 'accept'"
"""Joins what a person turned down, as `v`, to samples `s`."""
KEPT = "case when v.id is null then json_extract(f.body, '$.kept') else 0 end"
"""Whether a sample was kept, as SQL over `JOIN` and fates `f`."""
REASON = """\
case when v.id is null then json_extract(f.body, '$.reason') else 'review: '
  || case json_extract(v.body, '$.action') when 'edit' then 'edited' else 'rejected' end
  || ' by ' || json_extract(v.body, '$.by')
  || case json_extract(v.body, '$.reason') when '' then '' else ': ' || json_extract(v.body, '$.reason') end end"""
"""Why, likewise."""
