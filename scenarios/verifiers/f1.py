"""The answer shares its words with the reference: a graded score for short texts.

Words are compared as SQuAD does: lower case, without punctuation and articles, in any order, each as often as it
stands there. Signs and decimal points count as punctuation, so numbers are better judged by `numeric`.
"""

import string
import unicodedata
from collections import Counter

from ...memory.records import Task, Verdict
from ..verifier import Verifier


class F1(Verifier):
    """Score the overlap of words: the harmonic mean of precision and recall, in [0, 1].

    Only an answer with exactly the words of the reference counts as right in probing; exams and the promotion gate
    see the whole score.

    Source: Rajpurkar et al. 2016, https://arxiv.org/abs/1606.05250 (section 6.1 and its evaluation script).
    """

    articles: tuple[str, ...] = ("a", "an", "the")
    """Words left out of both texts, in lower case."""

    def judge(self, task: Task, answer: str) -> Verdict:
        """Score 1 when both hold the same words, 0 when they share none."""
        wanted, given = self._words(task.answer), self._words(answer)
        if not wanted:
            raise ValueError(f"task {task.key!r}: reference answer {task.answer!r} holds no word; use verifier 'exact'")
        shared = (wanted & given).total()
        score = 2 * shared / (wanted.total() + given.total())
        if score == 1:
            return Verdict(score=1.0)
        return Verdict(
            score=score,
            reason=f"shares {shared} of {wanted.total()} words with {task.answer[:200]!r}, got {answer[:200]!r}",
        )

    def _words(self, text: str) -> Counter[str]:
        kept = "".join(c for c in text.lower() if not _punctuation(c))
        return Counter(word for word in kept.split() if word not in self.articles)


def _punctuation(character: str) -> bool:
    """ASCII's as SQuAD has it, and what other scripts use for the same."""
    return character in string.punctuation or unicodedata.category(character).startswith("P")
