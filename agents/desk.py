"""What every node works at: a run's folder, its ledger and memory, and the parts its scenario names."""

import json
import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ..memory import files
from ..memory.account import ANSWERS, Account, paying
from ..memory.budget import Budget
from ..memory.collector import open_trace
from ..memory.effects import Effects, wall_seconds
from ..memory.errors import RunError
from ..memory.inference import Model, Models
from ..memory.ledger import Ledger
from ..memory.lineage import kept
from ..memory.lock import Lock
from ..memory.recall import Recall
from ..memory.records import Arm, Attempt, Sample, Score, Session, Split, Task
from ..memory.stopping import STOP
from ..memory.trace import Trace, recording, spent
from ..scenarios.loader import rebudget
from ..scenarios.schema import Scenario
from ..scenarios.splits import EXAMS, Splits
from ..training import device
from ..training.curation.decontamination import Decontamination
from ..training.curation.duplicates import Duplicates
from ..training.evaluation import ITEMS, prompts
from ..training.gate import Gate
from ..training.reading import Reader, reader
from ..training.serving.host import hosting
from .folder import RESOLVED, environment, opened, resolved, written
from .parts import Parts
from .reports.watcher import Watcher

BASE = "base"
"""Folder of the student a session starts from."""
EVALUATIONS = "evaluations"
"""Folder of what students got in the user's own evaluations."""
SPARE = 8
"""Tokens an answer in probes and exams may be longer than the longest reference."""


@dataclass
class Desk:
    """An open run. Use `create` or `reopen`, and close it."""

    run: Path
    scenario: Scenario
    parts: Parts
    session: Session
    ledger: Ledger
    effects: Effects
    recall: Recall
    trace: Trace
    watcher: Watcher
    account: Account
    models: Models
    """Who may be asked, by role."""
    _exits: ExitStack = field(repr=False)

    @classmethod
    def create(
        cls,
        runs: Path, scenario: Scenario, parts: Parts, session: Session, *, toml: str, stamp: str, watcher: Watcher,
        since: float | None = None, earlier: Callable[[Path], None] | None = None,
        made: Callable[[Path], object] = str,
    ) -> "Desk":  # fmt: skip
        """Make a run folder and open it; what is half made when that fails or is stopped is taken away.

        `earlier` puts there what an earlier run left, if the session goes on from one. `made` is told of the folder
        once it is a run, and before anything slow is opened.

        Raises:
            RunError: the folder for runs cannot be written.
        """
        name = f"{stamp}_{scenario.name}_{secrets.token_hex(2)}"
        run = runs / name
        try:
            # a library that calls back may make an error of its own of a stop
            with STOP.deferred():
                run.mkdir(parents=True)
                for folder in ("rounds", "staging"):
                    (run / folder).mkdir()
                files.write_text(run / "scenario.toml", toml)
                files.write_json(run / RESOLVED, resolved(scenario, parts.describe()))
                files.write_json(run / "environment.json", environment())
                Ledger.create(run / "ledger.sqlite", session=session.id)
                if earlier is not None:
                    earlier(run)
                # last, for it makes the folder a run: from here on a missing ledger is a lost one
                files.write_json(
                    run / "session.json", {"status": "running", "session": session.model_dump(mode="json")}
                )
                files.sync_folder(runs)
        except BaseException as error:
            shutil.rmtree(run, ignore_errors=True)
            if not isinstance(error, OSError):
                raise
            raise RunError(
                f"{runs}: cannot be written ({error.strerror}); choose another folder with --runs-dir"
            ) from None
        made(run)
        STOP.heed()
        return cls._open(run, scenario, parts, session, watcher, since)

    @classmethod
    def reopen(
        cls, run: Path, *, watcher: Watcher, since: float | None = None, allow_import: bool = False,
        overrides: Sequence[str] = (),
    ) -> "Desk":  # fmt: skip
        """Open a run that was begun before, with another budget where the overrides say so.

        Raises:
            RunError: not a run, changed since, or in use.
            ScenarioError: an override that is not of the budget.
        """
        scenario, session = written(run)
        scenario = rebudget(scenario, overrides, where=str(run))
        parts = Parts.resolve(scenario, str(run / RESOLVED), allow_import=allow_import)
        if (stored := json.loads((run / RESOLVED).read_text()).get("parts")) != parts.describe():
            changed = [name for name, part in parts.describe().items() if part != (stored or {}).get(name)]
            raise RunError(
                f"{run}: settings of {', '.join(changed)} have other defaults in this version; "
                "finish the run with the version that began it, or start a new one"
            )
        if parts.source.fingerprint() != session.settings["source"]:
            raise RunError(
                f"{run}: the data behind source {parts.source.name!r} changed since this run began; "
                "bring the old data back, or start a new run with `evolvent run`"
            )
        before, now = session.settings.get("files", {}), parts.rests_on()
        if changed := [name for name, digest in before.items() if now.get(name) != digest]:
            raise RunError(
                f"{run}: the file of {changed[0]} changed since this run began; "
                "bring the old one back, or start a new run with `evolvent run`"
            )
        desk = cls._open(run, scenario, parts, session, watcher, since)
        if overrides:
            files.write_json(run / RESOLVED, resolved(scenario, parts.describe()))
        return desk

    @classmethod
    def _open(
        cls, run: Path, scenario: Scenario, parts: Parts, session: Session, watcher: Watcher, since: float | None
    ) -> "Desk":
        with ExitStack() as stack:
            stack.enter_context(Lock(run))
            for left in run.glob(".*.tmp"):
                left.unlink()
            ledger = Ledger(run / "ledger.sqlite")
            stack.callback(ledger.close)
            stack.enter_context(hosting(run / "serving"))
            trace = stack.enter_context(recording(open_trace(run / "trace.sqlite", since=since)))
            limits = Budget(**scenario.budget.model_dump())
            gpus = device.gpus() if limits.gpu_seconds is not None else 0
            account = Account(run / ANSWERS, limits, seconds=wall_seconds(ledger), gpus=gpus)
            stack.enter_context(paying(account))
            models: Models = {role: _until(stack, part.serve(role)) for role, part in parts.models.items()}
            with spent("start-up"):
                recall = Recall.open(run / "memory", store=parts.store, embedder=parts.embedder)
            stack.callback(recall.close)
            effects = Effects(ledger, run, session.id)
            exits = stack.pop_all()
        return cls(run, scenario, parts, session, ledger, effects, recall, trace, watcher, account, models, exits)

    def close(self) -> None:
        """Release everything, in reverse order."""
        self._exits.close()

    # what the scenario holds

    @cached_property
    def splits(self) -> Splits:
        """Draws tasks."""
        return Splits(self.scenario, self.parts.source, self.session.seed, opened(self.run, self.session))

    @cached_property
    def reader(self) -> Reader:
        """How the student reads; one that somebody brought has to be in place."""
        return reader(self.scenario.student, self.path(BASE), serves=self.parts.engine.serves)

    @cached_property
    def gate(self) -> Gate:
        """Decides promotions."""
        return Gate.model_validate(self.scenario.gate.model_dump())

    def items(self, split: Split) -> list[Task]:
        """Items of an exam, capped by `--limit`."""
        if split not in self._items:
            with spent("curation"):
                self._items[split] = self.splits.items(split, limit=self.session.limit)
        return self._items[split]

    @cached_property
    def _items(self) -> dict[Split, list[Task]]:
        return {}

    @cached_property
    def longest(self) -> int:
        """Tokens an answer may have in probes and exams."""
        items = [task for split in EXAMS for task in self.items(split)]
        return longest(self.scenario, self.parts, self.reader, items)

    @property
    def budget(self) -> int:
        """New samples per round, capped by `--limit`."""
        return min(self.scenario.rounds.samples, self.session.limit or self.scenario.rounds.samples)

    # what is kept, held in memory so that a round costs the same however much there is

    @cached_property
    def contamination(self) -> Decontamination:
        """Knows what the exams hold, and the evaluations; the sealed items never leave it."""
        items = [task for split in EXAMS for task in self.items(split)]
        asked = sorted(self.run.glob(f"{EVALUATIONS}/*/000/{ITEMS}"))
        beside = [prompt for path in asked for prompt in prompts(path)]
        return Decontamination(self.splits, items, ngram=self.scenario.curation.ngram, beside=beside)

    @cached_property
    def duplicates(self) -> Duplicates:
        """Knows what is kept in the targeted arm."""
        known = self.no_duplicates()
        known.add(self.kept())
        return known

    def forget_duplicates(self) -> None:
        """Look again at what is kept: a person may have refused or edited some of it."""
        vars(self).pop("duplicates", None)

    def no_duplicates(self) -> Duplicates:
        """Knows nothing yet, for a training set of its own."""
        return Duplicates(near=self.scenario.curation.near, prose=self.parts.source.prose)

    def kept(self, *, until: int | None = None, arm: Arm = "targeted") -> list[Sample]:
        """Samples an arm trains on, of all rounds or up to one."""
        with spent("curation"):
            return kept(self.ledger, until=until, arm=arm)

    def asked(self, *, before: int) -> set[str]:
        """Keys of all tasks the student was asked in rounds before this one, whose attempts are all recorded."""
        for round in range(1, before):
            if round not in self._asked:
                self._asked[round] = {a.task.key for a in self.ledger.read(Attempt, round=round)}
        return set[str]().union(*(self._asked[round] for round in range(1, before)))

    @cached_property
    def _asked(self) -> dict[int, set[str]]:
        return {}

    # places

    def folder(self, round: int, arm: Arm = "targeted") -> Path:
        """Where a round lives."""
        names = {"targeted": f"{round:03d}", "control": "control", "clean": f"clean-{round:03d}"}
        return self.run / "rounds" / names[arm]

    def path(self, relative: str) -> Path:
        """A place in the run; paths are kept relative so that a run may be moved."""
        return self.run / relative

    def say(self, event: str, **facts: Any) -> None:
        """Tell whoever watches."""
        self.watcher.on(event, facts)


def _until(stack: ExitStack, model: Model) -> Model:
    """Keep a model until everything is released."""
    stack.callback(model.close)
    return model


def longest(scenario: Scenario, parts: Parts, reader: Reader, items: Sequence[Task]) -> int:
    """Tokens an answer may have in probes and exams, where `items` are those of all exams of a session."""
    needed = SPARE + parts.room + max(reader.answer_length(task.question, task.answer) for task in items)
    return scenario.student.longest or needed


def seed_of(desk: Desk, *names: str | int) -> int:
    """A seed for one purpose in one session, in [0, 2**31)."""
    return int(files.digest([desk.session.seed, *names], length=12), 16) % 2**31


def hash_samples(samples: Sequence[Sample]) -> str:
    """Digest of a training set, free of its order."""
    return files.digest(sorted(s.id for s in samples), length=32)


def rates(scores: Mapping[str, Score]) -> dict[str, float]:
    """Mean scores of an exam by skill: pass rates where nothing is graded."""
    return {skill: s.rate for skill, s in scores.items()}
