"""Two students on the same exam items: scores, paired differences, and the targeted arm against its twin."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...memory.records import Exam, Round
from ...training.pairing import Paired, pair
from ..rounds import steps_behind

Json = dict[str, Any]


def macro(exam: Exam, skills: Sequence[str]) -> float:
    """Mean score over skills, in [0, 1]."""
    return sum(exam.scores[skill].rate for skill in skills) / len(skills)


def segment(exam: Exam, skills: Iterable[str]) -> list[float]:
    """Scores on some skills; items lie skill by skill, in alphabetical order."""
    wanted, start, marks = set(skills), 0, list[float]()
    for skill in sorted(exam.scores):
        stop = start + exam.scores[skill].tried
        if skill in wanted:
            marks += exam.marks[start:stop]
        start = stop
    return marks


def compare(before: Exam, after: Exam, skills: Sequence[str]) -> Paired:
    """What changed on the items of some skills."""
    return pair(segment(before, skills), segment(after, skills))


def against_twin(
    sealed: Mapping[str, Exam], rounds: Sequence[Round], twin: Round, learnable: Sequence[str], *, probes: int
) -> Json:
    """The paired difference to the twin trained on evenly drawn data, with the samples and steps of both.

    Where nothing was promoted the student is the one the session began with, and comparing that one with a trained
    twin would judge the gate. The candidate the twin was matched to is compared instead, and the verdict says so.

    Args:
        sealed: exams of the recorded opening, by name: `final`, `control`, and `candidate` where nothing was promoted.
        rounds: all rounds.
        twin: the control round.
        learnable: skills the macro score is over.
        probes: answers of the student that targeting cost.
    """
    promoted = "candidate" not in sealed
    own, other = sealed["final" if promoted else "candidate"], sealed["control"]
    targeted = [r for r in rounds if r.arm == "targeted"]
    model = next(r for r in targeted if r.number == twin.number)
    changed = compare(other, own, learnable)
    low, high = changed.interval()
    return {
        "round": model.number,
        "promoted": promoted,
        "compared": "the final student"
        if promoted
        else f"the candidate of round {model.number}, which was turned down; nothing was promoted, so the final "
        "student is the one the session began with",
        "targeted_samples": model.samples,
        "targeted_steps": steps_behind(model, targeted),
        "samples": twin.samples,
        "steps": twin.steps,
        "targeted": macro(own, learnable),
        "uniform": macro(other, learnable),
        "difference": changed.gain,
        "low": low,
        "high": high,
        "test": changed.test,
        "verdict": _verdict(low, high, promoted=promoted),
        "note": "one training seed; the interval is over exam items",
        "probes_charged": probes,
        "samples_with_probes": model.samples + probes,
        "skills": {s: {"targeted": own.scores[s].rate, "uniform": other.scores[s].rate} for s in sorted(own.scores)},
    }


def _verdict(low: float, high: float, *, promoted: bool) -> str:
    said = (
        "targeting helped"
        if low > 0
        else "targeting did worse than drawing evenly"
        if high < 0
        else "targeting did not help measurably"
    )
    return said if promoted else f"{said}, judged on a candidate that was turned down"
