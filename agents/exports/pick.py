"""The student of a run that is handed on: the first one, the promoted one, or the candidate of a round."""

from pathlib import Path
from typing import NamedTuple

from ...memory import files
from ...memory.errors import RunError, UsageError
from ...memory.reading import Run
from ...memory.records import Exam, Promotion, Round
from ...memory.retraction import current
from ...memory.retraction import tainted as known_tainted
from ...training import checkpoint
from ..desk import BASE
from ..folder import begun
from ..reports.summary import Json, change


class Pick(NamedTuple):
    """A student, and where it lies."""

    path: Path
    digest: str
    """Names the student in the record."""
    made: Round | None
    """The round that made it; None for the first student."""
    decision: Promotion | None
    """What was decided on it; None before that, and for the first student."""
    tainted: bool = False
    """Whether it learned from what was withdrawn."""

    @property
    def adapter(self) -> bool:
        """Whether it is an adapter on other weights."""
        return checkpoint.adapted(self.path)

    @property
    def title(self) -> str:
        """What it is."""
        if self.made is None:
            return "the student the session started from"
        if self.made.arm == "clean":
            return "student trained again without what was withdrawn, in place of the promoted one"
        if self.decision is None:
            return f"candidate of round {self.made.number}, not decided on yet"
        said = "promoted in" if self.decision.promoted else "candidate turned down in"
        return f"student {said} round {self.made.number}"


def pick(run: Run, which: str, *, tainted: bool = False) -> Pick:
    """Find a student.

    Args:
        run: of the session.
        which: `final` for the one promoted last, or the clean one in its place, or the first where none was; `base`;
            or the number of a round.
        tainted: whether it may have learned from what was withdrawn.

    Raises:
        UsageError: there is no such student.
        RunError: its folder is damaged, or not the run's own; its weights were removed; or it is tainted.
    """
    decided = {p.candidate: p for p in run.ledger.read(Promotion)}
    trained = {r.number: r for r in run.ledger.read(Round, subject="targeted")}
    last = max((p.round for p in decided.values() if p.promoted), default=0)
    number = {"final": last, "base": 0}.get(which)
    if number is None:
        number = int(which) if which.isascii() and which.isdigit() and int(which) in trained else None
    if number is None:
        known = ", ".join(["final", "base", *map(str, trained)])
        raise UsageError(f"--model {which!r}: no such student in {run.name}; known: {known}")
    made = trained[number] if number else None
    now = current(run.ledger)
    if which == "final" and now and now.clean:
        made = next(r for r in run.ledger.read(Round, subject="clean") if r.path == now.path)
    path = run.path / (made.path if made else BASE)
    _whole(run, path if made is None else path.parent)
    if made and checkpoint.removed_from(path):
        raise RunError(
            f"{path}: the weights of round {number} were removed to save disk ([keep] checkpoints); its digest, data "
            "and exams are kept, but it cannot be handed on"
        )
    digest = made.checkpoint if made else checkpoint.identify(path)
    bad = digest in known_tainted(run.ledger)
    if bad and not tainted:
        raise RunError(
            f"{path}: tainted: it learned from samples that were withdrawn; `evolvent resume {run.path}` trains the "
            "promoted student without them, and --tainted hands this one on all the same"
        )
    return Pick(path, digest, made, decided.get(digest) if made else None, bad)


def scores(run: Run, chosen: Pick) -> dict[str, Json | None]:
    """Exams of a student beside those of the first one, by split; None where it was not examined."""
    scenario, _ = begun(run.path)
    learnable = list(run.goal.learnable)
    first: dict[str, Exam] = {}
    own: dict[str, Exam] = {}
    for exam in run.ledger.read(Exam):
        if exam.round == 0 and exam.arm == "targeted":
            first.setdefault(exam.split, exam)
        if exam.student == chosen.digest and exam.arm != "control":
            own.setdefault(exam.split, exam)
    shown = {"report": sorted(scenario.skills), "select": scenario.targets}
    return {split: change(first.get(split), own.get(split), learnable, skills) for split, skills in shown.items()}


def _whole(run: Run, folder: Path) -> None:
    if not folder.resolve().is_relative_to(run.path.resolve()):
        raise RunError(f"{folder}: lies outside of the run; a run is read only from its own files, copy it there")
    if files.verify(folder) is None:
        raise RunError(f"{folder}: is damaged or incomplete; restore it from a copy, or go on with `evolvent resume`")
