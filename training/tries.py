"""What the student said to the tasks of its training set before it was trained, with a verifier's score."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from ..memory.inference import NOBODY, Engine, Models, Request
from ..memory.records import Task
from ..memory.talk import Question, Talk, text_of
from ..memory.trace import span
from ..scenarios.verifier import Verifier
from .trainer import TALK

TRIES = "data/tries.parquet"
WARMTH = 0.7
"""Temperature of answers when several are drawn, that of Yuan et al. 2023, arXiv:2308.01825."""
AGREED = 0.75
"""Share of the answers drawn to one task that have to be the same for it to count as agreed on."""
NEAR = 16
"""Answers looked at for one that is wrong: the student's own, then those to the tasks that follow."""


class Try(NamedTuple):
    """One judged answer of the student that a round starts from."""

    sample: str
    """Id of the sample it was asked for."""
    question: Question
    reference: str
    """What is learned: the right answer, after reasoning where there is any."""
    answer: str
    """What the student said."""
    score: float
    """In [0, 1]; 1 is right."""

    wrong: str | None
    """A wrong answer to this task: what the student said, or where that is right, what it said to another task."""

    @property
    def passed(self) -> bool:
        """Whether the answer counts as right."""
        return self.score >= 1.0


async def try_out(
    engine: Engine, asked: Sequence[tuple[str, Task, str]], verifier: Verifier, *, longest: int, draws: int = 1,
    models: Models = NOBODY,
) -> list[Try]:  # fmt: skip
    """Let a student answer and judge what it says; what was cut is left out, and what nothing can be said of.

    Args:
        engine: serves the student that the round starts from.
        asked: sample ids with their tasks and what is learned, in training order.
        verifier: judges.
        longest: tokens an answer may have.
        draws: answers to each task; one is the greedy answer, several are drawn at `WARMTH`.
        models: those that the verifier asks, by role.

    Returns:
        In training order, the answers to one task beside each other.
    """
    drawn = [(one, draw) for one in asked for draw in range(draws)]
    warmth = WARMTH if draws > 1 else 0.0
    requests = [replace(Request.of(task.question, longest), temperature=warmth, seed=n) for (_, task, _), n in drawn]
    with span("try out", samples=len(asked), student=engine.student):
        answers = await engine.answer(requests)
    given = [(*one, said.answer) for (one, _), said in zip(drawn, answers, strict=True) if said.complete]
    said = await verifier.decided([task for _, task, *_ in given], [text for *_, text in given], models=models)
    whole = [(*one, verdict) for one, verdict in zip(given, said, strict=True) if verdict is not None]
    texts = [text for *_, text, _ in whole]

    async def wrong(place: int) -> str | None:
        """The first answer from a place on that is wrong there."""
        _, task, _, own, verdict = whole[place]
        if not verdict.passed:
            return own
        for answer in [*texts[place + 1 :], *texts[:place]][: NEAR - 1]:
            (verdict,) = await verifier.judged([task], [answer], models=models)
            if not verdict.passed:
                return answer
        return None

    others = await asyncio.gather(*map(wrong, range(len(whole))))
    return [
        Try(sample, task.question, learned, text, verdict.score, other)
        for (sample, task, learned, text, verdict), other in zip(whole, others, strict=True)
    ]


def write_tries(folder: Path, tries: Sequence[Try]) -> None:
    """Write the student's answers beside the training set.

    Args:
        folder: working folder of the round.
        tries: in training order; a sample whose answer was cut has none.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / TRIES
    path.parent.mkdir(parents=True, exist_ok=True)
    schema = pa.schema([(name, pa.float64() if name == "score" else pa.string()) for name in (*Try._fields, TALK)])
    rows = [
        {
            **one._asdict(),
            "question": text_of(one.question),
            TALK: one.question.model_dump_json() if isinstance(one.question, Talk) else None,
        }
        for one in tries
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path, write_page_checksum=True)


def read_tries(folder: Path) -> list[Try]:
    """Read the student's answers, in order."""
    import pyarrow.parquet as pq

    rows = pq.read_table(folder / TRIES, page_checksum_verification=True).to_pylist()
    talks = [row.pop(TALK) for row in rows]
    tries = [Try(**row) for row in rows]
    return [
        one if talk is None else one._replace(question=Talk.model_validate_json(talk))
        for one, talk in zip(tries, talks, strict=True)
    ]


def own_answers(tries: Sequence[Try]) -> dict[str, list[str]]:
    """The student's own right answers to each sample that say it in other words than its reference, each once."""
    given = {one.sample: one.reference.strip() for one in tries}
    other = {sample: [a for a in own if a != given[sample]] for sample, own in right_answers(tries).items()}
    return {sample: own for sample, own in other.items() if own}


def right_answers(tries: Sequence[Try]) -> dict[str, list[str]]:
    """The student's own right answers to each sample, each wording once; a sample without any is left out."""
    found: dict[str, dict[str, None]] = {}
    for one in tries:
        if one.passed:
            found.setdefault(one.sample, {})[one.answer.strip()] = None
    return {sample: list(answers) for sample, answers in found.items()}


def agreed_answers(tries: Sequence[Try], *, draws: int) -> dict[str, list[str]]:
    """The one answer to each sample that the student's draws agree on, whatever a verifier says of it.

    Args:
        tries: answers, in which those that were cut are lacking.
        draws: how many were drawn to each sample.
    """
    said: dict[str, Counter[str]] = {}
    for one in tries:
        said.setdefault(one.sample, Counter())[one.answer.strip()] += 1
    first = {sample: counts.most_common(1)[0] for sample, counts in said.items()}
    return {sample: [answer] for sample, (answer, times) in first.items() if answer and times >= AGREED * draws}
