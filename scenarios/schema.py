"""What a scenario file may say. Every default works; a file needs a name, a source and skills."""

from contextlib import suppress
from typing import Annotated, Any, Literal, cast

from pydantic import ByteSize, Field, StringConstraints, ValidationError, field_validator, model_validator

from ..memory.files import digest
from ..memory.inference import Role
from ..memory.parts import PartSpec
from .section import Section
from .student import Student

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
"""Lower-case letters, digits, `-` and `_`: it becomes part of file names."""


FILE = "file"
"""The source whose rows name their skill in a column, unless they have none."""
WHOLE = "tasks"
"""The one skill of a scenario whose skills are yet to be found."""


class Skill(Section):
    """One thing the student should be able to do, or must not forget."""

    guard: bool = False
    """Already known: it must not get worse, and is not part of the target score."""
    learnable: bool | None = None
    """Whether it can be learned at all, where you know; only the report reads this, no agent does."""
    task: dict[str, Any] = Field(default={})
    """Settings of the source for this skill."""


class Probing(Section):
    """How the student is probed in a round."""

    least: int = Field(default=64, ge=8)
    """Tasks per skill before the sequential test may stop."""
    batch: int = Field(default=32, ge=4)
    """Tasks per skill between two looks of the sequential test."""
    most: int = Field(default=192, ge=8)
    """Largest number of tasks per skill and round."""
    failures: int = Field(default=16, ge=1)
    """Wrong answers wanted from a skill that is not mastered: a diagnosis needs them."""
    failing: float = Field(default=0.9, gt=0, lt=1)
    """Pass rate at or below which a skill counts as failing."""
    mastered: float = Field(default=0.99, gt=0, le=0.999)
    """Pass rate at or above which it counts as mastered."""
    error: float = Field(default=0.05, gt=0, lt=0.5)
    """Error rate of either kind of the sequential test."""
    aimed: int = Field(default=48, ge=8)
    """Fresh tasks per known weakness and round, and per new hypothesis, drawn under its rule."""

    @model_validator(mode="after")
    def _ordered(self) -> "Probing":
        if self.failing >= self.mastered:
            raise ValueError(f"failing ({self.failing}) must be below mastered ({self.mastered})")
        if self.least > self.most:
            raise ValueError(f"least ({self.least}) must not be above most ({self.most})")
        return self


class SplitSizes(Section):
    """How tasks are divided: shares of a skill's tasks, and items per skill and exam."""

    probe: float = Field(default=0.2, gt=0, lt=1)
    """Share of tasks that probing may use."""
    exam: float = Field(default=0.2, gt=0, lt=1)
    """Share kept for promotion decisions: *select* of target skills, *guard* of guard skills."""
    report: float = Field(default=0.2, gt=0, lt=1)
    """Share sealed until the end. Training gets what is left."""
    select: int = Field(default=300, ge=10)
    """Items per target skill that a promotion is decided on."""
    guard: int = Field(default=800, ge=10)
    """Items per guard skill that a promotion must not lose."""
    sealed: int = Field(default=400, ge=10)
    """Items per skill in the sealed report."""

    @model_validator(mode="after")
    def _room_for_training(self) -> "SplitSizes":
        held = self.probe + self.exam + self.report
        if held > 0.9:
            raise ValueError(f"probe + exam + report is {held:.2f}; leave at least 0.1 for training")
        return self


class GateSettings(Section):
    """When a candidate replaces the student."""

    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    """Chance that a session without any real change promotes anything."""
    margin: float = Field(default=0.02, gt=0, lt=1)
    """Largest loss on a guard skill that is tolerated, as a share."""
    guard_alpha: float = Field(default=0.05, gt=0, lt=0.5)
    """Chance that a guard loss of the margin goes unseen, per guard."""


class Methods(Section):
    """Methods of curation, by name."""

    enhancers: tuple[PartSpec, ...] = Field(default=(), exclude_if=lambda enhancers: not enhancers)
    """What makes samples better or refuses them, one after another."""
    scorer: PartSpec | None = Field(default=None, exclude_if=lambda scorer: scorer is None)
    """What a sample is worth."""
    selector: PartSpec | None = Field(default=None, exclude_if=lambda selector: selector is None)
    """Which samples are trained on; without one that of the scorer, or all."""
    orderer: PartSpec | None = Field(default=None, exclude_if=lambda orderer: orderer is None)
    """In which order; without one they are mixed."""


class Curation(Methods):
    """Which samples are trained on."""

    near: float = Field(default=0.85, gt=0, le=1)
    """Estimated Jaccard similarity of character 3-grams from which prose samples count as near duplicates."""
    ngram: int = Field(default=8, ge=2)
    """Words in a row shared with an exam item that count as a leak, for prose."""
    replay: float = Field(default=0.25, ge=0, lt=1)
    """Share of a round's new samples that repeats what the student knows: guards and mastered skills."""
    candidates: float = Field(default=1.0, ge=1, le=100, exclude_if=lambda candidates: candidates == 1)
    """Candidates written for every sample that is to be trained on; of more than one the selector chooses."""

    @model_validator(mode="after")
    def _choosable(self) -> "Curation":
        if self.candidates > 1 and self.selector is None and self.scorer is None:
            raise ValueError(
                f"candidates = {self.candidates:g} leaves something to choose from; name a scorer or a selector, "
                'such as selector = "random"'
            )
        if self.scorer is not None and self.candidates == 1 and self.selector is None and self.orderer is None:
            raise ValueError(
                f"scorer {self.scorer.name!r} would decide nothing; write candidates above 1 for it to choose from, "
                "or name an orderer"
            )
        return self


class Rounds(Section):
    """How long a session runs."""

    most: int = Field(default=4, ge=1, le=100)
    """Largest number of rounds; the error budget of the gate is spread over them."""
    samples: int = Field(default=6_000, ge=16)
    """New samples per round, replay included."""


class Training(Section):
    """Where a round is trained; how is the trainer's matter."""

    process: Literal["inline", "child"] = "inline"
    """In the session's own process, or in one of its own, which outlives a killed session and is found again."""
    launch: tuple[str, ...] = ()
    """Launcher that starts the child and its arguments, such as `["accelerate", "launch", "--config_file",
    "fsdp.yaml"]`; needs `--allow-import`, since a launcher runs whatever it is told to."""

    @field_validator("launch", mode="before")
    @classmethod
    def _words(cls, launch: Any) -> Any:
        if isinstance(launch, str):
            raise ValueError(f"write a list of words, {launch.split()!r}: there is no shell that would split it")
        return launch

    @model_validator(mode="after")
    def _launches_a_child(self) -> "Training":
        if self.launch and self.process == "inline":
            raise ValueError('launch starts a process; write process = "child" beside it')
        return self


class Gpu(Section):
    """The GPU that a session is planned for; it decides nothing, a dry run says what fits."""

    memory: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """GiB it has; without it those of the first GPU that is there."""
    taken: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """GiB of it that other programs take, such as the server of a teacher."""

    @model_validator(mode="after")
    def _leaves_something(self) -> "Gpu":
        if self.memory is not None and self.taken >= self.memory:
            raise ValueError(f"taken ({self.taken:g} GiB) leaves nothing of memory ({self.memory:g} GiB)")
        return self


class Limits(Section):
    """What a session may spend at most; without a limit it spends what it needs. A resumed run may be given more."""

    tokens: int | None = Field(default=None, ge=1)
    """Tokens of everything asked of endpoints and of their answers."""
    usd: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """US dollars, at the prices that the engines name."""
    wall_clock: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Seconds, over all the processes of a session."""
    gpu_seconds: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Wall-clock seconds times the GPUs that the session may use, busy or not; without a GPU none are counted."""
    disk: ByteSize | None = Field(default=None, gt=0, exclude_if=lambda disk: disk is None)
    """Bytes of the run's folder, such as `"5 GiB"`; looked at before every step."""


class Keeping(Section):
    """What stays on disk of the students that rounds made; a resumed run may keep more or fewer."""

    checkpoints: Literal["all", "promoted"] | Annotated[int, Field(ge=1)] | None = None
    """Whose weights stay: of every round, of the promoted ones, or of the student and so many of the newest rounds.
    Without it all stay until a disk budget is reached, and then the promoted ones. Digests, data and figures stay."""

    @field_validator("checkpoints", mode="before")
    @classmethod
    def _known(cls, checkpoints: Any) -> Any:
        number = isinstance(checkpoints, int) and not isinstance(checkpoints, bool) and checkpoints >= 1
        if checkpoints is not None and checkpoints not in ("all", "promoted") and not number:
            raise ValueError(f'write "all", "promoted" or how many rounds, at least 1; not {checkpoints!r}')
        return checkpoints


class Scenario(Section):
    """A target: what a student should become able to do."""

    version: int = Field(default=1, ge=1, le=1)
    """Version of this schema."""
    name: Name
    """Short name; part of the run's folder name."""
    description: str = ""
    """What it is for, for people."""
    source: PartSpec
    """Where tasks come from."""
    verifier: PartSpec = PartSpec(name="exact")
    """How answers are judged."""
    skills: dict[Name, Skill] = Field(min_length=1)
    """What is taught and what is guarded; without any the teacher finds them, and all are taught."""
    discover: bool = Field(default=False, exclude_if=lambda discover: not discover)
    """Have the teacher find the skills, as it does where a scenario names none."""
    student: Student = Student()
    teacher: PartSpec = PartSpec(name="program")
    """Who finds weaknesses and writes samples."""
    allocator: PartSpec = PartSpec(name="learnability")
    """How a round's budget is split."""
    trainer: PartSpec = PartSpec(name="sft")
    """How a round is trained."""
    train: Training = Field(default=Training(), exclude_if=lambda train: train == Training())
    """Where a round is trained."""
    embedder: PartSpec = PartSpec(name="hashing")
    """How text becomes a vector."""
    store: PartSpec = PartSpec(name="chroma")
    """Where vectors are searched."""
    splits: SplitSizes = SplitSizes()
    probe: Probing = Probing()
    curation: Curation = Curation()
    gate: GateSettings = GateSettings()
    rounds: Rounds = Rounds()
    budget: Limits = Limits()
    gpu: Gpu = Field(default=Gpu(), exclude_if=lambda gpu: gpu == Gpu())
    keep: Keeping = Field(default=Keeping(), exclude_if=lambda keep: keep == Keeping())
    models: dict[Role, PartSpec] = Field(default={}, exclude_if=lambda models: not models)
    """Engines beside the student's, by what they work as: `[models.teacher]`, `[models.judge]`."""
    evaluations: dict[Name, PartSpec] = Field(default={}, exclude_if=lambda evaluations: not evaluations)
    """Evaluations of your own that every candidate is put through and, like a guard, must not get worse in."""
    control: bool = True
    """Train a twin on uniformly drawn data, to say whether targeting earned its keep."""
    review: bool = False
    """Stop before every training round until a person has accepted, edited or rejected each of its samples."""

    @property
    def targets(self) -> list[str]:
        """Names of the skills to be taught, sorted."""
        return sorted(name for name, skill in self.skills.items() if not skill.guard)

    @property
    def guards(self) -> list[str]:
        """Names of the skills to be kept, sorted."""
        return sorted(name for name, skill in self.skills.items() if skill.guard)

    @property
    def hash(self) -> str:
        """Digest of all that it says, defaults included, but for what decides nothing: budget, GPU, keeping."""
        return digest(self.model_dump(mode="json", exclude={"budget", "gpu", "keep"}))

    @model_validator(mode="before")
    @classmethod
    def _unsorted(cls, value: Any) -> Any:
        """Take all tasks for one skill where no skill is named; a file's skill column is not looked at then."""
        if not isinstance(value, dict):
            return value
        given = dict(cast("dict[str, Any]", value))
        if not given.get("skills"):
            given |= {"skills": {WHOLE: {}}, "discover": True}
            with suppress(ValidationError):
                source = PartSpec.model_validate(given.get("source"))
                given["source"] = (
                    source.with_settings(**{"skill": "", **source.settings}) if source.name == FILE else source
                )
        return given

    @model_validator(mode="after")
    def _sensible(self) -> "Scenario":
        if self.discover and set(self.skills) != {WHOLE}:
            named = ", ".join(f"[skills.{name}]" for name in self.skills)
            raise ValueError(f"discover finds skills where none is named; remove it, or remove {named}")
        if both := sorted(self.skills.keys() & self.evaluations.keys()):
            raise ValueError(f"{both[0]!r} is a skill and an evaluation; call one of them something else")
        if not self.targets:
            raise ValueError("every skill is a guard; at least one must be taught")
        for name in self.student.first.skills:
            if name not in self.skills:
                raise ValueError(f"student.first.skills names {name!r}, which is not a skill of this scenario")
        return self
