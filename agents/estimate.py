"""How long a session takes and what it uses, before it runs: counts are bounds, time and disk are about right."""

from dataclasses import dataclass
from statistics import fmean
from typing import Any

from ..scenarios.schema import Scenario
from ..scenarios.splits import Splits
from ..training.reading import Reader
from .judging.golden import TASKS
from .parts import Parts
from .probing import GUESSES

STEP = 0.045
"""Seconds per optimiser step of a quarter-million-parameter student on one core, measured; scaled by size and rows."""
PARAMETERS = 250_000
ROW = 19
"""Tokens of a row in such a step: a short calculation, its result and the marks about them."""
LOOKED, STREAM = 20, "estimate"
"""Tasks of a skill whose rows are measured, and the stream they are drawn from."""
FIXED = 20.0
"""Seconds for imports, exams and reports."""
RECORD, WEIGHT, BARE = 1_500, 4, 2_000_000
"""Bytes of a probe answer or sample in the ledger, its index and Parquet; of a parameter; of a run that did nothing."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a session will come to: at most so many answers, samples and steps."""

    seconds: float
    rounds: int
    samples: int
    """Trained on, those of the control included."""
    steps: int
    """First training and control included."""
    probes: int
    """Answers of skills, of known weaknesses and of hypotheses under test."""
    exam_answers: int
    bytes: int
    """On disk."""
    grades: int = 0
    """Calls of models that grade the answers, where no program judges them; each may be asked again."""

    def lines(self) -> list[str]:
        """Readable text."""
        taught = f"{self.rounds} rounds, {self.samples:,} samples and {self.steps:,} training steps, all included"
        looked = f"{self.steps:,} training steps, to make the student; it is taught nothing"
        return [
            f"at most {taught if self.rounds else looked}",
            f"at most {self.probes:,} probe answers, if every test finds a weakness, and {self.exam_answers:,} exam "
            "answers by the student",
            *([f"at most {self.grades:,} calls of the judges that grade these answers"] if self.grades else []),
            f"about {self.seconds / 60:.1f} min on one quiet core; less with a cached student or an early end",
            f"about {self.bytes / 1e6:,.0f} MB of disk",
        ]

    def facts(self) -> dict[str, Any]:
        """The same as JSON."""
        return {f: getattr(self, f) for f in self.__slots__}


def row_tokens(splits: Splits, reader: Reader) -> float:
    """Tokens of a question with its answer, on average over a few of every skill that the student can read."""
    drawn = [task for skill in splits.scenario.skills for task in splits.draw(skill, "train", LOOKED, stream=STREAM)]
    read = [task for task in drawn if reader.refusal(task.question, task.answer) is None]
    return fmean(reader.length(task.question, task.answer) for task in read) if read else ROW


def estimate(
    scenario: Scenario,
    parts: Parts,
    *,
    limit: int | None,
    parameters: int = 0,
    tokens: float = ROW,
    inherited: int | None = None,
) -> Estimate:
    """Work out the largest cost a session can have.

    Args:
        scenario: what is wanted.
        parts: who does it.
        limit: cap of items and samples per stage.
        parameters: size of a student that somebody brings, where it is known.
        tokens: of a row that it is trained on, a question with its answer.
        inherited: samples of the run it goes on from, which leaves the student as well; None without one.
    """
    rounds, each = scenario.rounds.most, _capped(scenario.rounds.samples, limit)
    kept, steps = rounds * each + (inherited or 0), _steps(scenario, parts, each, inherited or 0)
    if inherited is None:
        steps += _first(scenario, parts)
    samples = kept * (2 if scenario.control else 1)
    probes, exams = _probes(scenario, limit), _exams(scenario, limit)
    size = parameters or _size(scenario)
    seconds = FIXED + _seconds(steps, size, tokens)
    students = 1 + rounds + (1 if scenario.control else 0)
    written = samples + round(rounds * each * (scenario.curation.candidates - 1))
    size_bytes = BARE + RECORD * (written + probes) + WEIGHT * size * students
    return Estimate(seconds, rounds, samples, steps, probes, exams, size_bytes, _grades(parts, probes + exams))


def estimate_probe(
    scenario: Scenario, parts: Parts, *, limit: int | None, parameters: int = 0, tokens: float = ROW
) -> Estimate:
    """Work out the largest cost of one look at the student: its first training and exam, and a round of probes."""
    once = scenario.model_copy(update={"rounds": scenario.rounds.model_copy(update={"most": 0}), "control": False})
    steps = _first(scenario, parts)
    probes, exams = _probes(once, limit), _exams(once, limit) - _sealed(once, limit)
    size = parameters or _size(scenario)
    size_bytes = BARE + RECORD * probes + WEIGHT * size
    grades = _grades(parts, probes + exams)
    return Estimate(FIXED + _seconds(steps, size, tokens), 0, 0, steps, probes, exams, size_bytes, grades)


def _steps(scenario: Scenario, parts: Parts, each: int, inherited: int) -> int:
    """Optimiser steps of every round and of the control, at most."""
    anew = parts.trainer.start == "base"
    rounds = [parts.trainer.steps(inherited + each * (n if anew else 1)) for n in range(1, scenario.rounds.most + 1)]
    control = (max(rounds) if anew else sum(rounds)) if scenario.control else 0
    return sum(rounds) + control


def _first(scenario: Scenario, parts: Parts) -> int:
    """Optimiser steps of the first training; a student that somebody brings has none, nor one behind an endpoint."""
    made = parts.engine.serves and not scenario.student.model
    return parts.first_trainer(scenario).steps(scenario.student.first.samples) if made else 0


def _probes(scenario: Scenario, limit: int | None) -> int:
    """Probe answers at most: every round, and once more at the end, as many weaknesses are found as are tested."""
    probe, targets, rounds = scenario.probe, len(scenario.targets), scenario.rounds.most + 1
    most, aimed = _capped(probe.most, limit), _capped(probe.aimed, limit)
    skills = rounds * (targets * most + len(scenario.guards) * min(probe.least, most))
    # those of a round are tested at once, and looked at in every later round
    tests = rounds + rounds * (rounds - 1) // 2
    return skills + tests * targets * GUESSES * aimed


def _exams(scenario: Scenario, limit: int | None) -> int:
    """Exam answers: select and guard before the first round and after every one, and the sealed opening."""
    sizes = scenario.splits
    select = len(scenario.targets) * _capped(sizes.select, limit)
    guard = len(scenario.guards) * _capped(sizes.guard, limit)
    return (scenario.rounds.most + 1) * (select + guard) + _sealed(scenario, limit)


def _sealed(scenario: Scenario, limit: int | None) -> int:
    """Exam answers of the sealed opening."""
    return (3 if scenario.control else 2) * len(scenario.skills) * _capped(scenario.splits.sealed, limit)


def _grades(parts: Parts, answers: int) -> int:
    """Calls of the verifier's judges, once for every answer, and for their audition."""
    return len(parts.verifier.panel()) * (answers + 5 * TASKS)


def _size(scenario: Scenario) -> int:
    """Parameters of the embedded student."""
    return scenario.student.layers * 13 * scenario.student.hidden**2 + 202 * scenario.student.hidden


def _seconds(steps: int, size: int, tokens: float) -> float:
    return steps * STEP * max(0.3, size / PARAMETERS) * max(1.0, tokens / ROW)


def _capped(size: int, limit: int | None) -> int:
    return min(size, limit or size)
