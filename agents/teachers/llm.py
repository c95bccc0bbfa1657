"""A teacher that is a language model: it says what failures share, writes tasks aimed at that, and judges and repairs.

Every prompt is a setting; the text it becomes is kept in the recipe of the samples it made. The model sees references
that the student does not, and those of training tasks only. What it writes is data: it comes back in a fixed schema,
has to be a task of the skill that the student can read, and is checked, judged and curated like every other sample.
"""

from collections.abc import Collection, Container, Mapping, Sequence
from typing import Any, ClassVar, Self

from pydantic import Field, field_validator, model_validator

from ...memory.auditions import Audition
from ...memory.files import digest
from ...memory.inference import NOBODY, Models, Request, Role
from ...memory.prompting import answer_schema, check, data, render
from ...memory.records import Attempt, Sample, Share, Task, Weakness
from ...scenarios.splits import Splits
from ..clusters import clusters
from ..judging.audition import audition
from ..judging.debate import deliberate
from ..judging.golden import Item
from ..judging.panel import convene
from ..operating import NOTHING, Material, Operating
from ..operator import Portioned, portions
from ..prober.agent import Prober
from ..prober.bench import Bench
from ..prober.solving import Solving
from ..prober.tools import Toolbox
from ..prompts import ARGUES, CONDUCT, EXPLAIN, EXPLORE, NAMES, REFUTES, REPAIR, SOLVE, SOLVES, SYSTEM, WRITE
from ..rules import corrected, foreseen, separation, telling, under
from ..sorting import Discovery, Found, find
from ..teacher import Hypothesis, Opinion, Teacher
from ..written import TASK, adopted, read

WORDS = 300
"""Characters of a hypothesis that are kept."""
SEEDS = 0.05
"""Share of training tasks that operators see, of the 1 to 5 % of human-written seeds that suffice elsewhere."""


class Llm(Teacher):
    """Ask a language model."""

    asks: ClassVar[tuple[Role, ...]] = ("teacher", "judge")

    system: str = SYSTEM
    """What every prompt is preceded by."""
    explaining: str = EXPLAIN
    """Prompt for what a group of failures shares."""
    writing: str = WRITE
    """Prompt for new tasks."""
    repairing: str = REPAIR
    """Prompt for one refused task."""
    judging: dict[str, str] = Field(default={"solver": SOLVES, "sceptic": REFUTES}, min_length=2)
    """Prompts of the judges, by name."""
    debate: int = Field(default=0, ge=0, le=4, exclude_if=lambda turns: not turns)
    """Turns in which judges that disagree see each other's critiques and may change their verdicts; 0 for none."""
    arguing: str = Field(default=ARGUES, exclude_if=lambda prompt: prompt == ARGUES)
    """Prompt for such a turn."""
    discovery: Discovery = Field(default=Discovery(), exclude_if=lambda how: how == Discovery())
    """How skills are found where the scenario names none."""
    prober: bool = False
    """Whether an agent with tools probes every skill that failed; its model has to be served with tool calls."""
    conduct: str = CONDUCT
    """What the prober is told before its prompt."""
    exploring: str = EXPLORE
    """Prompt for the prober."""
    solving: str = SOLVE
    """Prompt for a right answer to a question of the prober that the source cannot work."""
    steps: int = Field(default=12, ge=1, le=100)
    """Turns the prober has for a skill."""
    groups: int = Field(default=4, ge=1)
    """Groups of failures explained per skill and round at most."""
    fewest: int = Field(default=4, ge=1)
    """Failures a group needs to be explained."""
    shown: int = Field(default=12, ge=1)
    """Attempts of either kind shown for an explanation."""
    features: int = Field(default=48, ge=0)
    """Features offered for an explanation, those that tell failures from passes best."""
    widest: int = Field(default=2, ge=1)
    """Features a rule may have."""
    shots: int = Field(default=4, ge=1)
    """Training tasks shown as examples in a request."""
    batch: int = Field(default=8, ge=1)
    """Tasks wanted of one request."""
    temperature: float = Field(default=0.7, ge=0, allow_inf_nan=False)
    """Chance in writing; explanations, repairs and judgements are greedy."""
    longest: int = Field(default=2048, ge=64)
    """Tokens an answer may have."""
    operators: tuple[Portioned, ...] = Field(default=(), exclude_if=lambda operators: not operators)
    """Ways to make new tasks of those there are; without any, `writing` asks for tasks like the examples."""
    seeds: float = Field(default=SEEDS, gt=0, le=1, allow_inf_nan=False, exclude_if=lambda share: share == SEEDS)
    """Share of the training tasks that operators see: as examples, and as what they start from."""

    @field_validator("system", "explaining", "writing", "repairing", "arguing", "conduct", "exploring", "solving")
    @classmethod
    def _prompt(cls, template: str, info: Any) -> str:
        return check(template, NAMES[info.field_name])

    @field_validator("judging")
    @classmethod
    def _prompts(cls, templates: dict[str, str]) -> dict[str, str]:
        return {name: check(template, NAMES["judging"]) for name, template in templates.items()}

    @field_validator("operators", mode="before")
    @classmethod
    def _mixed(cls, operators: Any) -> Any:
        return portions(operators)

    @model_validator(mode="after")
    def _operators(self) -> Self:
        names = [portion.operator.name for portion in self.operators]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"operators names {repeated[0]!r} twice; give it one weight")
        if not names and self.seeds != SEEDS:
            raise ValueError("seeds is the share that operators see; name some in operators")
        return self

    @property
    def mix(self) -> Sequence[Portioned]:
        """Its operators."""
        return self.operators

    @property
    def finds(self) -> Discovery:
        """How it finds skills."""
        return self.discovery

    async def discover(self, tasks: Mapping[str, str], sample: Sequence[str], *, models: Models = NOBODY) -> Found:
        """Have a sample labelled, the labels grouped, and every task sorted."""
        return await find(tasks, sample, models["teacher"], self.discovery, system=self.system, longest=self.longest)

    async def diagnose(
        self, skill: str, attempts: Sequence[Attempt], elsewhere: Sequence[Attempt], splits: Splits, *,
        models: Models = NOBODY,
    ) -> list[Hypothesis]:  # fmt: skip
        """Have each group of failures explained; one whose explanation cannot be had waits for the next round."""
        del elsewhere, splits
        failures = [a for a in attempts if not a.verdict.passed]
        groups = [g for g in clusters(failures, most=self.groups) if len(g) >= self.fewest] if failures else []
        if not groups:
            return []
        offered = telling(attempts, self.features)
        replies = await models["teacher"].ask([self._explanation(skill, g, attempts, offered) for g in groups])
        found: dict[tuple[str, ...], Hypothesis] = {}
        for group, reply in zip(groups, replies, strict=True):
            if (said := read(reply)) is not None:
                guess = self._hypothesis(skill, said, group, attempts, tried=len(offered))
                found.setdefault(guess.rule, guess)
        return sorted(found.values(), key=lambda h: (h.p_value, h.rule))

    @property
    def explores(self) -> bool:
        """Whether the prober is wanted."""
        return self.prober

    async def explore(
        self, attempts: Sequence[Attempt], bench: Bench, *, models: Models = NOBODY
    ) -> list[Hypothesis]:  # fmt: skip
        """Let the prober loose on a skill."""
        offered = telling(attempts, self.features)
        solving = Solving(self.solving, self.system, self.judging, self.longest, models)
        tools = Toolbox(bench, solving, attempts, offered, self.fewest)
        passed = sum(a.verdict.passed for a in attempts)
        shown = {
            "right": f"{passed} of {len(attempts)}",
            "failed": _shown([a for a in attempts if not a.verdict.passed][: self.shown], offered),
            "passed": _shown([a for a in attempts if a.verdict.passed][: self.shown], offered),
            "memory": bench.recall(bench.skill),
        }
        prompt = render(
            self.exploring, skill=bench.skill, data=data(shown), features=bool(offered), fewest=self.fewest,
            steps=self.steps,
        )  # fmt: skip
        await Prober(models["teacher"], self.conduct, prompt, tools, self.steps, self.longest).run()
        return tools.found

    async def write(
        self, share: Share, weakness: Weakness | None, count: int, splits: Splits, *, attempt: int,
        beside: Container[str] = (), material: Material = NOTHING, models: Models = NOBODY,
    ) -> list[Sample]:  # fmt: skip
        """Have tasks written, by operators or from a few training examples under the rule; curation drops repeats."""
        stream = f"write-{share.round}-{attempt}-{weakness.id if weakness else 'any'}"
        if material.operators:
            operating = Operating(
                teacher=self.name, system=self.system, seeds=self.seeds, shots=self.shots, batch=self.batch,
                longest=self.longest, temperature=self.temperature, splits=splits, beside=beside,
            )  # fmt: skip
            return await operating.write(share, weakness, count, stream=stream, material=material, models=models)
        sizes = [min(self.batch, count - start) for start in range(0, count, self.batch)]
        requests = [
            self._writing(share.skill, weakness, size, splits, stream=f"{stream}-{i}") for i, size in enumerate(sizes)
        ]
        written: list[Sample] = []
        for request, reply in zip(requests, await models["teacher"].ask(requests), strict=True):
            tasks = (read(reply) or {"tasks": []})["tasks"]
            written += [self._sample(share, weakness, adopted(share.skill, t, splits), request.prompt) for t in tasks]
        return list({sample.id: sample for sample in written}.values())[:count]

    def refuse(self, sample: Sample, splits: Splits) -> str | None:
        """Refuse what is no task of the skill."""
        try:
            splits.adopt(sample.task.skill, sample.task.prompt, sample.task.answer)
        except ValueError as error:
            return f"foreign: {error}"
        return None

    @property
    def judges(self) -> Collection[str]:
        """Names of the judging prompts."""
        return self.judging

    async def audition(self, items: Sequence[Item], *, models: Models = NOBODY) -> list[Audition]:
        """Have every judge look at every known answer."""
        return await audition(self.judging, items, models["judge"], system=self.system)

    async def judge(
        self, samples: Sequence[Sample], *, sound: Collection[str] = (), models: Models = NOBODY
    ) -> list[Opinion | None]:
        """Have every sound judge look at every sample."""
        heard = {name: prompt for name, prompt in self.judging.items() if name in sound}
        tasks, model = [s.task for s in samples], models["judge"]
        if self.debate:
            return [*await deliberate(heard, tasks, model, system=self.system, arguing=self.arguing, turns=self.debate)]
        return [*await convene(heard, tasks, model, system=self.system)]

    async def repair(
        self, refused: Sequence[tuple[Sample, str]], splits: Splits, *, models: Models = NOBODY
    ) -> list[Sample | None]:
        """Have each written again, once, knowing what was said against it; not what reasons to a wrong answer."""
        mended = [(sample, reason) for sample, reason in refused if not (sample.origin and sample.origin.reasoning)]
        requests = [self._repair(sample, reason) for sample, reason in mended]
        replies = await models["teacher"].ask(requests)
        made = {
            sample.id: self._again(sample, said, request.prompt, splits)
            for (sample, _), request, reply in zip(mended, requests, replies, strict=True)
            if (said := read(reply)) is not None
        }
        return [made.get(sample.id) for sample, _ in refused]

    def _explanation(
        self, skill: str, group: Sequence[Attempt], attempts: Sequence[Attempt], offered: Sequence[str]
    ) -> Request:
        passes = [a for a in attempts if a.verdict.passed]
        shown = {"failed": _shown(group[: self.shown], offered), "passed": _shown(passes[: self.shown], offered)}
        prompt = render(self.explaining, skill=skill, data=data(shown), features=bool(offered), widest=self.widest)
        said: dict[str, Any] = {"explanation": {"type": "string", "minLength": 1}}
        if offered:
            one = {"type": "string", "enum": list(offered)}
            said["features"] = {"type": "array", "items": one, "maxItems": self.widest}
        return Request(prompt, self.longest, system=self.system, schema=answer_schema(said))

    def _hypothesis(
        self, skill: str, said: Mapping[str, Any], group: Sequence[Attempt], attempts: Sequence[Attempt], *, tried: int
    ) -> Hypothesis:
        """What the model said, as a rule where the attempts at hand bear that rule out, else about the whole skill."""
        words = " ".join(str(said["explanation"]).split())[:WORDS]
        rule = tuple(sorted(set(said.get("features", ()))))
        own = under(attempts, rule)
        failed = [a for a in own if not a.verdict.passed]
        if not rule or len(failed) < self.fewest:
            rule, own, failed = (), list(attempts), list(group)
        p_value = corrected(separation(own, attempts), tried) if rule else 1.0
        return Hypothesis(skill, words, rule, tuple(a.id for a in failed), foreseen(own), p_value)

    def _writing(self, skill: str, weakness: Weakness | None, count: int, splits: Splits, *, stream: str) -> Request:
        rule = weakness.rule if weakness else ()
        examples = splits.draw(skill, "train", self.shots, stream=stream, having=rule)
        shown = [{"question": task.prompt, "solution": task.answer} for task in examples]
        aim = data({"weakness": weakness.hypothesis, "features": list(rule)}) if weakness else ""
        prompt = render(self.writing, skill=skill, data=data(shown), data_weakness=aim, count=count)
        tasks = {"type": "array", "items": answer_schema(TASK), "minItems": 1, "maxItems": count}
        seed = int(digest([splits.seed, stream, skill], length=8), 16) % 2**31
        return Request(
            prompt, self.longest, self.temperature, seed, system=self.system, schema=answer_schema({"tasks": tasks})
        )

    def _sample(self, share: Share, weakness: Weakness | None, task: Task, recipe: str) -> Sample:
        return Sample(
            task=task,
            arm="targeted",
            round=share.round,
            weakness=weakness.id if weakness else None,
            failures=weakness.failures[:5] if weakness else (),
            teacher=self.name,
            recipe=recipe,
        )

    def _repair(self, sample: Sample, reason: str) -> Request:
        shown = {"question": sample.task.prompt, "solution": sample.task.answer, "refused because": reason}
        prompt = render(self.repairing, skill=sample.task.skill, data=data(shown))
        return Request(prompt, self.longest, system=self.system, schema=answer_schema(TASK))

    def _again(self, sample: Sample, said: Mapping[str, Any], recipe: str, splits: Splits) -> Sample:
        return sample.model_copy(update={"task": adopted(sample.task.skill, said, splits), "recipe": recipe})


def _shown(attempts: Sequence[Attempt], offered: Sequence[str]) -> list[dict[str, Any]]:
    """Attempts as the model sees them."""
    return [
        {
            "question": a.task.prompt,
            "right answer": a.task.answer,
            "student's answer": a.answer,
            **({"features": [f for f in a.task.features if f in offered]} if offered else {}),
        }
        for a in attempts
    ]
