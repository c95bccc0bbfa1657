"""What students said in their exams: asked again, since an exam keeps only results."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ...memory.inference import Request
from ...memory.reading import Run
from ...memory.records import Exam, Round, Task, Verdict
from ...training.reading import reader
from ..asking import asking
from ..desk import BASE, SPARE
from ..folder import begun
from ..parts import Parts
from ..quiet import quiet


class Answer(NamedTuple):
    """One answer."""

    text: str
    complete: bool
    """False when it was cut at the longest length."""
    verdict: Verdict


class Asking:
    """Asks the students of a run; a student that is not on this machine says nothing."""

    def __init__(self, run: Run) -> None:
        quiet()
        scenario, _ = begun(run.path)
        self._run = run.path
        # nobody is evaluated here, so no code of an evaluation needs leave to run
        asked = scenario.model_copy(update={"evaluations": {}})
        self._parts = Parts.resolve(asked, str(run.path / "scenario.resolved.json"))
        self._longest = scenario.student.longest
        self._reader = reader(scenario.student, run.path / BASE)
        self._places = _places(run)

    def ask(self, exam: Exam, tasks: Sequence[Task]) -> Mapping[str, Answer]:
        """Give the answers to the items of an exam, by id of the task."""
        place = self._places.get(exam.student)
        if place is None:
            return {}
        from ...training.engines.transformers import Transformers

        engine = Transformers().open(place)
        try:
            needed = max(self._reader.answer_length(t.question, t.answer) for t in tasks)
            longest = self._longest or SPARE + self._parts.room + needed
            said = asyncio.run(engine.answer([Request.of(task.question, longest) for task in tasks]))
        finally:
            engine.close()
        verifier, answers = self._parts.verifier, [each.answer for each in said]
        with asking(self._run, self._parts) as models:
            judged = asyncio.run(verifier.judged(tasks, answers, models=models))
        return {t.id: Answer(s.answer, s.complete, v) for t, s, v in zip(tasks, said, judged, strict=True)}


def _places(run: Run) -> dict[str, Path]:
    """Folders of students that are there, by digest."""
    made = {record.checkpoint: run.path / record.path for record in run.ledger.read(Round)}
    first = next((exam.student for exam in run.ledger.read(Exam, round=0)), None)
    known = {**({first: run.path / BASE} if first else {}), **made}
    inside = {student: place for student, place in known.items() if place.resolve().is_relative_to(run.path.resolve())}
    return {student: place for student, place in inside.items() if any(place.glob("*.safetensors"))}
