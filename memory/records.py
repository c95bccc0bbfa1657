"""The words everybody uses. Records are frozen; the id of a record is the hash of its content.

A `Sample` knows its parents: the weakness and the failing attempts it answers, the teacher and its recipe, the
round. What happened to it afterwards (critiques, its fate, the rounds that trained on it) is in later records that
point back to it, so nothing is ever rewritten.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from .origin import Origin
from .record import Record
from .score import Score
from .talk import Question, Talk

Split = Literal["probe", "select", "report", "guard"]
"""Disjoint sets of tasks: probe drives generation, select and guard drive promotion, report is sealed."""

Arm = Literal["targeted", "control", "clean"]
"""Which data a sample or a student has: aimed at weaknesses, drawn evenly, or aimed without what was withdrawn."""

State = Literal["open", "taught", "fixed", "regressed", "abandoned"]
"""Life of a weakness."""

Test = Literal["mcnemar", "bootstrap"]
"""How two models are told apart: exactly where scores are 0 or 1, by the bootstrap over items where they are graded."""

Grade = Annotated[float, Field(ge=0, le=1)]
"""0 wrong, 1 right; in between for graded answers."""


class Task(Record):
    """A question with one reference answer."""

    kind: ClassVar[str] = "task"

    skill: str
    prompt: str
    answer: str
    key: str
    """Canonical identity as the source declares it; two tasks with one key are the same task."""
    features: tuple[str, ...] = ()
    """What is true of this task, in the source's vocabulary; hypotheses are built from these."""
    talk: Talk | None = Field(default=None, exclude_if=lambda talk: talk is None)
    """The conversation that `prompt` is the text of; None where a prompt is one question and nothing else."""
    checks: str = Field(default="", exclude_if=lambda checks: not checks)
    """What a verifier goes by beside the reference and no model sees: tests of a function, a JSON Schema, a script."""

    @property
    def question(self) -> Question:
        """What a model is asked."""
        return self.prompt if self.talk is None else self.talk

    @property
    def own(self) -> str:
        """The text that tells it from other tasks: without the instructions and tools that many tasks share."""
        return self.prompt if self.talk is None else self.talk.own()


class Verdict(Record):
    """What a verifier says of an answer."""

    kind: ClassVar[str] = "verdict"

    score: Grade
    """0 wrong, 1 right; in between for graded answers."""
    reason: str = ""

    @property
    def passed(self) -> bool:
        """Whether the answer counts as right."""
        return self.score >= 1.0


class Attempt(Record):
    """One answer of one student to one task."""

    kind: ClassVar[str] = "attempt"
    filed = ("round", None)

    task: Task
    student: str
    """Digest of the checkpoint that answered."""
    round: int
    purpose: Literal["probe", "aimed", "prediction", "designed"]
    """Drawn from a skill at random, under the rule of a known weakness, or to test a new hypothesis; or made up by a
    prober, which chose it and whose pass rate therefore says nothing of the skill."""
    answer: str
    verdict: Verdict


class Weakness(Record):
    """A structure the student fails on, with a hypothesis in words and the rule it stands for."""

    kind: ClassVar[str] = "weakness"
    filed = ("round", "skill")

    skill: str
    hypothesis: str
    rule: tuple[str, ...]
    """Features that all hold for the tasks meant; empty means the whole skill."""
    round: int
    """Round in which it was found."""
    failures: tuple[str, ...]
    """Ids of failing attempts it was inferred from."""
    p_value: float
    """Of the one-sided exact test behind the rule, corrected for the rules tried."""


class Observation(Record):
    """The state of a weakness after a round, and the figures that put it there."""

    kind: ClassVar[str] = "observation"
    filed = ("round", "weakness")

    weakness: str
    round: int
    state: State
    passed: int
    tried: int
    """Probes that fall under the weakness's rule in this round."""
    reason: str
    recalled: tuple[str, ...] = ()
    """Weaknesses the vector memory answered with when this one was judged."""


class Prediction(Record):
    """A hypothesis put to the test on fresh probes: foreseen and seen pass rates."""

    kind: ClassVar[str] = "prediction"
    filed = ("round", "weakness")

    weakness: str
    round: int
    foreseen: float
    passed: int
    tried: int


class Probe(Record):
    """What one skill showed in one round's probing."""

    kind: ClassVar[str] = "probe"
    filed = ("round", "skill")

    skill: str
    round: int
    passed: int
    tried: int
    chance: float
    """Pass rate that this student's answers would reach if they were dealt out at random within the skill."""
    verdict: Literal["mastered", "failing", "undecided"]


class Share(Record):
    """How much of a round's budget a skill or one of its weaknesses gets, and why."""

    kind: ClassVar[str] = "share"
    filed = ("round", "skill")

    round: int
    skill: str
    weakness: str | None
    samples: int
    reason: str


class Sample(Record):
    """Something to train on."""

    kind: ClassVar[str] = "sample"
    filed = ("round", "arm")

    task: Task
    arm: Arm
    round: int
    weakness: str | None
    failures: tuple[str, ...] = ()
    """Ids of failing attempts this sample answers."""
    teacher: str
    recipe: str
    """How the teacher made it: its prompt, or the program and its arguments."""
    origin: Origin | None = Field(default=None, exclude_if=lambda origin: origin is None)
    """Operator and parents; kept out of the record where no operator made it."""

    @property
    def completion(self) -> str:
        """What a student learns to say to it."""
        return self.origin.completion(self.task.answer) if self.origin else self.task.answer


class Critique(Record):
    """What one judge said of one sample."""

    kind: ClassVar[str] = "critique"
    filed = ("round", "sample")

    sample: str
    round: int
    judge: str
    accepted: bool
    reason: str


class Fate(Record):
    """Whether a sample went into the accumulated set, and why."""

    kind: ClassVar[str] = "fate"
    filed = ("round", "sample")

    sample: str
    round: int
    kept: bool
    reason: str
    nearest: str | None = None
    """What it collided with, if anything."""
    score: float | None = Field(default=None, exclude_if=lambda score: score is None)
    """What the scorer gave it, where one was asked; higher is better."""


PARTIAL = "~"
"""Mark of an item whose score is between 0 and 1."""


class Exam(Record):
    """One student's results on one split."""

    kind: ClassVar[str] = "exam"
    filed = ("round", "split")

    round: int
    student: str
    arm: Arm
    split: Split
    scores: Mapping[str, Score]
    """By skill."""
    passed: str
    """One character per item in the split's order: `1` right, `0` wrong, `~` in between."""
    partial: tuple[float, ...] = Field(default=(), exclude_if=lambda partial: not partial)
    """Scores of the items in between, in their order; kept out of the record where there are none."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (marked := self.passed.count(PARTIAL)) != len(self.partial):
            raise ValueError(f"{marked} items are marked {PARTIAL!r} and {len(self.partial)} partial scores are given")
        return self

    @cached_property
    def marks(self) -> tuple[float, ...]:
        """Score of every item, in the split's order."""
        between = iter(self.partial)
        return tuple(next(between) if mark == PARTIAL else float(mark) for mark in self.passed)


class Promotion(Record):
    """The decision of a round with its numbers."""

    kind: ClassVar[str] = "promotion"
    filed = ("round", None)

    round: int
    incumbent: str
    candidate: str
    promoted: bool
    reason: str
    alpha: float
    gained: int
    """Select items on which the candidate scored higher."""
    lost: int
    gain: float | None = None
    """Mean change of the score on the select items, a share."""
    test: Test = "mcnemar"
    """What the p-value is of."""
    p_value: float
    guards: Mapping[str, Mapping[str, float]]
    """By guard skill: loss, upper bound and margin, all as shares."""
    guard_tests: Mapping[str, Test] = {}
    """What each guard's upper bound is of."""


class Round(Record):
    """What one round trained on and made."""

    kind: ClassVar[str] = "round"
    filed = ("number", "arm")

    number: int
    arm: Arm
    start: str
    """Digest of the checkpoint training started from."""
    checkpoint: str
    """Digest of the checkpoint it made."""
    path: str
    """Folder of the round, relative to the run."""
    dataset: str
    """Hash of the training set, free of its order."""
    samples: int
    steps: int
    tokens: int
    loss: float


class Session(Record):
    """One evolution session."""

    kind: ClassVar[str] = "session"

    name: str
    scenario: str
    """Hash of the resolved scenario."""
    seed: int
    limit: int | None
    """Cap of `--limit`; such a session is stamped LIMITED."""
    graph: str
    """Fingerprint of the graph it runs on."""
    settings: Mapping[str, Any]

    @property
    def only_probes(self) -> bool:
        """Whether it ends with a diagnosis: nothing is taught, and the sealed report stays sealed."""
        return "probe" in self.settings
