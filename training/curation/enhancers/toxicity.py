"""Words that hurt: samples that hold too many of a list go."""

import re
from collections.abc import Sequence
from functools import cached_property

from pydantic import Field

from ....scenarios.text import normal
from ..enhancer import AS_IS, Change, Enhancer
from ..pool import Context, Pool

WORDS = (
    "arsehole", "asshole", "assholes", "bastard", "bastards", "bitch", "bitches", "bitching", "bullshit", "cocksucker",
    "cunt", "cunts", "dickhead", "dipshit", "douchebag", "dumbass", "fuck", "fucked", "fucker", "fuckers", "fucking",
    "fucks", "goddamn", "go kill yourself", "hope you die", "i will kill you", "jackass", "kill yourself",
    "kys", "moron", "morons", "motherfucker", "motherfuckers", "motherfucking", "piece of shit", "pissed off", "prick",
    "scumbag", "shit", "shithead", "shitty", "shut the hell up", "slut", "sluts", "son of a bitch", "subhuman",
    "twat", "vermin like you", "wanker", "whore", "whores", "you are worthless", "you deserve to die",
)  # fmt: skip
"""English swearwords, insults and threats that mean little else."""


class Toxicity(Enhancer):
    """Refuse samples with words of a list, compared without case, width, lookalike letters and invisible characters.

    This finds words, not meaning: it refuses a quotation, and lets everything pass that is vile in polite words. The
    list is short and English; slurs differ by language and community and are for `more` to name. Where meaning
    matters, have a model look (`moderation`).
    """

    words: tuple[str, ...] = Field(default=WORDS)
    """Words and phrases that count."""
    more: tuple[str, ...] = Field(default=())
    """Words and phrases that count beside them."""
    tolerated: int = Field(default=0, ge=0)
    """Finds that a sample may have."""

    @cached_property
    def pattern(self) -> re.Pattern[str] | None:
        """What any of the words looks like; None where there is none."""
        folded = {normal(word) for word in (*self.words, *self.more)} - {""}
        listed = "|".join(re.escape(word) for word in sorted(folded, key=lambda w: (-len(w), w)))
        return re.compile(rf"(?<!\w)(?:{listed})(?!\w)") if listed else None

    async def enhance(self, pool: Pool, context: Context) -> Sequence[Change]:
        """Refuse where there are more finds than tolerated; the reason counts them and repeats none."""
        del context
        counts = [len(self.pattern.findall(normal(text))) if self.pattern else 0 for text in pool.texts]
        return [Change(refused=f"{count} words of the list") if count > self.tolerated else AS_IS for count in counts]
