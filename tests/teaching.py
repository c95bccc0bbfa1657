"""An endpoint that plays the teacher's roles for sums written ones first, seeing only the request.

It names the feature that failures have and passes lack, mixes the columns of the examples into new sums, gets some of
them wrong or unreadable, works a sum to judge or grade it, and works it again to repair it. Some of its judges are
biased. As a prober it calls the tools it is offered, one after the other.
"""

import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from evolvent.memory.inference import Completion, Reply, Request

from .endpoint import Endpoint
from .judging import Judge, solve, sound
from .operating import operate

WRONG, STRANGE = 0.1, 0.03
"""Shares of new sums whose answer is wrong, and whose question no student of ASCII can read."""
PROBES = 12
"""Questions a prober makes up at once."""
GRADES = {"perfect": "met", "acceptable": "partly", "bad": "missed"}
"""What a verdict is as a grade of every criterion."""


Turn = dict[str, Any]
Prober = Callable[[list[Turn]], list[Turn]]
"""Tools called after a conversation."""


def calling(name: str, **arguments: object) -> Turn:
    """A call of a tool."""
    return {"type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}


def probe(turns: list[Turn]) -> list[Turn]:
    """Look at what memory holds, ask sums like those that failed, verify them, report what they have in common."""
    known = _data(next(turn["content"] for turn in turns if turn["role"] == "user"))[0]
    asked = [json.loads(c["function"]["arguments"]) for turn in turns for c in turn.get("tool_calls", ())]
    match len(asked):
        case 0:
            return [calling("recall", about="what failed before")]
        case 1:
            new = _write([{"question": a["question"]} for a in known["failed"]], PROBES, random.Random(0))
            return [calling("ask_student", questions=[task["question"] for task in new])]
        case 2:
            return [calling("verify", questions=asked[-1]["questions"])]
        case 3:
            wrong = [one["question"] for one in _data(turns[-1]["content"])[0] if one.get("right") is False]
            offered = sorted({f for a in known["failed"] for f in a.get("features", ())})
            said = _explain(known, {"features": {"items": {"enum": offered}}} if offered else {})
            return [calling("report_weakness", **said, questions=wrong)]
        case _:
            return []


class Teaching(Endpoint):
    """Teaches sums."""

    def __init__(self, judges: Mapping[str, Judge] = MappingProxyType({})) -> None:
        super().__init__()
        self.turns = 0
        self.wavers = False
        """Whether it gives another answer each time it is asked to solve the same."""
        self.vague = False
        """Whether it has no number for what it is asked to solve."""
        self.rambles = False
        """Whether it answers what it is given in no form at all, though a greeting in its own."""
        self.judges = dict(judges)
        """Judges whose prompt holds certain words; the others are sound."""
        self.arguing: Judge | None = None
        """What every judge does once it has seen the critiques of others; without it, what it did before."""
        self.quoted: list[list[dict[str, str]]] = []
        """Critiques that judges were shown."""
        self.sees: Callable[[str], str] = carrying
        """Skill of a task as it sees it."""
        self.prober: Prober = probe
        """What it calls when it is offered tools."""

    def reply(self, body: dict[str, Any]) -> dict[str, Any]:
        """Call a tool where there are some."""
        said = super().reply(body)
        if body.get("tools"):
            self.turns += 1
            message = said["choices"][0]["message"]
            calls = self.prober(body["messages"])
            # a real server's names of calls are random
            message |= {"content": "", "tool_calls": [call | {"id": f"chatcmpl-{self.turns}"} for call in calls]}
        return said

    def _say(self, body: dict[str, Any]) -> str:
        schema = body.get("response_format", {}).get("json_schema", {}).get("schema", {})
        # asked once more for the form, the question stands before its answer
        prompts = [turn["content"] for turn in body["messages"] if turn["role"] == "user"]
        prompt = next((said for said in reversed(prompts) if "<data>" in said), prompts[-1])
        given = _data(prompt)
        if self.rambles and given:
            return "The weather is fine."
        match tuple(schema.get("properties", {})):
            case ("explanation", *_):
                return json.dumps(_explain(given[0], schema["properties"]))
            case ("tasks",) if "number" in schema["properties"]["tasks"]["items"]["properties"]:
                wanted = schema["properties"]["tasks"]["items"]["properties"]
                return json.dumps({"tasks": operate(body, given[0], wanted)})
            case ("tasks",):
                most = schema["properties"]["tasks"]["maxItems"]
                return json.dumps({"tasks": self.write(given[-1], most, random.Random(body.get("seed", 0)))})
            case ("reason", "verdict"):
                return json.dumps(self._judge([said for said in prompts if "<data>" in said]))
            case ("reason", *marks):
                said = self._judge([prompt])
                return json.dumps({"reason": said["reason"], **dict.fromkeys(marks, GRADES[said["verdict"]])})
            case ("skills",):
                return json.dumps({"skills": self._place(given, schema["properties"]["skills"]["items"]["properties"])})
            case ("categories",):
                return json.dumps({"categories": _categories(given[0])})
            case ("reasoning", "solution"):
                solution = str(body["seed"]) if self.wavers else solve(given[0]["question"])
                solution = "about ten" if self.vague else solution
                return json.dumps({"reasoning": "worked it", "solution": solution})
            case ("question", "solution"):
                return json.dumps({"question": given[0]["question"], "solution": solve(given[0]["question"])})
            case _:
                return super()._say(body)

    def write(self, examples: list[dict[str, str]], most: int, rng: random.Random) -> list[dict[str, str]]:
        """Write tasks like the examples."""
        return _write(examples, most, rng)

    def _place(self, given: list[Any], wanted: dict[str, Any]) -> list[dict[str, Any]]:
        """Name the skill of each task, in more words than are needed, or put it where its name is offered."""
        offered = wanted["skill"].get("enum")
        named = [(one["number"], self.sees(one["task"])) for one in given[-1]]
        if offered is None:
            return [{"number": n, "skill": f"{skill} {n % 3 or 'often'}"} for n, skill in named]
        return [
            {"number": n, "skill": next((o for o in offered if skill.startswith(o)), "other")} for n, skill in named
        ]

    def _judge(self, asked: list[str]) -> dict[str, str]:
        """Judge what the first turn shows; later ones quote other judges."""
        first = asked[0]
        judge = next((judge for words, judge in self.judges.items() if words in first), sound)
        if len(asked) > 1:
            self.quoted.append(_data(asked[-1])[0])
            judge = self.arguing or judge
        return {"reason": "worked it", "verdict": judge(_data(first)[0], first)}


class Voice:
    """A model in this process that judges as it is told, seeing only the request."""

    def __init__(self, judge: Judge | None) -> None:
        self.teaching = Teaching({"": judge} if judge else {})
        self.mute = judge is None
        self.requests: list[Request] = []
        """What it was asked."""

    async def ask(self, requests: Sequence[Request]) -> list[Reply]:
        self.requests += requests
        return [Reply(None, "not JSON") if self.mute else Reply(self._said(request)) for request in requests]

    def _said(self, request: Request) -> Completion:
        form = {"json_schema": {"schema": request.schema}}
        reply = self.teaching.reply({"messages": request.conversation(), "response_format": form})
        text = reply["choices"][0]["message"]["content"]
        return Completion(text, len(text), complete=True)

    def close(self) -> None:
        pass


def _data(prompt: str) -> list[Any]:
    return [json.loads(text) for text in re.findall(r"<data>\n(.*?)\n</data>", prompt, re.DOTALL)]


def carrying(task: str) -> str:
    """Whether a column of a sum carries."""
    a, b = task.split("+")
    return "carry" if any(int(x) + int(y) > 9 for x, y in zip(a, b, strict=True)) else "plain"


def _categories(labels: dict[str, int]) -> list[dict[str, str]]:
    """A category for every first word of the labels."""
    return [
        {"description": f"whatever is {word}", "name": word.title()}
        for word in sorted({n.split("-")[0] for n in labels})
    ]


def _explain(given: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    offered = wanted.get("features", {}).get("items", {}).get("enum", [])

    def telling(feature: str) -> int:
        failed, passed = (sum(feature in a["features"] for a in given[kind]) for kind in ("failed", "passed"))
        return failed - passed

    best = max(offered, key=telling, default="")
    said: dict[str, Any] = {"explanation": f"what fails has {best!r}"}
    return said | ({"features": [best]} if "features" in wanted else {})


def _write(examples: list[dict[str, str]], most: int, rng: random.Random) -> list[dict[str, str]]:
    sign = next((c for c in examples[0]["question"] if c in "+-*"), "+")
    pairs = [tuple(e["question"].split(sign)) for e in examples]
    tasks: list[dict[str, str]] = []
    for _ in range(most):
        question = sign.join(_mixed(pairs, rng))
        solution = solve(question)
        if rng.random() < WRONG:
            solution = solution[:-1] + str((int(solution[-1]) + 1) % 10)
        if rng.random() < STRANGE:
            question = question.replace(sign, "＋")
        tasks.append({"question": question, "solution": solution})
    return tasks


def _mixed(pairs: list[tuple[str, ...]], rng: random.Random) -> tuple[str, str]:
    """Two numbers whose columns come from the examples; a shorter second number is taken whole."""
    columns = [rng.choice([(a[i], b[i : i + 1]) for a, b in pairs]) for i in range(len(pairs[0][0]))]
    a, b = ("".join(digits) for digits in zip(*columns, strict=True))
    return a, b if len(b) == len(a) else rng.choice(pairs)[1]
