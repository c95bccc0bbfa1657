"""Wrong labels among samples that ask the same: where answers disagree, most of them are right or none is sure."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from ..enhancer import AS_IS, Change, Enhancer
from ..peers import groups, number, plain, question_vectors
from ..pool import Context, Pool


class Noise(Enhancer):
    """Have samples of one question vote on its answer; those that are outvoted are refused or get the answer.

    For questions with a single right answer, each asked several times: by several annotators, or of a teacher that
    was asked more than once. Open questions have many right answers and would lose them. Texts are compared without
    case, width and spacing. Where no answer has the majority all are refused, since some of them must be wrong.

    Source: majority voting among answers of a model, Wang et al. 2022, arXiv:2203.11171.
    """

    near: float = Field(default=1.0, gt=0, le=1)
    """Cosine from which two questions are one, by their vectors; 1 compares their wording. Sums with other numbers are
    close as vectors, so this is for prose."""
    majority: float = Field(default=0.5, ge=0.5, lt=1)
    """Share of the votes that the right answer must have more of."""
    action: Literal["refuse", "correct"] = Field(default="refuse")
    """What becomes of a sample that is outvoted."""

    async def enhance(self, pool: Pool, context: Context) -> Sequence[Change]:
        """Refuse or correct."""
        del context
        answers = [plain(answer) for answer in pool.answers]
        changes = [AS_IS] * len(pool)
        for places in self._asked_alike(pool):
            votes = Counter(answers[i] for i in places)
            if len(votes) == 1:
                continue
            most, count = votes.most_common(1)[0]
            if count <= self.majority * len(places):
                change = Change(refused=f"{len(places)} samples ask this, and no answer has a majority")
            elif self.action == "correct":
                change = Change(answer=min(pool.answers[i] for i in places if answers[i] == most))
            else:
                why = f"{count} of {len(places)} samples that ask this answer otherwise"
                change = Change(refused=why)
            for i in places:
                if answers[i] != most or count <= self.majority * len(places):
                    changes[i] = change
        return changes

    def _asked_alike(self, pool: Pool) -> list[list[int]]:
        """Places of the samples of every question that is asked more than once."""
        questions, asked_S = number([plain(prompt) for prompt in pool.prompts])
        if self.near < 1:
            asked_S = groups(question_vectors(pool, questions), self.near)[asked_S]
        places: dict[int, list[int]] = defaultdict(list)
        for place, asked in enumerate(asked_S.tolist()):
            places[asked].append(place)
        return [found for found in places.values() if len(found) > 1]
