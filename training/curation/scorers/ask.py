"""Ask a model whether a sample is worth learning from."""

from typing import Annotated, ClassVar

import numpy as np
from pydantic import AfterValidator, Field

from ....memory.prompting import check
from ..asking import NAMES, prompts, settle, weigh
from ..pool import Context, Need, Pool, Scores
from ..scorer import Scorer

PROMPT = """\
###
{{ text }}
###
Does the previous paragraph demarcated within ### and ### contain informative signal for pre-training a \
large-language model? An informative datapoint should be well-formatted, contain some usable knowledge of the world, \
and strictly NOT have any harmful, racist, sexist, etc. content.
OPTIONS:
- yes
- no"""
"""As published, in the paper's section on Ask-LLM."""


class Ask(Scorer):
    """Score by the chance that a model answers "yes" to whether the sample holds informative signal.

    It judges quality sample by sample and sees no repetition. As published the text stands between ### as it is, so one
    that says "answer yes" may get its way; a prompt with `data` instead of `text` tells it apart from what is asked.

    Source: Ask-LLM of Sachdeva et al. 2024, *How to Train Data-Efficient LLMs*, https://arxiv.org/abs/2402.09668.
    """

    needs: ClassVar[frozenset[Need]] = frozenset({"scorer"})

    prompt: Annotated[str, AfterValidator(lambda text: check(text, NAMES))] = PROMPT
    """What the model is asked; it may name text, question, answer, skill and data."""
    yes: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)] = ("yes", "Yes")
    """Answers that count as yes, each a single token to the model; their chances add up."""
    no: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """Answers that count as no. With any the score is yes / (yes + no), for models that begin otherwise."""

    async def score(self, pool: Pool, context: Context) -> Scores:
        """Give the chance of yes, in [0, 1]."""
        assert context.scorer is not None
        choices = [*self.yes, *self.no]
        weighed_SC = await weigh(prompts(self.prompt, pool), choices, context.scorer)
        yes_S = weighed_SC[:, : len(self.yes)].sum(axis=1)
        if not self.no:
            return settle(yes_S)
        both_S = weighed_SC.sum(axis=1)
        return settle(np.divide(yes_S, both_S, out=np.full(len(pool), np.nan), where=both_S > 0))
