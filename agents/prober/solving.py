"""Right answers to questions that an agent made up; a question without one is no evidence of anything.

The source's second way decides where it has one. Elsewhere the teacher answers several times, all answers must agree,
and the judges must find nothing wrong with what they agree on.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...memory.files import digest
from ...memory.inference import Models, Reply, Request
from ...memory.prompting import answer_schema, data, render
from ...memory.records import Task
from ...memory.trace import span
from ..judging.panel import FEWEST, convene
from .bench import Bench

TIMES = 3
"""Answers of the teacher that must agree."""
TEMPERATURE = 0.7
"""Chance in them: a greedy model would only agree with itself."""
SHOTS = 4
"""Training tasks shown for the form of an answer."""
SCHEMA = answer_schema({"reasoning": {"type": "string"}, "solution": {"type": "string", "minLength": 1}})


@dataclass(frozen=True, slots=True)
class Solving:
    """How right answers are found."""

    prompt: str
    """Names `skill` and `data`."""
    system: str
    judging: Mapping[str, str]
    """Prompts of the judges, by name."""
    longest: int
    models: Models

    async def settle(self, questions: Sequence[str], bench: Bench) -> None:
        """Judge the student's answers to those questions that have a right answer."""
        right: dict[str, str] = {}
        left: dict[str, Task] = {}
        for question in dict.fromkeys(questions):
            if question in bench.attempts or question not in bench.answers:
                continue
            task, _ = bench.answers[question]
            if (solved := bench.splits.source.solve(task)) is not None:
                right[question] = solved
            else:
                left[question] = task
        worked = await self._worked(list(left.values()), bench) if left else {}
        await bench.settle(
            right | {question: worked[task.key] for question, task in left.items() if task.key in worked}
        )

    async def _worked(self, tasks: Sequence[Task], bench: Bench) -> dict[str, str]:
        """By key, the answers that teacher and judges agree on."""
        sound = await bench.sound()
        heard = {name: prompt for name, prompt in self.judging.items() if name in sound}
        if len(heard) < FEWEST:
            return {}
        with span("solve", questions=len(tasks)):
            requests = [self._request(task, time, bench) for task in tasks for time in range(TIMES)]
            replies = await self.models["teacher"].ask(requests)
            said = [_answers(replies[start : start + TIMES]) for start in range(0, len(replies), TIMES)]
            pairs = zip(tasks, said, strict=True)
            agreed = [known for task, each in pairs if (known := await _agreed(task, each, bench)) is not None]
            opinions = await convene(heard, agreed, self.models["judge"], system=self.system)
        return {task.key: task.answer for task, opinion in zip(agreed, opinions, strict=True) if opinion.accepted}

    def _request(self, task: Task, time: int, bench: Bench) -> Request:
        examples = bench.splits.draw(bench.skill, "train", SHOTS, stream=f"solve-{bench.round}")
        shown = {
            "examples": [{"question": e.prompt, "solution": e.answer} for e in examples],
            "question": task.prompt,
        }
        prompt = render(self.prompt, skill=bench.skill, data=data(shown))
        seed = int(digest([bench.splits.seed, task.prompt, time], length=8), 16) % 2**31
        return Request(prompt, self.longest, TEMPERATURE, seed, system=self.system, schema=SCHEMA)


def _answers(replies: Sequence[Reply]) -> list[str | None]:
    """What each reply gives as the answer; None where it could not be read."""
    return [r.completion and str(json.loads(r.completion.text)["solution"]).strip() for r in replies]


async def _agreed(task: Task, answers: Sequence[str | None], bench: Bench) -> Task | None:
    """The task with its answer, if all answers are the same to the verifier."""
    given = [answer for answer in answers if answer]
    if len(given) < len(answers):
        return None
    known = task.model_copy(update={"answer": given[0]})
    verdicts = await bench.judge([known] * len(given), given)
    return known if all(verdict is not None and verdict.passed for verdict in verdicts) else None
