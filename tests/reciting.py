"""An endpoint that plays teacher and judge for any tasks whose answers it was given, seeing only the request.

It writes a question it was shown once more, with a mark that makes it another one, and knows the answer to each;
whatever else it is shown as an answer is bad.
"""

import random
import re
from collections.abc import Mapping

from .judging import Shown
from .teaching import Teaching

AGAIN = re.compile(r" \(Case \d+\.\)$")
"""What it writes behind a question it was shown."""


class Reciting(Teaching):
    """Knows tasks by heart.

    Args:
        known: answers by question.
    """

    def __init__(self, known: Mapping[str, str]) -> None:
        super().__init__({"": self._knows})
        self.known = dict(known)

    def write(self, examples: list[dict[str, str]], most: int, rng: random.Random) -> list[dict[str, str]]:
        """Ask what the examples ask, once more."""
        shown = [rng.choice(examples) for _ in range(most)]
        return [
            {"question": f"{AGAIN.sub('', e['question'])} (Case {rng.randrange(10**6)}.)", "solution": e["solution"]}
            for e in shown
        ]

    def _knows(self, shown: Shown, prompt: str) -> str:
        del prompt
        return "perfect" if self.known.get(AGAIN.sub("", shown["question"])) == shown["answer"] else "bad"
