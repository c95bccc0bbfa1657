"""What a model that works as scorer thinks of samples: the chances of given beginnings of its answer.

Equal prompts are asked once. A sample of which nothing could be learned, since its request failed or the model would
say something else, is neither good nor bad: it gets the median of the others.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...memory.errors import UnavailableError
from ...memory.inference import Model, Reply, Request
from ...memory.prompting import data, render
from ...memory.trace import span
from .pool import Pool, Row, Scores

NAMES = ("text", "question", "answer", "skill", "data")
"""What a scorer's prompt may name."""


def prompts(template: str, pool: Pool) -> list[str]:
    """Fill a template in for every sample.

    Args:
        template: may name `NAMES`; `data` holds question and answer where they cannot be taken for instructions.
        pool: the samples.
    """
    return [render(template, **_values(*each)) for each in zip(pool.rows, pool.prompts, pool.texts, strict=True)]


def requests(template: str, pool: Pool, longest: int, schema: Mapping[str, Any], **aims: str) -> list[Request]:
    """Ask for an answer of a form about every sample.

    Args:
        template: names `data`, question and answer where they cannot be taken for instructions, and the aims.
        pool: the samples.
        longest: tokens of an answer.
        schema: JSON Schema of it.
        aims: what else the template names.
    """
    shown = [
        data({"question": prompt, "answer": row.answer}) for prompt, row in zip(pool.prompts, pool.rows, strict=True)
    ]
    return [Request(render(template, data=one, **aims), longest, schema=schema) for one in shown]


async def weigh(asked: Sequence[str], choices: Sequence[str], model: Model) -> NDArray[np.float64]:
    """Ask a model how likely each choice is as the beginning of its answer.

    Args:
        asked: one prompt a sample.
        choices: what an answer may begin with.
        model: that is asked.

    Returns:
        Chances in [0, 1], of shape `(len(asked), len(choices))`; a row of NaN where the model could not be asked.

    Raises:
        UnavailableError: it could not be asked of any sample.
    """
    distinct = list(dict.fromkeys(asked))
    with span("score", prompts=len(distinct)):
        replies = (
            await model.ask([Request(prompt, 1, choices=tuple(choices)) for prompt in distinct]) if distinct else []
        )
    chances = dict(zip(distinct, (_chances(reply, len(choices)) for reply in replies), strict=True))
    weighed_SC = np.array([chances[prompt] for prompt in asked], dtype=np.float64).reshape(-1, len(choices))
    if len(weighed_SC) and np.isnan(weighed_SC).all():
        reason = next((reply.reason for reply in replies if reply.reason), "the prompt is longer than it can read")
        raise UnavailableError(f"the scorer judged none of {len(asked)} samples, the first because: {reason}")
    return weighed_SC


def settle(scores_S: Scores) -> Scores:
    """Give samples that were not judged, which are NaN, the median of the others; 0 where none was."""
    known = ~np.isnan(scores_S)
    middle = float(np.median(scores_S[known])) if known.any() else 0.0
    return np.where(known, scores_S, middle)


def _chances(reply: Reply, count: int) -> Sequence[float]:
    told = reply.completion.chances if reply.completion else ()
    return told if len(told) == count else [np.nan] * count


def _values(row: Row, prompt: str, text: str) -> Mapping[str, Any]:
    shown = data({"question": prompt, "answer": row.answer})
    return {"text": text, "question": prompt, "answer": row.answer, "skill": row.skill, "data": shown}
