"""A finished run that a new session goes on from: its student, its kept data and its memory, but not its exams.

Every item that an earlier session of the chain examined is out of the exams of the new one, the sealed report above
all, and so is every item of which the data trained on before holds so much that it would be a leak. What is taken along
lies in the new run, in a folder of its own, so that the run does not depend on the earlier one; that is only read.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..memory import files
from ..memory.errors import RunError
from ..memory.ledger import Ledger
from ..memory.lineage import kept
from ..memory.recall import Entry, entries
from ..memory.records import Sample, Session, Task
from ..scenarios.schema import Scenario
from ..scenarios.splits import EXAMS, Opened, Splits
from ..training import checkpoint
from ..training.curation.decontamination import given_away
from ..training.student import first_tasks
from .folder import EARLIER, OPENED, before, begun, opened, written
from .parts import Parts
from .reports.results import Student, status, students

STUDENT = "student"
SAMPLES = "samples.jsonl"
MEMORIES = "memories.jsonl"
TRAINED = "trained.json"
"""Prompts of prose that students of the chain were trained on."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """What an earlier run leaves to a new session."""

    run: Path
    session: Session
    student: Student
    samples: tuple[Sample, ...]
    memories: tuple[Entry, ...]
    opened: Opened
    """Keys, by skill, that no exam of the new session may hold."""
    trained: tuple[str, ...]
    """Prompts of prose that students of the chain were trained on."""

    def facts(self) -> dict[str, Any]:
        """What the new session's settings say of it."""
        return {
            "run": self.run.resolve().name,
            "dir": str(self.run),
            "session": self.session.id,
            "student": self.student.digest,
            "samples": len(self.samples),
            "opened": files.digest(_listed(self.opened)),
        }

    def line(self) -> str:
        """The same for a person."""
        gone = sum(map(len, self.opened.values()))
        return (
            f"goes on from {self.run}: its {self.student.label} student {self.student.digest}, {len(self.samples):,} "
            f"samples and {len(self.memories):,} memories; {gone:,} tasks examined before are in no exam"
        )

    def given_away(self, splits: Splits, *, limit: int | None) -> list[Task]:
        """Items of the new exams that the data trained on before give away."""
        if not self.trained:
            return []
        items = [task for split in EXAMS for task in splits.items(split, limit=limit)]
        return given_away(items, self.trained, splits.scenario.curation.ngram)

    def beside(self, tasks: Iterable[Task]) -> "Earlier":
        """The same with more tasks that no exam may hold."""
        return replace(self, opened=_joined(self.opened, tasks))

    def pack(self, run: Path) -> None:
        """Put everything into a new run."""
        folder = run / EARLIER
        folder.mkdir()
        checkpoint.copy(self.student.path, folder / STUDENT)
        files.write_text(folder / SAMPLES, "".join(f"{s.model_dump_json()}\n" for s in self.samples))
        told = ({"id": e.id, "text": e.text, "label": e.label} for e in self.memories)
        files.write_text(folder / MEMORIES, "".join(f"{json.dumps(entry)}\n" for entry in told))
        files.write_json(folder / OPENED, _listed(self.opened))
        files.write_json(folder / TRAINED, {"prompts": self.trained})
        files.seal(folder)


def read(run: Path, scenario: Scenario, parts: Parts, *, where: str) -> Earlier:
    """Look at a run to go on from.

    Args:
        run: its folder.
        scenario: of the new session.
        parts: of the new session.
        where: file of the new scenario, for messages.

    Raises:
        RunError: it is not finished, is damaged, or belongs to another target.
    """
    old, session = begun(run)
    if (found := status(run)) != "finished":
        raise RunError(f"{run}: {found}, and a session goes on from a finished one; try `evolvent resume {run}`")
    if session.only_probes:
        raise RunError(f"{run}: it only probed and leaves no student; begin with `evolvent run` without --from")
    if scenario.discover or written(run)[0].discover:
        raise RunError(
            f"{run}: going on from a run needs skills that both scenarios name, and here the teacher finds them; begin "
            "anew without --from, or write skills into the file and the scenario"
        )
    if different := _different(old, session, scenario, parts):
        raise RunError(
            f"{run}: {where} has another {', '.join(different)}, so nobody could say which tasks are still unseen; "
            "go on with what the run was begun with"
        )
    if not parts.engine.serves:
        raise RunError(f"{run}: student.engine {parts.engine.name!r} does not serve its student; name one that does")
    student = students(run)[-1]
    if student.tainted:
        raise RunError(
            f"{run}: its student learned from samples that were withdrawn, and no clean one took its place; "
            f"see `evolvent runs show {run}`"
        )
    if files.verify(student.path if student.label == "base" else student.path.parent) is None:
        raise RunError(f"{student.path}: damaged or incomplete; restore the run from a copy")
    splits = Splits(old, parts.source, session.seed, opened(run, session))
    ledger = Ledger(run / "ledger.sqlite", read_only=True)
    try:
        samples = tuple(kept(ledger))
    finally:
        ledger.close()
    return Earlier(
        run=run,
        session=session,
        student=student,
        samples=samples,
        memories=tuple(_renamed(entries(run / "memory"), session)),
        opened=_joined(splits.opened, (task for s in EXAMS for task in splits.items(s, limit=session.limit))),
        trained=tuple(_trained(run, session, splits, samples)) if parts.source.prose else (),
    )


def _different(old: Scenario, session: Session, new: Scenario, parts: Parts) -> list[str]:
    """What decides which tasks there are, where they belong and what is right, as far as it is not the same."""
    kinds = {name: (skill.guard, skill.task) for name, skill in old.skills.items()}
    # who answers, how much is first trained and how long answers may be is no part of the student that is taken over
    apart = {"engine", "first", "longest"}
    same = {
        "name": old.name == new.name,
        "student": old.student.model_dump(exclude=apart) == new.student.model_dump(exclude=apart),
        "source": old.source == new.source and session.settings["source"] == parts.source.fingerprint(),
        "skills": kinds == {name: (skill.guard, skill.task) for name, skill in new.skills.items()},
        "verifier": old.verifier == new.verifier,
        "splits.probe": old.splits.probe == new.splits.probe,
        "splits.exam": old.splits.exam == new.splits.exam,
        "splits.report": old.splits.report == new.splits.report,
    }
    return [name for name, agrees in same.items() if not agrees]


def _joined(known: Opened, tasks: Iterable[Task]) -> Opened:
    keys = {skill: set(own) for skill, own in known.items()}
    for task in tasks:
        keys.setdefault(task.skill, set()).add(task.key)
    return {skill: frozenset(own) for skill, own in keys.items()}


def _listed(opened: Opened) -> dict[str, list[str]]:
    return {skill: sorted(keys) for skill, keys in sorted(opened.items())}


def _renamed(memories: Sequence[Entry], session: Session) -> list[Entry]:
    """Memories under ids that the new session cannot give to anything else."""
    return [e if ":" in e.id else Entry(f"{session.id}:{e.id}", e.text, e.label) for e in memories]


def _trained(run: Path, session: Session, splits: Splits, samples: Sequence[Sample]) -> list[str]:
    """Prompts trained on in this run and in those before it; what the first student learned is drawn again.

    What a model that somebody brought has learned nobody here knows.
    """
    if before(session):
        known = json.loads((run / EARLIER / TRAINED).read_text())["prompts"]
    else:
        made = not splits.scenario.student.model
        known = [task.own for task in first_tasks(splits.scenario, splits)] if made else []
    return sorted({*known, *(sample.task.own for sample in samples)})
