"""Everything a scenario names, found and built."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ..memory.embedder import Embedder
from ..memory.errors import PartError
from ..memory.inference import Role
from ..memory.parts import Part, PartSpec, load
from ..memory.records import Sample
from ..memory.store import Store
from ..scenarios.schema import Scenario
from ..scenarios.source import Source
from ..scenarios.verifier import Verifier
from ..training import launcher
from ..training.engine import EnginePart
from ..training.evaluation import Evaluation
from ..training.student import first_trainer
from ..training.trainer import Trainer
from .allocator import Allocator
from .curators import Curators
from .families import ROOT, faults
from .operating import Weighted
from .operator import Operator
from .reasoned import unfit
from .teacher import Teacher

P = TypeVar("P", bound=Part)


@dataclass(frozen=True)
class Parts:
    """Everything a scenario names, found and built."""

    source: Source
    verifier: Verifier
    engine: EnginePart
    trainer: Trainer
    teacher: Teacher
    allocator: Allocator
    embedder: Embedder
    store: Store
    models: Mapping[Role, EnginePart]
    """Engines beside the student's."""
    evaluations: Mapping[str, Evaluation] = field(default_factory=dict[str, Evaluation])
    """The user's own, by name."""
    operators: tuple[Weighted, ...] = ()
    """What the teacher makes samples with."""
    curators: Curators = field(default_factory=Curators)
    """What candidates go through beside the rules."""

    @classmethod
    def resolve(cls, scenario: Scenario, where: str, *, allow_import: bool = False) -> "Parts":
        """Find and build every part, and have the source check every skill.

        Raises:
            PartError: naming the file, the part and the way out.
        """

        def one(spec: PartSpec, base: type[P], folder: str) -> P:
            return load(spec, base=base, package=f"{ROOT}.{folder}", where=where, allow_import=allow_import)

        if refused := faults(scenario.model_dump(), where=where, allow_import=allow_import):
            with suppress(PartError):  # then the source is among the faults
                refused += _unfit_skills(one(scenario.source, Source, "scenarios.sources"), scenario)
            raise PartError(f"{where}: {'; '.join(refused)}")
        teacher = one(scenario.teacher, Teacher, "agents.teachers")
        parts = cls(
            source=one(scenario.source, Source, "scenarios.sources"),
            verifier=one(scenario.verifier, Verifier, "scenarios.verifiers"),
            engine=one(scenario.student.engine, EnginePart, "training.engines"),
            trainer=one(scenario.trainer, Trainer, "training.trainers"),
            teacher=teacher,
            allocator=one(scenario.allocator, Allocator, "agents.allocators"),
            embedder=one(scenario.embedder, Embedder, "memory.embedders"),
            store=one(scenario.store, Store, "memory.stores"),
            models={role: one(spec, EnginePart, "training.engines") for role, spec in scenario.models.items()},
            evaluations={
                name: one(spec, Evaluation, "training.evaluations") for name, spec in scenario.evaluations.items()
            },
            operators=tuple(Weighted(one(w.operator, Operator, "agents.operators"), w.weight) for w in teacher.mix),
            curators=Curators.resolve(
                scenario.curation, where, chooses=scenario.curation.candidates > 1, allow_import=allow_import
            ),
        )
        lacking = [role for role in parts.teacher.asks if role not in parts.models]
        refused = [
            f"teacher {parts.teacher.name!r} asks a {role}; name its engine in [models.{role}]" for role in lacking
        ]
        refused += _unasked(parts)
        refused += parts.curators.faults(parts.models)
        if scenario.discover and parts.teacher.finds is None:
            refused.append(
                f"no skill is named, and teacher {parts.teacher.name!r} finds none; name what is to be learned in "
                '[skills.NAME], or choose teacher = "llm", which sorts the tasks into skills'
            )
        refused += launcher.refusals(scenario.train.launch, allowed=allow_import)
        refused += _unfit_evaluations(parts, allowed=allow_import)
        if scenario.budget.usd is not None and not any(e.priced for e in (parts.engine, *parts.models.values())):
            refused.append(
                "budget.usd sees no cost: give an engine a prompt_price or answer_price, or use budget.tokens"
            )
        refused += _unfit_skills(parts.source, scenario)
        if not scenario.discover:
            refused += _refusals(
                lambda: parts.allocator.check(scenario.targets), lambda: parts.verifier.check(scenario.skills)
            )
        refused = refused or unfit(parts.operators, parts.source, parts.verifier, scenario)
        if refused:
            raise PartError(f"{where}: {'; '.join(refused)}")
        return parts

    def first_trainer(self, scenario: Scenario) -> Trainer:
        """The trainer as it makes the student a session starts from."""
        return first_trainer(self.trainer, epochs=scenario.student.first.epochs)

    @property
    def room(self) -> int:
        """Characters that what operators teach may be longer than a reference."""
        return max((weighted.operator.room for weighted in self.operators), default=0)

    def fault(self, sample: Sample) -> str | None:
        """Say why a sample is not what its operator makes, or None."""
        made = sample.origin.operator if sample.origin else None
        return next((w.operator.fault(sample) for w in self.operators if w.operator.name == made), None)

    def rests_on(self) -> Mapping[str, str]:
        """Digests of files of the user's that parts beside the source read, by the setting that names them."""
        evaluated = {
            f"evaluations.{name}.{key}": digest
            for name, evaluation in self.evaluations.items()
            for key, digest in evaluation.rests_on().items()
        }
        return {**self.teacher.rests_on(), **self.verifier.rests_on(), **evaluated}

    def describe(self) -> dict[str, Any]:
        """Names and settings of all parts, defaults included."""
        several = ("models", "evaluations", "operators", "curators")
        single = {name: part.describe() for name, part in vars(self).items() if name not in several}
        single |= {"models": {r: m.describe() for r, m in self.models.items()}} if self.models else {}
        evaluations = {name: evaluation.describe() for name, evaluation in self.evaluations.items()}
        single |= {"evaluations": evaluations} if evaluations else {}
        operators = [{**w.operator.describe(), "weight": w.weight} for w in self.operators]
        return {**single, **({"operators": operators} if operators else {}), **self.curators.describe()}

    def greet(self) -> None:
        """See that every model is there.

        Raises:
            UnavailableError: one is not.
        """
        for role, engine in self.models.items():
            engine.serve(role).close()


def _refusals(*checks: Callable[[], None]) -> list[str]:
    """What checks refuse."""
    refused: list[str] = []
    for check in checks:
        try:
            check()
        except PartError as error:
            refused.append(str(error))
    return refused


def _unasked(parts: Parts) -> list[str]:
    """What a verifier that asks models lacks."""
    judge = f"verifier {parts.verifier.name!r} asks"
    refused = [
        f"{judge} a {role}; name its engine in [models.{role}]"
        for role in sorted(parts.verifier.asks - parts.models.keys())
    ]
    if parts.verifier.asks and parts.trainer.rewarded:
        refused.append(
            f"{judge} models, which trainer {parts.trainer.name!r} cannot wait for: it has answers judged while it "
            "trains; name a trainer that learns from samples, such as 'sft' or 'dpo'"
        )
    return refused


def _unfit_evaluations(parts: Parts, *, allowed: bool) -> list[str]:
    """What keeps evaluations from running here."""
    refused = [
        f"evaluations.{name}: {fault}"
        for name, evaluation in parts.evaluations.items()
        for fault in evaluation.refusals(allowed=allowed)
    ]
    if parts.evaluations and not parts.engine.serves:
        refused.append(
            f"evaluations read the student's weights, which engine {parts.engine.name!r} has not; remove them, or have "
            "'transformers' or 'vllm' serve the student"
        )
    return refused


def _unfit_skills(source: Source, scenario: Scenario) -> list[str]:
    """What the source refuses of skills; what is wrong with the file itself is said once."""
    refused: list[str] = []
    for name, skill in scenario.skills.items():
        try:
            source.check(name, skill.task)
        except PartError as error:
            refused += [str(error)] if str(error) not in refused else []
    return refused
