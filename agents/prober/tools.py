"""What a prober can do, and nothing else: ask, remember, verify, report. No tool changes anything outside its bench.

Arguments come in a fixed schema and results go back as data. A call that cannot be understood is answered with what is
wrong with it, as data like any other.
"""

import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...memory import conventions
from ...memory.prompting import answer_schema
from ...memory.records import Attempt
from ...training.client.form import misfit
from ..teacher import Hypothesis
from .bench import Bench, Json
from .evidence import weigh
from .solving import Solving

MOST = 12
"""Questions of one call."""
QUESTIONS = {
    "type": "array",
    "items": {"type": "string", "minLength": 1, "maxLength": 2000},
    "minItems": 1,
    "maxItems": MOST,
}


@dataclass(slots=True)
class Toolbox:
    """The tools at one bench, and the weaknesses that were borne out."""

    bench: Bench
    solving: Solving
    attempts: Sequence[Attempt]
    """What probing showed in this round."""
    features: Sequence[str]
    """What a rule may be made of."""
    fewest: int
    """Failures that a weakness needs as evidence."""
    found: list[Hypothesis] = field(default_factory=list[Hypothesis])

    def schemas(self) -> dict[str, tuple[str, Json]]:
        """What every tool is for, and its arguments, by name."""
        report: Json = {"explanation": {"type": "string", "minLength": 1, "maxLength": 600}}
        if self.features:
            report["features"] = {"type": "array", "items": {"type": "string", "enum": list(self.features)}}
        return {
            "ask_student": ("Ask the student questions of your own.", {"questions": QUESTIONS}),
            "recall": ("Look up similar failures and weaknesses of the past.", {"about": {"type": "string"}}),
            "verify": ("Learn which of the student's answers are right.", {"questions": QUESTIONS}),
            "report_weakness": (
                "Report what the student cannot do, with the questions it failed on as evidence.",
                {**report, "questions": QUESTIONS},
            ),
        }

    def described(self) -> tuple[Json, ...]:
        """The tools as the chat format describes them."""
        return tuple(
            {
                "type": "function",
                "function": {"name": name, "description": purpose, "parameters": answer_schema(arguments)},
            }
            for name, (purpose, arguments) in self.schemas().items()
        )

    async def call(self, name: str, arguments: str, *, id: str = "") -> object:
        """Do what a call asks for, or say what is wrong with it; `id` is the call's in the conversation."""
        schemas = self.schemas()
        if name not in schemas:
            return {"refused": f"no tool called {name[:60]!r}; there are: {', '.join(schemas)}"}
        with conventions.tool(name, call=id, skill=self.bench.skill):
            if (trouble := misfit(arguments, answer_schema(schemas[name][1]))) is not None:
                return {"refused": trouble}
            return await self._do(name)(json.loads(arguments))

    def _do(self, name: str) -> Callable[[Mapping[str, Any]], Coroutine[Any, Any, object]]:
        return {
            "ask_student": self._ask,
            "recall": self._recall,
            "verify": self._verify,
            "report_weakness": self._report,
        }[name]

    async def _ask(self, said: Mapping[str, Any]) -> object:
        refused = await self.bench.put(said["questions"])
        return [
            {"question": q, "refused": refused[q]}
            if q in refused
            else {"question": q, "student's answer": self.bench.answers[q][1]}
            for q in said["questions"]
        ]

    async def _recall(self, said: Mapping[str, Any]) -> object:
        return self.bench.recall(said["about"])

    async def _verify(self, said: Mapping[str, Any]) -> object:
        await self.solving.settle(said["questions"], self.bench)
        return [self._verdict(question) for question in said["questions"]]

    def _verdict(self, question: str) -> Json:
        if (attempt := self.bench.attempts.get(question)) is not None:
            return {
                "question": question,
                "student's answer": attempt.answer,
                "right answer": attempt.task.answer,
                "right": attempt.verdict.passed,
            }
        asked = question in self.bench.answers
        return {"question": question, "unknown": "nobody can say" if asked else "the student was not asked that"}

    async def _report(self, said: Mapping[str, Any]) -> object:
        await self.solving.settle(said["questions"], self.bench)
        weighed = weigh(said, self.bench, self.attempts, offered=len(self.features), fewest=self.fewest)
        if isinstance(weighed, str):
            return {"accepted": False, "reason": weighed}
        if weighed.rule in {known.rule for known in self.found}:
            return {"accepted": False, "reason": "you reported that already"}
        self.found.append(weighed)
        return {"accepted": True}
